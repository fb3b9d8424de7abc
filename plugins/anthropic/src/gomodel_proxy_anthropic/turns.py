"""From messages of any order to Anthropic's turns.

platform.claude.com/docs/en/agents-and-tools/tool-use (2026-11): the results of all calls of a turn
stand first in the turn after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.wire.turns import Turn, extend, pair_up, worded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Message, Part

__all__ = ["take_turns"]


def take_turns(
    messages: Iterable[Message], losses: Losses, *, system_turns: bool
) -> tuple[list[Part], list[Turn]]:
    """Return the system prompt and the turns; raises `InvalidRequest` for impossible orders.

    ``system_turns`` says whether the model takes a system message after a user's turn; otherwise
    one goes to the system prompt, which is noted.
    """
    system: list[Part] = []
    turns: list[Turn] = []
    for message in messages:
        parts = worded(message, losses)
        if message.role not in ("system", "developer"):
            extend(turns, message, parts)
        elif turns and system_turns and turns[-1].role == "user":
            turns.append(Turn("system", message.at, parts))
        else:
            if turns:
                losses.change(message.at, "mid-conversation", "leading")
            system += parts
    pair_up(turns, unanswered=False)
    return system, turns
