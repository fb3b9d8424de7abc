"""From messages of any order to Converse's turns, and whether calls and results pair up.

docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html (2026-11): a user's
turn comes first, turns alternate, and all results of a turn's calls stand in the turn after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Part, Text, ToolCall, ToolResult
from gomodel_proxy.wire.members import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Message

__all__ = ["Turn", "take_turns"]

_ROLES: Final = {"assistant": "assistant", "user": "user", "tool": "user"}


class Turn:
    """Everything that one side said before the other did."""

    __slots__ = ("at", "parts", "role")

    def __init__(self, role: str, at: str) -> None:
        self.role = role
        self.at = at
        self.parts: list[Part] = []


def take_turns(
    messages: Sequence[Message], losses: Losses, *, system: bool
) -> tuple[list[Part], list[Turn]]:
    """Return the system prompt and the turns; raises `InvalidRequest` for impossible orders.

    A system message that does not come first goes to the prompt all the same, which is noted.
    ``system`` says whether the model takes a prompt; otherwise it opens the first user's turn.
    """
    prompt: list[Part] = []
    turns: list[Turn] = []
    for message in messages:
        parts = _worded(message, losses)
        if message.role in ("system", "developer"):
            if turns:
                losses.change(place(message.at, "role"), message.role, "system prompt")
            prompt += parts
            continue
        role = _ROLES[message.role]
        if parts and (not turns or turns[-1].role != role):
            turns.append(Turn(role, message.at))
        if parts:
            turns[-1].parts += parts
    if prompt and (not system or not turns):
        losses.change("messages", "system", "user")
        if not turns or turns[0].role != "user":
            turns.insert(0, Turn("user", "messages"))
        turns[0].parts[:0] = prompt
        prompt = []
    _begin(turns, losses)
    _check(turns)
    return prompt, turns


def _worded(message: Message, losses: Losses) -> list[Part]:
    """Return the parts that say something; a message's own members have no place in a turn."""
    for name, value in (("name", message.name), ("id", message.item), ("status", message.status)):
        if value is not None:
            losses.drop(message.at, name)
    losses.drop_extra(message.at, message.extra)
    # an empty text is refused, and there is nothing in it to lose
    parts = [part for part in message.parts if not isinstance(part, Text) or part.text]
    if message.cache is not None:
        _mark(parts, message, losses)
    return parts


def _mark(parts: Sequence[Part], message: Message, losses: Losses) -> None:
    """Put a message's caching mark on its last block, which means the same."""
    last = parts[-1] if parts else None
    if last is not None and hasattr(last, "cache"):
        last.cache = last.cache or message.cache
    else:
        losses.drop(message.at, "cache_control")


def _begin(turns: list[Turn], losses: Losses) -> None:
    """Let a user begin, as Bedrock demands, with as little as can be said."""
    if not turns:
        raise InvalidRequest("'messages' says nothing.", code="empty_array", param="messages")
    if turns[0].role != "user":
        losses.change(turns[0].at, "first", "second")
        turns.insert(0, Turn("user", turns[0].at))
        turns[0].parts.append(Text("."))


def _check(turns: Sequence[Turn]) -> None:
    """Raise `InvalidRequest` unless every call has one result, in the turn after it."""
    waiting: dict[str, ToolCall] = {}
    for turn in turns:
        if turn.role == "user":
            turn.parts.sort(key=lambda part: not isinstance(part, ToolResult))
            for part in turn.parts:
                if isinstance(part, ToolResult) and waiting.pop(part.call, None) is None:
                    raise InvalidRequest(
                        f"'{part.at}' is a result of the call '{part.call}', which the turn before "
                        "it did not make or which has one already.",
                        code="unexpected_tool_result",
                        param=part.at,
                    )
        for call in waiting.values():
            raise InvalidRequest(
                f"'{call.at}' is a call without its result, which must come right after it.",
                code="missing_tool_result",
                param=call.at,
            )
        if turn.role == "assistant":
            waiting = {part.id: part for part in turn.parts if isinstance(part, ToolCall)}
