"""HTTP/1.1 as far as a server of trusted tests needs it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from .replies import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONTINUE", "REASONS", "Broken", "Received", "Requests", "chunk", "head"]

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_LONGEST_HEAD: Final = 256 * 1024
_LONGEST_BODY: Final = 256 * 1024 * 1024


class Broken(ValueError):
    """What came is no HTTP; the connection cannot be used any more."""


class Received(msgspec.Struct, frozen=True):
    """A request, and whether the connection stays open after it."""

    request: Request
    keep_alive: bool


class Requests:
    """The requests of one connection, in order. Feed bytes, take what is complete."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._head: Received | None = None
        self._body = bytearray()
        self._length = 0
        self._chunked = False

    @property
    def pending(self) -> int:
        """Bytes that belong to no complete request yet."""
        return len(self._held)

    @property
    def expecting(self) -> bool:
        """Whether the client waits to be told to send its body."""
        head = self._head
        return head is not None and not self._held and "expect" in head.request.headers

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._held += data

    def take(self) -> Received | None:
        """Return the next request, None if it is not complete; raises `Broken`."""
        if self._head is None and not self._begin():
            return None
        complete = self._chunks() if self._chunked else self._counted()
        if not complete or self._head is None:
            return None
        head, body = self._head, bytes(self._body)
        self._head = None
        self._body = bytearray()
        request = msgspec.structs.replace(head.request, body=body)
        return msgspec.structs.replace(head, request=request)

    def _begin(self) -> bool:
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            if len(self._held) > _LONGEST_HEAD:
                raise Broken("the head is too long")
            return False
        line, *rest = self._held[:end].decode("latin-1").split("\r\n")
        del self._held[: end + 4]
        parts = line.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise Broken("no request line")
        headers = _headers(rest)
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self._length = _number(headers.get("content-length", "0"), 10)
        path = parts[1].partition("?")[0]
        keep = parts[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self._head = Received(Request(parts[0], path, headers), keep)
        return True

    def _counted(self) -> bool:
        if len(self._held) < self._length:
            return False
        self._body += self._held[: self._length]
        del self._held[: self._length]
        return True

    def _chunks(self) -> bool:
        while (end := self._held.find(b"\r\n")) >= 0:
            size = _number(self._held[:end].decode("latin-1").partition(";")[0].strip(), 16)
            after = end + 2 + size + 2
            if len(self._held) < after:
                return False
            self._body += self._held[end + 2 : after - 2]
            if len(self._body) > _LONGEST_BODY:
                raise Broken("the body is too long")
            del self._held[:after]
            if size == 0:  # trailers are not read: nobody here sends any
                return True
        return False


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a status line and headers."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Sandbox')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return a chunk; that of no bytes is the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _headers(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _number(text: str, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        raise Broken(f"{text!r} is no length") from None
    if not 0 <= number <= _LONGEST_BODY:
        raise Broken(f"{number} bytes are too many")
    return number
