"""Responses of HTTP/1.1, read as they come (RFC 9112)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from gomodel_proxy.api.errors import UpstreamError

from .chunks import Chunks
from .codings import Inflater, inflater
from .heads import HEAD_LIMIT, Head, parse_head

if TYPE_CHECKING:
    from gomodel_proxy.api.values import Headers

__all__ = ["ResponseParser", "Sink"]

_INTERIM_LIMIT: Final = 100


class Sink(Protocol):
    """Takes what is read; the successful part of `api.Receiver`."""

    def head(self, status: int, headers: Headers) -> None:
        """The final status and headers."""

    def data(self, data: bytes) -> None:
        """A piece of the decoded body, never empty."""

    def end(self, framed: bool) -> None:
        """The body is over."""


class ResponseParser:
    """Reads one response and hands it to a sink, one `data` per read where nothing is inflated.

    `feed` and `eof` raise `UpstreamError` for what is no proper response; the parser is of no
    more use then. ``started`` once a byte has come, ``answered`` once the final head has,
    ``complete`` once the body has (though perhaps not been inflated), ``over`` after the last call
    of the sink. From then on, and within that call, ``reusable`` says whether the connection can
    carry another exchange, and ``keep_for`` for how many seconds, if the server said so.
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_framed",
        "_inflater",
        "_interim",
        "_left",
        "_method",
        "_paused",
        "_pulling",
        "_sink",
        "answered",
        "complete",
        "keep_for",
        "over",
        "reusable",
        "started",
    )

    def __init__(self, sink: Sink, method: str = "POST") -> None:
        self._sink = sink
        self._method = method
        self._buffer = b""
        self._interim = 0
        self._left: int | None = None  # of Content-Length; None: until the connection closes
        self._chunks: Chunks | None = None
        self._inflater: Inflater | None = None
        self.complete = False
        self._framed = True
        self._paused = False
        self._pulling = False
        self.started = False
        self.answered = False
        self.over = False
        self.reusable = False
        self.keep_for: int | None = None

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self.started = True
        if self.complete or self.over:
            self.reusable = False  # nobody asked for these bytes
            return
        if not self.answered:
            data = self._heads(data)
            if not self.answered or self.over:
                return
        self._body(data)

    def eof(self) -> None:
        """Note that the connection was closed in good order."""
        self.reusable = False
        if self.complete or self.over:
            return
        if not self.answered:
            raise UpstreamError("the upstream closed the connection within the head of its answer")
        if self._chunks is not None or self._left is not None:
            raise UpstreamError("the upstream closed the connection within its answer")
        self.complete, self._framed = True, False
        self._emit(b"")

    def pause(self) -> None:
        """Inflate no more until `resume`; what needs no inflating is still delivered."""
        self._paused = True

    def resume(self) -> None:
        """Deliver what `pause` held back; raises like `feed`."""
        self._paused = False
        if self.answered and not self._pulling:
            self._emit(b"")

    def stop(self) -> None:
        """Deliver nothing more."""
        self.over = True

    def _heads(self, data: bytes) -> bytes:
        """Read interim heads and the final one; return the bytes after it."""
        seen = 0
        if self._buffer:
            seen = max(0, len(self._buffer) - 2)  # the blank line cannot begin before
            data, self._buffer = self._buffer + data, b""
        while not self.answered:
            end, body = _blank_line(data, seen)
            if end > HEAD_LIMIT or (end < 0 and len(data) > HEAD_LIMIT):
                raise UpstreamError("the upstream's answer has a head of more than 64 KiB")
            if end < 0:
                self._buffer = data
                return b""
            head = parse_head(data[:end])
            data, seen = data[body:], 0
            if head.status >= 200:
                self._begin(head)
            elif head.status == 101 or self._interim == _INTERIM_LIMIT:
                raise UpstreamError(f"the upstream answered {head.status}, which nobody asked for")
            else:
                self._interim += 1
        return data

    def _begin(self, head: Head) -> None:
        if self._method == "HEAD" or head.status in (204, 304):
            self._left = 0
        else:
            self._left = head.length
            self._chunks = Chunks() if head.chunked else None
            self._inflater = inflater(head.coding) if head.coding else None
        self.keep_for = head.keep_for
        self.reusable = head.keep_alive and (head.chunked or self._left is not None)
        self.answered = True
        self._sink.head(head.status, head.headers)

    def _body(self, data: bytes) -> None:
        left, chunks = self._left, self._chunks
        if chunks is not None:
            data = chunks.feed(data)
            self.complete = chunks.over
            if chunks.surplus:
                self.reusable = False
        elif left is not None:
            left -= len(data)
            if left < 0:
                data, self.reusable = data[:left], False
                left = 0
            self._left = left
            self.complete = left == 0
        self._emit(data)

    def _emit(self, data: bytes) -> None:
        if self._inflater is not None:
            self._inflate(self._inflater, data)
            return
        if data and not self.over:
            self._sink.data(data)
        if self.complete and not self.over:
            self.over = True
            self._sink.end(self._framed)

    def _inflate(self, inflater: Inflater, data: bytes) -> None:
        inflater.push(data)
        self._pulling = True
        while not self._paused and not self.over:
            piece = inflater.pull()
            if not piece:
                self._inflated(inflater)
                break
            self._sink.data(piece)
        self._pulling = False

    def _inflated(self, inflater: Inflater) -> None:
        if self.complete:
            inflater.finish()
            self.over = True
            self._sink.end(self._framed)


def _blank_line(data: bytes, start: int) -> tuple[int, int]:
    """Return where a head ends and where what follows begins, (-1, -1) if it is not all there."""
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, crlf if crlf >= 0 else len(data))
    if bare >= 0:
        return bare + 1, bare + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (-1, -1)
