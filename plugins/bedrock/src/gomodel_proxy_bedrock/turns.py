"""From messages of any order to Converse's turns.

docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html (2026-11): a user's
turn comes first, turns alternate, and all results of a turn's calls stand in the turn after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Text
from gomodel_proxy.wire.members import place
from gomodel_proxy.wire.turns import Turn, extend, pair_up, worded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Message, Part

__all__ = ["take_turns"]


def take_turns(
    messages: Iterable[Message], losses: Losses, *, system: bool
) -> tuple[list[Part], list[Turn]]:
    """Return the system prompt and the turns; raises `InvalidRequest` for impossible orders.

    A system message that does not come first goes to the prompt all the same, which is noted.
    ``system`` says whether the model takes a prompt; otherwise it opens the first user's turn.
    """
    prompt: list[Part] = []
    turns: list[Turn] = []
    for message in messages:
        parts = worded(message, losses)
        if message.role not in ("system", "developer"):
            extend(turns, message, parts)
            continue
        if turns:
            losses.change(place(message.at, "role"), message.role, "system prompt")
        prompt += parts
    if prompt and (not system or not turns):
        losses.change("messages", "system", "user")
        if not turns or turns[0].role != "user":
            turns.insert(0, Turn("user", "messages"))
        turns[0].parts[:0] = prompt
        prompt = []
    _begin(turns, losses)
    pair_up(turns, unanswered=True)
    return prompt, turns


def _begin(turns: list[Turn], losses: Losses) -> None:
    """Let a user begin, as Bedrock demands, with as little as can be said."""
    if not turns:
        raise InvalidRequest("'messages' says nothing.", code="empty_array", param="messages")
    if turns[0].role != "user":
        losses.change(turns[0].at, "first", "second")
        turns.insert(0, Turn("user", turns[0].at, [Text(".")]))
