"""Heads of HTTP/1.1 messages: a response's is read, a request's is written (RFC 9110, 9112)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from gomodel_proxy.api.errors import UpstreamError, UpstreamUnreachable

if TYPE_CHECKING:
    from gomodel_proxy.api.values import Headers

__all__ = ["HEAD_LIMIT", "Address", "Head", "parse_head", "render_fields", "render_head", "split"]

HEAD_LIMIT: Final = 64 * 1024
_LINE_LIMIT: Final = 16 * 1024
_COUNT_LIMIT: Final = 256
_NAMES_LIMIT: Final = 2048
_LINES_LIMIT: Final = 4096
_LINE_KEPT: Final = 128  # characters; longer lines are seldom the same

_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[^\r\n\0]*")
_TARGET = re.compile(r"[!-~]+")
_DIGITS = re.compile(r"[0-9]{1,18}")  # more are beyond any real body
_TIMEOUT = re.compile(r"timeout=([0-9]{1,6})\b", re.IGNORECASE)
_FRAMING: Final = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_OURS: Final = frozenset({"content-length", "transfer-encoding"})

# Header names as they were written → lower case. A look-up is several times cheaper than checking
# and lowering, and vendors use few names; a flood of new ones only empties the table.
_names: dict[str, str] = {}


class _Lines(dict[str, tuple[str, str]]):
    """Header lines as they were written → name and value; vendors send the same ones again."""

    def __missing__(self, line: str) -> tuple[str, str]:
        written, colon, value = line.partition(":")
        name = _names.get(written) or _learn(written)
        if not name or not colon or _VALUE.fullmatch(value) is None:
            raise UpstreamError("the upstream's answer has a malformed header")
        pair = name, value.strip(" \t")
        if len(line) <= _LINE_KEPT:
            if len(self) >= _LINES_LIMIT:
                self.clear()
            self[line] = pair
        return pair


_pair = _Lines().__getitem__


class Head(msgspec.Struct, frozen=True, gc=False):
    """A response's status line and headers, and what they say about framing.

    ``length`` is Content-Length; ``keep_for`` the seconds an idle connection will be kept open by
    the server, where it says so; ``coding`` the lower-case Content-Encoding.
    """

    status: int
    headers: Headers
    length: int | None
    chunked: bool
    keep_alive: bool
    keep_for: int | None
    coding: str


class Address(NamedTuple):
    """Where a URL leads: whom to connect to, and what to ask for there."""

    scheme: str
    host: str
    port: int
    target: str


# ---------------------------------------------------------------- reading


def parse_head(raw: bytes) -> Head:
    """Read a head, from its status line to its last line's end; raises `UpstreamError`."""
    try:
        return _read(raw)
    except UpstreamError:
        # No line that is read as it stands begins with a space or has a control character in it,
        # so these are looked for only in a head that was refused.
        tidied = _tidied(raw)
        if tidied == raw:
            raise
        return _read(tidied)


def _read(raw: bytes) -> Head:
    lines = raw.decode("latin-1").split("\r\n")
    if len(lines) > _COUNT_LIMIT:
        raise UpstreamError("the upstream's answer has too many headers")
    if len(raw) > _LINE_LIMIT and max(map(len, lines)) > _LINE_LIMIT:
        raise UpstreamError("the upstream's answer has a header that is too long")
    status = _STATUS.fullmatch(lines[0])
    if status is None:
        raise UpstreamError("the upstream's answer is not HTTP/1.1")
    if lines.pop():
        raise UpstreamError("the upstream's answer has a malformed header")
    del lines[0]
    headers = tuple(map(_pair, lines))
    named = dict(headers)
    if len(named) != len(headers):
        for name in _FRAMING & named.keys():  # given more than once, they are a list
            named[name] = ",".join([value for found, value in headers if found == name])
    return _framed(status[1] == "1", int(status[2]), headers, named)


def _framed(modern: bool, status: int, headers: Headers, named: dict[str, str]) -> Head:
    length, coding = named.get("content-length"), named.get("transfer-encoding")
    if coding is not None and (length is not None or not modern):
        raise UpstreamError("the upstream's answer contradicts itself about its length")
    if coding is not None and coding.lower() != "chunked":
        raise UpstreamError("the upstream's answer has an unknown transfer encoding")
    return Head(
        status,
        headers,
        None if length is None else _length(length),
        coding is not None,
        _stays(named["connection"], modern) if "connection" in named else modern,
        _seconds(named["keep-alive"]) if "keep-alive" in named else None,
        named["content-encoding"].lower() if "content-encoding" in named else "",
    )


def _length(value: str) -> int:
    """Read Content-Length; the same number several times is the only list it may be."""
    if "," in value:
        first, *others = [number.strip(" \t") for number in value.split(",")]
        value = first if set(others) == {first} else ""
    if _DIGITS.fullmatch(value) is None:
        raise UpstreamError("the upstream's answer has a senseless content-length")
    return int(value)


def _stays(connection: str, modern: bool) -> bool:
    """Whether the server keeps the connection, as its Connection header says."""
    if connection == "keep-alive":
        return True
    options = [option.strip(" \t") for option in connection.lower().split(",")]
    return "close" not in options if modern else "keep-alive" in options


def _seconds(keep_alive: str) -> int | None:
    timeout = _TIMEOUT.search(keep_alive)
    return None if timeout is None else int(timeout[1])


def _tidied(raw: bytes) -> bytes:
    """Undo bare line feeds and folded lines; what could mean two things is refused."""
    raw = raw.replace(b"\r\n", b"\n")
    if b"\r" in raw or b"\0" in raw:
        raise UpstreamError("the upstream's answer has control characters in its head")
    return re.sub(rb"\n[ \t]+", b" ", raw).replace(b"\n", b"\r\n")


def _learn(written: str) -> str:
    """Return a header name in lower case, nothing if it is none."""
    if _TOKEN.fullmatch(written) is None:
        return ""
    if len(_names) >= _NAMES_LIMIT:
        _names.clear()
    name = _names[written] = written.lower()
    return name


# ---------------------------------------------------------------- writing


def split(url: str) -> Address:
    """Take a URL apart; raises `UpstreamUnreachable` without repeating it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UpstreamUnreachable("the upstream's URL makes no sense") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UpstreamUnreachable("the upstream's URL is not http:// or https://")
    if parts.username is not None:
        raise UpstreamUnreachable("the upstream's URL has credentials in it: use a header")
    if _TARGET.fullmatch(parts.hostname) is None or _TARGET.fullmatch(target) is None:
        raise UpstreamUnreachable("the upstream's URL has characters that must be encoded")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, parts.hostname, port, target)


def render_head(method: str, address: Address, headers: Headers) -> bytes:
    """Write a request's head but for its length and the blank line.

    Adds Host, User-Agent and ``Accept-Encoding: identity`` unless ``headers`` has them.
    """
    if _TOKEN.fullmatch(method) is None:
        raise UpstreamUnreachable("the request's method makes no sense")
    given = {name.lower() for name, _ in headers}
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.port != (443 if address.scheme == "https" else 80):
        host = f"{host}:{address.port}"
    ours = (("Host", host), ("User-Agent", "gomodel-proxy"), ("Accept-Encoding", "identity"))
    missing = tuple(pair for pair in ours if pair[0].lower() not in given)
    return f"{method} {address.target} HTTP/1.1\r\n".encode() + render_fields(missing + headers)


def render_fields(headers: Headers) -> bytes:
    """Write headers; raises `UpstreamUnreachable` for what would break out of its line."""
    text = ""
    for written, value in headers:
        name = _names[written] if written in _names else _learn(written)
        if not name or name in _OURS:
            raise UpstreamUnreachable(f"{written[:40]!r} may not be sent as a header's name")
        if "\n" in value or "\r" in value or "\0" in value:
            raise UpstreamUnreachable("a header to the upstream has a line break in it")
        text += f"{written}: {value}\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UpstreamUnreachable("a header to the upstream is not Latin-1") from None
