"""From messages of any order to Anthropic's turns, and whether calls and results pair up.

platform.claude.com/docs/en/agents-and-tools/tool-use (2026-11): the results of all calls of a turn
stand first in the turn after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Part, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    messages: Iterable[Message], losses: Losses, *, system_turns: bool
) -> tuple[list[Part], list[Turn]]:
    """Return the system prompt and the turns; raises `InvalidRequest` for impossible orders.

    ``system_turns`` says whether the model takes a system message after a user's turn; otherwise
    one goes to the system prompt, which is noted.
    """
    system: list[Part] = []
    turns: list[Turn] = []
    for message in messages:
        parts = _worded(message, losses)
        if message.role in ("system", "developer"):
            if turns and system_turns and turns[-1].role == "user":
                turns.append(Turn("system", message.at))
                turns[-1].parts = parts
                continue
            if turns:
                losses.change(message.at, "mid-conversation", "leading")
            system += parts
            continue
        role = _ROLES[message.role]
        if parts and (not turns or turns[-1].role != role):
            turns.append(Turn(role, message.at))
        if parts:
            turns[-1].parts += parts
    for turn in turns:
        turn.parts.sort(key=lambda part: not isinstance(part, ToolResult))
    _check(turns)
    return system, turns


def _worded(message: Message, losses: Losses) -> list[Part]:
    """Return the parts that say something; a message's own members have no place in a turn."""
    if message.name is not None:
        losses.drop(message.at, "name")
    if message.item is not None:
        losses.drop(message.at, "id")
    if message.status is not None:
        losses.drop(message.at, "status")
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


def _check(turns: Sequence[Turn]) -> None:
    """Raise `InvalidRequest` unless every call has one result, in the turn after it."""
    waiting: dict[str, ToolCall] = {}
    for turn in turns:
        if turn.role == "user":
            for part in turn.parts:
                if isinstance(part, ToolResult) and waiting.pop(part.call, None) is None:
                    raise InvalidRequest(
                        f"'{part.at}' is a result of the call '{part.call}', which the turn before "
                        "it did not make or which has one already.",
                        code="unexpected_tool_result",
                        param=part.at,
                    )
        _answered(waiting)
        if turn.role == "assistant":
            waiting = {part.id: part for part in turn.parts if isinstance(part, ToolCall)}
    _answered(waiting)


def _answered(waiting: dict[str, ToolCall]) -> None:
    for call in waiting.values():
        raise InvalidRequest(
            f"'{call.at}' is a call without its result, which must come right after it.",
            code="missing_tool_result",
            param=call.at,
        )
