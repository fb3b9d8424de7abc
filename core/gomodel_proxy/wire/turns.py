"""Turns, for dialects in which two sides alternate and all results of a turn's calls come next.

A message is not a turn: several in a row may be one, and one that says nothing is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Part, Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Message

__all__ = ["Turn", "extend", "is_proven", "pair_up", "worded"]

_SIDES: Final = {"assistant": "assistant", "user": "user", "tool": "user"}


class Turn:
    """Everything that one side said before the other did."""

    __slots__ = ("at", "parts", "role")

    def __init__(self, role: str, at: str, parts: Iterable[Part] = ()) -> None:
        self.role = role
        self.at = at
        self.parts = [*parts]


def worded(message: Message, losses: Losses) -> list[Part]:
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


def _mark(parts: list[Part], message: Message, losses: Losses) -> None:
    """Put a message's caching mark on its last part, which means the same."""
    last = parts[-1] if parts else None
    if last is not None and hasattr(last, "cache"):
        last.cache = last.cache or message.cache
    else:
        losses.drop(message.at, "cache_control")


def extend(turns: list[Turn], message: Message, parts: list[Part]) -> None:
    """Add what a message says to the last turn if its side goes on speaking, else as a new one."""
    role = _SIDES[message.role]
    if parts and (not turns or turns[-1].role != role):
        turns.append(Turn(role, message.at))
    if parts:
        turns[-1].parts += parts


def pair_up(turns: Iterable[Turn], *, unanswered: bool) -> None:
    """Put results first in their turns.

    Raises `InvalidRequest` unless every call has one result, in the turn after it; with
    ``unanswered``, calls in the last turn need none yet.
    """
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
        _answered(waiting)
        if turn.role == "assistant":
            waiting = {part.id: part for part in turn.parts if isinstance(part, ToolCall)}
    if not unanswered:
        _answered(waiting)


def is_proven(turns: Sequence[Turn]) -> bool:
    """Return whether the calls whose results come last followed a thought that has its proof."""
    if not turns or not any(isinstance(part, ToolResult) for part in turns[-1].parts):
        return True
    for turn in reversed(turns):
        if turn.role == "assistant" and any(isinstance(part, ToolCall) for part in turn.parts):
            first = turn.parts[0]
            return isinstance(first, Reasoning) and (first.redacted or bool(first.signature))
    return True


def _answered(waiting: dict[str, ToolCall]) -> None:
    for call in waiting.values():
        raise InvalidRequest(
            f"'{call.at}' is a call without its result, which must come right after it.",
            code="missing_tool_result",
            param=call.at,
        )
