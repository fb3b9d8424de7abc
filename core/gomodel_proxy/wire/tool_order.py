"""Whether tool results answer calls that were made: vendors refuse a history in which they do not.

To be asked by dialects that send the whole history with every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api.chat import Message

__all__ = ["refuse_orphans"]


def refuse_orphans(messages: Iterable[Message]) -> None:
    """Raise `InvalidRequest` that names the first tool result without a call before it."""
    called = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                called.add(part.id)
            elif isinstance(part, ToolResult) and part.call not in called:
                raise InvalidRequest(
                    f"'{part.at}' is the result of '{part.call}', a call that nothing before it "
                    "makes.",
                    code="tool_result_without_call",
                    param=part.at,
                )
