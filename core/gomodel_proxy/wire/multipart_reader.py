"""``multipart/form-data`` in pieces: RFC 7578, names encoded as WHATWG's forms do.

https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
(22 November 2026)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from gomodel_proxy.api import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Multipart", "Part", "boundary_of"]

_HEAD_LIMIT: Final = 16 * 1024
_PADDING: Final = 256  # blanks that may stand behind a boundary
_BOUNDARY: Final = re.compile(
    r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))(?=[\s;]|$)', re.IGNORECASE
)
_PARAMETER: Final = re.compile(r';\s*([A-Za-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))')
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})


class Part(NamedTuple):
    """The beginning of a part. ``filename`` is None for a field."""

    name: str
    filename: str | None


def boundary_of(content_type: str) -> bytes:
    """Return what stands between the parts; raises `InvalidRequest` for another kind of body."""
    kind, _, parameters = content_type.partition(";")
    found = _BOUNDARY.search(parameters)
    if kind.strip().lower() != "multipart/form-data" or found is None:
        raise InvalidRequest(
            "Send the file as multipart/form-data, with its boundary in Content-Type.",
            code="unsupported_media_type",
            status=415,
        )
    return (found[1] or found[2]).encode("utf-8", "surrogateescape")


class Multipart:
    """Cuts a body into parts; holds back no more than a boundary or a part's head."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._buffer = b"\r\n"  # so that the first boundary has a line's end before it, too
        self._inside = False
        self._step: Callable[[], Part | bytes | None] | None = self._content

    def feed(self, data: bytes) -> Iterator[Part | bytes]:
        """Yield the parts that begin, each followed by its bytes; raises `InvalidRequest`."""
        self._buffer += data
        while self._step is not None:
            found = self._step()
            if found is None:
                return
            if found:
                yield found
        self._buffer = b""  # what follows the last boundary means nothing

    def close(self) -> None:
        """Raise `InvalidRequest` if the last boundary has not come."""
        if self._step is not None:
            raise _broken("it ends before its last boundary")

    # Each step returns what it found, b"" to go on with the next one, None to wait for more bytes.

    def _content(self) -> bytes | None:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            self._step = self._boundary
            found, self._buffer = self._buffer[:end], self._buffer[end + len(self._delimiter) :]
            return found if self._inside else b""
        sure = len(self._buffer) - len(self._delimiter) + 1
        if sure <= 0:
            return None
        found, self._buffer = self._buffer[:sure], self._buffer[sure:]
        return found if self._inside else b""

    def _boundary(self) -> bytes | None:
        if len(self._buffer) < 2:
            return None
        if self._buffer.startswith(b"--"):
            self._step = None
            return b""
        padding, line_end, rest = self._buffer.partition(b"\r\n")
        if padding.strip(b" \t\r") or len(padding) > _PADDING:
            raise _broken("a boundary goes on")
        if not line_end:
            return None
        self._buffer = b"\r\n" + rest  # so that a head without lines ends as any other does
        self._step = self._head
        return b""

    def _head(self) -> Part | None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if len(head) > _HEAD_LIMIT:
            raise _broken(f"a part's head is longer than {_HEAD_LIMIT} bytes")
        if not end:
            return None
        self._buffer = rest
        self._inside = True
        self._step = self._content
        return _part(head.decode("utf-8", "replace"))


def _part(head: str) -> Part:
    headers = {}
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    coding = headers.get("content-transfer-encoding", "").lower()
    if coding not in _PLAIN:
        raise _broken(f"Content-Transfer-Encoding '{coding[:40]}' is not taken")
    given = {
        match[1].lower(): match[3] if match[2] is None else _unquoted(match[2])
        for match in _PARAMETER.finditer(headers.get("content-disposition", ""))
    }
    extended = given.get("filename*")
    filename = given.get("filename") if extended is None else _decoded(extended)
    return Part(given.get("name", ""), filename)


def _unquoted(text: str) -> str:
    """Undo what browsers and curl do to quotes; a backslash before anything else is itself."""
    return text.replace('\\"', '"').replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _decoded(text: str) -> str:
    """Return an extended value of RFC 8187: ``UTF-8''name``, percent-encoded."""
    return unquote_to_bytes(text.rpartition("'")[2]).decode("utf-8", "replace")


def _broken(reason: str) -> InvalidRequest:
    return InvalidRequest(f"The form is broken: {reason}.", code="bad_body")
