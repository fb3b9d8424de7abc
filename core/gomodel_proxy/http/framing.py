"""Where requests begin and end in a client's bytes, and what is wrong with them.

Pure: it judges and counts, and changes nothing. Parsing for real is aiohttp's; this exists so that
limits hold and broken requests are answered in the caller's dialect.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gomodel_proxy.api import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Framer", "Head", "Limit", "check_unfinished", "parse_head", "too_large"]

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE: Final = re.compile(rb"(" + _TOKEN + rb") ([^\x00-\x20\x7f]+) HTTP/(\d\.\d)\Z")
_FIELD: Final = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)\Z")
_DIGITS: Final = re.compile(r"\d{1,18}\Z")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\Z")
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_MAX_TARGET: Final = 8190
_MAX_FIELDS: Final = 128
_MAX_CHUNK_LINE: Final = 1024
_NONE: Final[Mapping[str, Limit]] = {}


class Head:
    """A request's head: method, target, and headers by lower-case name."""

    __slots__ = ("chunked", "headers", "length", "method", "repeated", "target", "version")

    def __init__(self, method: str, target: str, version: str) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers: dict[str, str] = {}
        self.repeated = False
        self.length = 0
        self.chunked = False

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def parse_head(data: bytes) -> Head:
    """Return the head in ``data`` (without the empty line); raises `InvalidRequest`."""
    lines = data.split(b"\r\n")
    first = _LINE.match(lines[0])
    if first is None:
        raise InvalidRequest("The request line is not HTTP.", code="bad_request_line")
    method, target, version = (part.decode("latin-1") for part in first.groups())
    if version not in ("1.1", "1.0"):
        raise InvalidRequest(f"HTTP/{version} is not spoken here.", code="http_version", status=505)
    if method not in _METHODS:
        raise InvalidRequest(
            f"The method {method[:20]} is not served.", code="method_not_allowed", status=405
        )
    if not target.startswith("/") or not target.isascii():
        raise InvalidRequest("The request's target is no path.", code="bad_request_line")
    if len(target) > _MAX_TARGET:
        raise InvalidRequest("The request's path is too long.", code="uri_too_long", status=414)
    if len(lines) - 1 > _MAX_FIELDS:
        raise InvalidRequest(
            f"More than {_MAX_FIELDS} header lines.", code="headers_too_large", status=431
        )
    head = Head(method, target, version)
    for line in lines[1:]:
        field = _FIELD.match(line)
        if field is None:
            raise InvalidRequest("A header line is malformed.", code="bad_header")
        name = field[1].decode("latin-1").lower()
        value = field[2].rstrip(b" \t").decode("latin-1")
        if name in head.headers:
            head.repeated = True
            if name in ("content-length", "transfer-encoding", "host", "authorization"):
                raise InvalidRequest(f"The header '{name}' stands there twice.", code="bad_header")
        head.headers[name] = value
    if version == "1.1" and "host" not in head.headers:
        raise InvalidRequest("HTTP/1.1 demands a Host header.", code="bad_header")
    if head.headers.get("expect", "100-continue").lower() != "100-continue":
        raise InvalidRequest("Only 'Expect: 100-continue' is met.", code="expectation", status=417)
    _frame(head)
    return head


def _frame(head: Head) -> None:
    """Set how the body is framed."""
    length = head.headers.get("content-length")
    coding = head.headers.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise InvalidRequest(
                "Content-Length and Transfer-Encoding together are ambiguous.", code="bad_framing"
            )
        if coding.lower() != "chunked" or head.version == "1.0":
            raise InvalidRequest(
                f"Transfer-Encoding '{coding[:40]}' is not taken.", code="bad_framing"
            )
        head.chunked = True
    elif length is not None:
        if not _DIGITS.match(length):
            raise InvalidRequest("Content-Length is no number.", code="bad_framing")
        head.length = int(length)


class Limit(NamedTuple):
    """How long a body may be, and the setting that says so."""

    size: int
    setting: str = "server.body_limit"

    def exceeded(self) -> InvalidRequest:
        """Return the error for a body over the limit."""
        return too_large(self.size, self.setting)


class Framer:
    """Follows one connection's requests; `feed` raises `InvalidRequest` on what is wrong.

    ``uploads`` are the paths that have a limit of their own.
    """

    __slots__ = (
        "_body_limit",
        "_buffer",
        "_head_limit",
        "_left",
        "_limit",
        "_step",
        "_total",
        "_uploads",
        "head",
    )

    def __init__(
        self, head_limit: int, body_limit: int, uploads: Mapping[str, Limit] = _NONE
    ) -> None:
        self._head_limit = head_limit
        self._body_limit = self._limit = Limit(body_limit)
        self._uploads = uploads
        self._buffer = b""
        self._left = 0
        self._total = 0
        self._step: Callable[[bytes], bytes | None] = self._at_head
        self.head: Head | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing of a next request has come yet."""
        return self._step == self._at_head and not self._buffer

    @property
    def in_body(self) -> bool:
        """Whether a body has begun and not ended."""
        return self._step != self._at_head

    def feed(self, data: bytes) -> None:
        """Follow these bytes."""
        rest: bytes | None = self._buffer + data if self._buffer else data
        while rest:
            self._buffer = rest
            rest = self._step(rest)
        if rest is not None:
            self._buffer = b""

    def _at_head(self, buffer: bytes) -> bytes | None:
        """Wait for a whole head; None asks for more bytes."""
        start = 2 if buffer.startswith(b"\r\n") else 0  # tolerated (RFC 9112 §2.2)
        end = buffer.find(b"\r\n\r\n", start)
        if end < 0 or end > self._head_limit:
            check_unfinished(buffer[start:], self._head_limit)
            return None
        head = self.head = parse_head(buffer[start:end])
        self._limit = self._uploads.get(head.path, self._body_limit)
        if head.length > self._limit.size:
            raise self._limit.exceeded()
        self._total = 0
        self._left = head.length
        if head.chunked:
            self._step = self._at_chunk
        elif head.length:
            self._step = self._in_length
        return buffer[end + 4 :]

    def _in_length(self, buffer: bytes) -> bytes | None:
        taken = min(self._left, len(buffer))
        self._left -= taken
        if not self._left:
            self._step = self._at_head
        return buffer[taken:]

    def _at_chunk(self, buffer: bytes) -> bytes | None:
        line, rest = self._line(buffer)
        if rest is None:
            return None
        size = _CHUNK.match(line)
        if size is None:
            raise InvalidRequest("A chunk's size is no number.", code="bad_framing")
        self._left = int(size[1], 16)
        self._total += self._left
        if self._total > self._limit.size:
            raise self._limit.exceeded()
        self._step = self._in_chunk if self._left else self._in_trailer
        return rest

    def _in_chunk(self, buffer: bytes) -> bytes | None:
        if len(buffer) <= self._left:
            self._left -= len(buffer)
            return b""
        if len(buffer) < self._left + 2:
            return None
        if buffer[self._left : self._left + 2] != b"\r\n":
            raise InvalidRequest("A chunk is longer than it says.", code="bad_framing")
        rest = buffer[self._left + 2 :]
        self._step = self._at_chunk
        return rest

    def _in_trailer(self, buffer: bytes) -> bytes | None:
        line, rest = self._line(buffer)
        if rest is not None and not line:
            self._step = self._at_head
        return rest

    @staticmethod
    def _line(buffer: bytes) -> tuple[bytes, bytes | None]:
        end = buffer.find(b"\r\n", 0, _MAX_CHUNK_LINE + 2)
        if end < 0:
            if len(buffer) > _MAX_CHUNK_LINE:
                raise InvalidRequest("A line inside the body is too long.", code="bad_framing")
            return b"", None
        return buffer[:end], buffer[end + 2 :]


def check_unfinished(buffer: bytes, limit: int) -> None:
    """Raise if a head that is not complete can no longer become a good one."""
    line = buffer.find(b"\r\n")
    if line < 0 and len(buffer) > _MAX_TARGET + 64:
        raise InvalidRequest("The request line is too long.", code="uri_too_long", status=414)
    if len(buffer) > limit:
        raise InvalidRequest(
            f"The headers are longer than {limit} bytes (server.head_limit).",
            code="headers_too_large",
            status=431,
        )
    if line >= 0:
        if _LINE.match(buffer[:line]) is None:
            raise InvalidRequest("The request line is not HTTP.", code="bad_request_line")
    elif b"\n" in buffer or b"\0" in buffer:
        raise InvalidRequest("The request line is not HTTP.", code="bad_request_line")
    if b"\n\n" in buffer or b"\0" in buffer:
        raise InvalidRequest("A header line is malformed.", code="bad_header")


def too_large(limit: int, setting: str = "server.body_limit") -> InvalidRequest:
    """Return the error for a body over the limit."""
    return InvalidRequest(
        f"The body is longer than {limit} bytes ({setting}).",
        code="request_too_large",
        status=413,
    )
