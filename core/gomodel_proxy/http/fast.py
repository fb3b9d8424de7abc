"""The fast lane: one strict shape of request on the hot routes, answered without aiohttp."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Mapping

    from gomodel_proxy.api import Exchange, Headers

    from .outbox import Outbox

__all__ = ["FastSink", "match"]

# POST, a plain path, and well-formed headers; anything else is aiohttp's to judge.
_HEAD: Final = re.compile(
    rb"POST (/[0-9A-Za-z/_.\-]+) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[^\x00-\x08\x0a-\x1f\x7f]*\r\n)+)\Z"
)
_LENGTH: Final = re.compile(rb"\r\n[Cc]ontent-[Ll]ength:[ \t]*(\d{1,12})\r\n")
_UNUSUAL: Final = frozenset({"transfer-encoding", "expect", "upgrade", "content-encoding"})
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_STATUS: Final = {status: f"HTTP/1.1 {status} {phrase}\r\n" for status, phrase in _REASONS.items()}


# Heads without their Content-Length → what they say: a client sends the same lines every time.
_heads: dict[bytes, tuple[str, Mapping[str, str]]] = {}
_HEADS_LIMIT: Final = 1024
_HEAD_LIMIT: Final = 4096


def match(head: bytes, limit: int) -> tuple[str, Mapping[str, str], int] | None:
    """Return path, headers and body length of a head (with its last line end) of the strict shape.

    None hands the request to aiohttp: no JSON, a framing other than one Content-Length within
    ``limit``, a repeated header, an upgrade, a closing connection. The headers are without
    Content-Length, and shared between equal heads.
    """
    length = _LENGTH.search(head)
    if length is None or (size := int(length[1])) > limit:
        return None
    rest = head[: length.start(1)] + head[length.end(1) :]
    known = _heads.get(rest)
    if known is None:
        known = _parse(head)
        if known is None:
            return None
        if len(rest) <= _HEAD_LIMIT:
            if len(_heads) >= _HEADS_LIMIT:
                _heads.clear()
            _heads[rest] = known
    return known[0], known[1], size


def _parse(head: bytes) -> tuple[str, Mapping[str, str]] | None:
    found = _HEAD.match(head)
    if found is None:
        return None
    lines = found[2].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
    if len(headers) != len(lines):
        return None
    del headers[""]
    if not headers.pop("content-length", "").isdecimal():
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive" or "host" not in headers:
        return None
    if headers.get("content-type", "")[:16].lower() != "application/json":
        return None
    if not _UNUSUAL.isdisjoint(headers):
        return None
    return found[1].decode("latin-1"), MappingProxyType(headers)


class _Clock:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        second = int(time())
        if second != self._second:
            self._second = second
            self._line = f"date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


_clock = _Clock()


def render(status: int, headers: Headers, framing: str) -> bytes:
    """Return a response head with its empty line. There must be a header."""
    fields = "\r\n".join(map(": ".join, headers))
    first = _STATUS.get(status) or f"HTTP/1.1 {status} \r\n"
    date = "" if "date: " in fields else _clock.line()  # a false alarm only leaves it out
    return f"{first}{fields}\r\n{date}{framing}".encode("latin-1", "replace")


class FastSink:
    """Writes one answer to the client's transport: a whole one at the end of the loop's turn."""

    __slots__ = (
        "_ending",
        "_exchange",
        "_finish",
        "_keep",
        "_outbox",
        "_paused",
        "_pending",
        "_transport",
        "started",
    )

    def __init__(
        self,
        transport: Transport,
        outbox: Outbox[FastSink],
        finish: Callable[[bool], None],
        keep: bool,
    ) -> None:
        self._transport = transport
        self._outbox = outbox
        self._finish = finish
        self._keep = keep
        self._ending = "" if keep else "connection: close\r\n"
        self._exchange: Exchange | None = None
        self._paused = False
        self._pending = b""
        self.started = False

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Write a whole answer."""
        self.started = True
        framing = f"{self._ending}content-length: {len(body)}\r\n\r\n"
        self._put(render(status, headers, framing) + body)
        self._finish(self._keep)

    def start(self, status: int, headers: Headers) -> None:
        """Write the head of a streamed answer."""
        self.started = True
        self._outbox.flush()  # answers before this one are out before its first chunk
        framing = f"{self._ending}transfer-encoding: chunked\r\n\r\n"
        self._put(render(status, headers, framing))

    def write(self, data: bytes) -> None:
        """Write one chunk."""
        if data:
            self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Write the last chunk."""
        self._send(b"0\r\n\r\n")
        self._finish(self._keep)

    def _put(self, data: bytes) -> None:
        self._pending = data
        self._outbox.put(self)

    def _send(self, data: bytes) -> None:
        """Write now: an event is mostly alone in its turn, and would wait for nobody."""
        pending, self._pending = self._pending, b""
        if not self._transport.is_closing():
            self._transport.write(pending + data)

    def flush(self) -> None:
        """Write what has come up, unless the client has gone."""
        data, self._pending = self._pending, b""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def throttle(self, exchange: Exchange | None) -> None:
        """Pause this exchange while the transport's buffer is full."""
        self._exchange = exchange
        if exchange is not None and self._paused:
            exchange.pause()

    def full(self) -> None:
        """The transport's buffer has filled."""
        self._paused = True
        if self._exchange is not None:
            self._exchange.pause()

    def drained(self) -> None:
        """The transport's buffer has emptied."""
        self._paused = False
        if self._exchange is not None:
            self._exchange.resume()
