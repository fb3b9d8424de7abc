"""Watches a stream of ConverseStream: binary messages in, server-sent events out.

The vendor's framing: docs.aws.amazon.com/transcribe/latest/dg/event-stream.html (2026-11), decoded
and checked by botocore. Beyond the socket nothing is binary: each message goes on as a server-sent
event of the same name and JSON, an exception of the vendor's as ``exception`` with its type. The
events: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.eventstream import EventStreamBuffer, ParserError  # type: ignore[import-untyped]
from msgspec import Raw

from gomodel_proxy.wire import json, sse

from .reader import EXCEPTION
from .usage import read_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["StreamMeter"]

_BROKEN: Final = (ParserError, LookupError, ValueError, struct.error)


class _Event(msgspec.Struct, gc=False):
    usage: Raw = json.NULL
    message: Any = None


_decode: Final = msgspec.json.Decoder(_Event).decode


class StreamMeter:
    """A `Meter`: complete with ``messageStop``; usage comes after it, in ``metadata``."""

    __slots__ = (
        "_broken",
        "_buffer",
        "_stopped",
        "_usage",
        "created",
        "error",
        "events",
        "pending",
        "reported",
    )

    def __init__(self) -> None:
        self._buffer = EventStreamBuffer()
        self._broken = False
        self._stopped = False
        self._usage = b""
        self.created: tuple[str, ...] = ()
        self.error: str | None = None
        self.events = 0
        self.pending = 0
        self.reported = False

    def feed(self, data: bytes) -> bytes:
        """Take what arrived, return the events of the messages that are whole."""
        if self._broken:
            return b""
        self._buffer.add_data(data)
        self.pending += len(data)
        kept: list[bytes] = []
        try:
            for message in self._buffer:
                self.pending -= message.prelude.total_length
                kept.append(self._take(message.headers, message.payload))
        except _BROKEN as error:
            self._break(f"The provider's stream is broken: {error}")
        return b"".join(kept)

    def close(self, *, framed: bool) -> tuple[bytes, bool]:
        """Return no more bytes, and whether the stream ended as it should."""
        if self.pending and framed and self.error is None:
            self._break("The provider's stream ended inside a message.")
        return b"", self._stopped and self.error is None

    def usage(self) -> Usage | None:
        """Return the usage that the stream reported, if it did."""
        return read_usage(self._usage) if self._usage else None

    def _take(self, headers: dict[str, Any], payload: bytes) -> bytes:
        kind = headers.get(":message-type", "event")
        if kind != "event":
            return self._report(headers, payload)
        name = headers.get(":event-type", "")
        event = _decode(payload)
        if name == "contentBlockDelta":
            self.events += 1
        elif name == "messageStop":
            self._stopped = True
        elif name == "metadata" and event.usage != json.NULL:
            self._usage = bytes(event.usage)
        return sse.event(_line(payload), name)

    def _report(self, headers: dict[str, Any], payload: bytes) -> bytes:
        """Note the vendor's own error, which goes on to the caller."""
        type_ = str(headers.get(":exception-type") or headers.get(":error-code") or EXCEPTION)
        message = headers.get(":error-message")
        if payload:
            message = _decode(payload).message or message
        self.error = str(message or f"The provider failed: {type_}.")
        self.reported = True
        return sse.event(json.encode({"type": type_, "message": self.error}), EXCEPTION)

    def _break(self, fault: str) -> None:
        self._broken = True
        if self.error is None:
            self.error = fault


def _line(payload: bytes) -> bytes:
    """Return JSON on one line, as an event's data must be."""
    if b"\n" in payload or b"\r" in payload:
        return msgspec.json.format(payload, indent=-1)
    return payload
