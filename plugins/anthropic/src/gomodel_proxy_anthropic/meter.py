"""Watches a Messages stream: platform.claude.com/docs/en/build-with-claude/streaming (2026-11).

``message_start``, the content blocks one after the other, ``message_delta`` with the stop reason
and the usage, ``message_stop``; ``ping`` anywhere, ``error`` instead of an end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.wire import json, sse
from gomodel_proxy.wire.openai_stream import DONE, STRICT, StreamMeter

from .usage import merge_usage, read_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["MessageMeter"]

_STOP: Final = sse.event(b'{"type":"message_stop"}', "message_stop")


class _Container(msgspec.Struct, gc=False):
    id: str | None = None


class _Message(msgspec.Struct, gc=False):
    usage: Raw = json.NULL
    container: _Container | None = None


class _Delta(msgspec.Struct, gc=False):
    stop_reason: str | None = None
    container: _Container | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    message: _Message | None = None
    delta: _Delta | None = None
    usage: Raw = json.NULL


_decode: Final = msgspec.json.Decoder(_Event).decode


class MessageMeter(StreamMeter):
    """Passes whole events; complete with ``message_stop``, which is added after a stop reason."""

    __slots__ = ("_complete", "_stopped", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._complete = False
        self._stopped = False
        self._usage = b""

    def usage(self) -> Usage | None:
        """Return the usage as the last event left it; before the end, output is a guess."""
        usage = read_usage(self._usage) if self._usage else None
        if usage is None or self._stopped or self._complete:
            return usage
        output = max(usage.output or 0, self.events)
        return msgspec.structs.replace(usage, output=output, provenance="partial")

    def _take(self, name: bytes, data: bytes) -> bool:
        try:
            event = _decode(data)
        except STRICT:
            if data.startswith(DONE):
                return True  # not part of these streams, but some servers end all theirs with it
            return self._malformed(data)
        kind = event.type or name.decode("utf-8", "replace")
        if kind == "content_block_delta":
            self.events += 1
        elif kind == "message_start" and event.message is not None:
            self._count(event.message.usage)
            self._own(event.message.container)
        elif kind == "message_delta":
            self._count(event.usage)
            if event.delta is not None:
                self._stopped = self._stopped or event.delta.stop_reason is not None
                self._own(event.delta.container)
        elif kind == "message_stop":
            self._complete = True
        elif kind == "error":
            self._report(data)
        return True

    def _count(self, usage: Raw) -> None:
        if json.kind(usage) == "object":
            self._usage = merge_usage(self._usage, bytes(usage))

    def _own(self, container: _Container | None) -> None:
        if container is not None and container.id:
            self.created = (f"container:{container.id}",)

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        # Without a stop reason nobody can tell a whole answer from half of one, framed or not.
        if self._complete or not self._stopped:
            return b"", self._complete
        return _STOP, True
