"""Chunked transfer coding, undone as it comes (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from typing import Final

from gomodel_proxy.api.errors import UpstreamError

__all__ = ["Chunks"]

_LINE_LIMIT: Final = 4 * 1024
_TRAILER_LIMIT: Final = 16 * 1024

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?\r\n")


class Chunks:
    """Takes chunked bytes, returns the body's; extensions and trailers are dropped.

    Once ``over``, ``surplus`` says whether bytes came that belong to no chunk.
    """

    __slots__ = ("_left", "_tail", "_trailing", "over", "surplus")

    def __init__(self) -> None:
        self._left = 0  # bytes of the current chunk still to come, its CRLF included
        self._tail = b""  # a line that is not complete
        self._trailing = False
        self.over = False
        self.surplus = False

    def feed(self, data: bytes) -> bytes:
        """Take what arrived, return the body in it as one piece; raises `UpstreamError`."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        elif not self._left and not self._trailing:
            # By far the commonest read: one whole chunk.
            start, end = data.find(b"\r\n") + 2, len(data) - 2
            size = end - start
            if size > 0 and data.startswith(b"%x\r\n" % size) and data.endswith(b"\r\n"):
                return data[start:end]
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left:
                at = self._body(data, at, pieces)
            elif self._trailing:
                at = self._trailer(data, at)
            else:
                at = self._size(data, at)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _size(self, data: bytes, at: int) -> int:
        line = _SIZE.match(data, at)
        if line is None:
            return self._wait(data, at, b"\n", _LINE_LIMIT)
        if line.end() - at > _LINE_LIMIT:
            raise UpstreamError("the upstream's answer has a chunk line that is too long")
        size = int(line[1], 16)
        self._trailing = size == 0
        self._left = size and size + 2
        return line.end()

    def _body(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        body = min(self._left - 2, len(data) - at)
        if body > 0:
            pieces.append(data[at : at + body])
            self._left -= body
            at += body
        if self._left > 2:
            return at
        ending = data[at : at + self._left]
        if not b"\r\n"[2 - self._left :].startswith(ending):
            raise UpstreamError("the upstream's answer has a chunk of the wrong size")
        self._left -= len(ending)
        return at + len(ending)

    def _trailer(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at):
            end = at + 2
        else:
            blank = data.find(b"\r\n\r\n", at)
            if blank < 0:
                return self._wait(data, at, b"\r\n\r\n", _TRAILER_LIMIT)
            end = blank + 4
            if end - at > _TRAILER_LIMIT:
                raise UpstreamError("the upstream's answer has trailers that are too long")
        self.over = True
        self.surplus = end < len(data)
        return len(data)

    def _wait(self, data: bytes, at: int, ending: bytes, limit: int) -> int:
        """Keep an unfinished line for the next read, unless it can only be wrong."""
        if data.find(ending, at) >= 0 or len(data) - at > limit:
            raise UpstreamError("the upstream's answer is not chunked as it says")
        self._tail = data[at:]
        return len(data)
