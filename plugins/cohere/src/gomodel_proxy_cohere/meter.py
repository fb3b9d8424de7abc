"""Watches a stream of Cohere's chat: docs.cohere.com/docs/streaming (2026-11).

It is complete with ``message-end``, which has the reason and the usage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_stream import DONE, STRICT, StreamMeter

from .events import Delta, decode_event
from .replies import FAILED
from .usage import read_chat_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["ChatMeter"]

_CONTENT: Final = frozenset({"content-delta", "tool-call-delta", "tool-plan-delta"})


class ChatMeter(StreamMeter):
    """Passes whole events, up to the first that makes no sense."""

    __slots__ = ("_complete", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._complete = False
        self._usage = b""

    def usage(self) -> Usage | None:
        """Return the usage at the end of the message."""
        return read_chat_usage(self._usage) if self._usage else None

    def _take(self, name: bytes, data: bytes) -> bool:
        try:
            event = decode_event(data)
        except STRICT:
            if data.startswith(DONE):
                return True
            return self._malformed(data)
        kind = event.type
        if kind in _CONTENT:
            self.events += 1
        elif kind == "message-end":
            self._end(event.delta or Delta())
        elif not kind and event.message is not None:
            self._report(data)
        return True

    def _end(self, delta: Delta) -> None:
        if delta.usage != json.NULL:
            self._usage = bytes(delta.usage)
        if delta.error is not None or delta.finish_reason in FAILED:
            self.error = delta.error or f"The provider ended with {delta.finish_reason}."
            self.reported = True
        else:
            self._complete = delta.finish_reason is not None

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        # Without a reason nobody can tell a whole answer from half of one, framed or not.
        return b"", self._complete
