"""Whether tool results answer calls that were made: vendors refuse a history in which they do not.

To be asked by dialects that send the whole history with every request.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api.chat import Message

__all__ = ["refuse_orphans"]


def refuse_orphans(messages: Iterable[Message]) -> None:
    """Raise `InvalidRequest` that names the first tool result without a call of its own before it.

    An id may be used again once its call has its result: some vendors count from 0 in each turn.
    """
    waiting: Counter[str] = Counter()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                waiting[part.id] += 1
            elif isinstance(part, ToolResult):
                if not waiting.get(part.call):
                    raise _orphan(part, again=part.call in waiting)
                waiting[part.call] -= 1


def _orphan(result: ToolResult, *, again: bool) -> InvalidRequest:
    why = "has a result already" if again else "nothing before it makes"
    return InvalidRequest(
        f"'{result.at}' is the result of '{result.call}', a call that {why}.",
        code="tool_result_without_call",
        param=result.at,
    )
