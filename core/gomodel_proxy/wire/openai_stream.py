"""What the meters of OpenAI's streams share: cutting, passing on, and when to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gomodel_proxy.api import UpstreamError

from . import json, sse
from .openai_failure import read_failure

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["DONE", "STRICT", "StreamMeter"]

DONE = b"[DONE]"
STRICT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on data that a client's decoder may still take."""


class StreamMeter:
    """Passes whole events, unchanged, up to the first that makes no sense; a `Meter`.

    Dialects add `_take`, which reads an event's data and returns whether it goes on, and
    `_ending`, which says how a stream without a fault ended.
    """

    __slots__ = ("_broken", "_cutter", "created", "error", "events", "reported")

    def __init__(self) -> None:
        self._cutter = sse.Cutter()
        self._broken = False
        self.events = 0
        self.error: str | None = None
        self.reported = False
        self.created: tuple[str, ...] = ()

    @property
    def pending(self) -> int:
        """Bytes held back because their event is not complete."""
        return self._cutter.pending

    def feed(self, data: bytes) -> bytes:
        """Take what arrived, return the events that may go on."""
        if self._broken:
            return b""
        kept = []
        for event, name, content in self._cutter.feed(data):
            if self._take(name, content) if content else self._skip(event, content):
                kept.append(event)
            elif self._broken:
                break
        return kept[0] if len(kept) == 1 else b"".join(kept)

    def close(self, *, framed: bool) -> tuple[bytes, bool]:
        """Return the last bytes, and whether the stream ended as the dialect demands.

        A stream with an error in it did not.
        """
        tail = self._tail(framed)
        if self.error is not None:
            return tail, False
        missing, clean = self._ending(framed)
        return tail + missing, clean

    def usage(self) -> Usage | None:
        """Return the usage that the stream reported, if it did."""
        raise NotImplementedError

    def _take(self, name: bytes, data: bytes) -> bool:
        raise NotImplementedError

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        raise NotImplementedError

    def _skip(self, event: bytes, data: bytes | None) -> bool:
        """Let pass what has nothing to read, such as a comment, unless it is no event at all."""
        if data is None and not sse.is_noise(event):
            return self._break("The provider's stream holds what is no event", event)
        return True

    def _tail(self, framed: bool) -> bytes:
        """Return the unfinished event, if all of it but its blank line has come."""
        tail = self._cutter.close()
        if self._broken or not tail:
            return b""
        _, name, data = sse.parse(tail)
        if data and (data == DONE or _is_object(data)):
            return tail if self._take(name, data) else b""
        if framed and (data or not sse.is_noise(tail)):
            self._break("The provider's stream ended inside an event", tail)
        return b""

    def _break(self, fault: str, data: bytes = b"") -> bool:
        """Stop passing. What the vendor itself reported before stays the error."""
        self._broken = True
        if self.error is None:
            self.error = f"{fault}: {json.excerpt(data)}" if data else f"{fault}."
        return False

    def _malformed(self, data: bytes) -> bool:
        return self._break("The provider's stream holds an event that is not a JSON object", data)

    def _report(self, data: bytes) -> bool:
        """Note the vendor's own error, which goes on to the caller."""
        if self.error is None:
            self.error = read_failure(UpstreamError.status, (), data).message
            self.reported = True
        return True


def _is_object(data: bytes) -> bool:
    try:
        json.members(data)
    except ValueError:
        return False
    return True
