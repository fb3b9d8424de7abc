"""Packing: a reply as HTTP/1.1 bytes, with every fault that HTTP can have."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from . import http1
from .delivery import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .faults import Faults
    from .replies import Reply

__all__ = ["Packing"]

_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_HEAD: Final = 10  # bytes before the compressed data
_LACKING: Final = 100
_HINTS: Final = http1.head(103, [("link", "</>; rel=preconnect")])
_PROCESSING: Final = http1.head(102, [])
_CLOSE: Final = ("connection", "close")


class Packing:
    """One reply on its way out: `start`, then its timed pieces, then `end`.

    Streams are chunked; everything else has a Content-Length.
    """

    def __init__(self, reply: Reply, *, keep_alive: bool) -> None:
        faults = reply.faults
        self._faults = faults
        self._status = reply.status
        self._headers = list(reply.headers)
        body = reply.body
        if faults.gzip or faults.badgzip:
            self._headers.append(("content-encoding", "gzip"))
            body = _compressed(body, spoilt=faults.badgzip)
        self._chunked = reply.streamed and not (faults.wronglength or faults.shortlength)
        if not self._chunked:
            body = (b"".join(body),)
            self._headers.append(("content-length", str(_length(len(body[0]), faults))))
        self._delivery = Delivery(msgspec.structs.replace(reply, body=body))
        self._keep_alive = keep_alive and not faults.wronglength
        if not self._keep_alive:
            self._headers.append(_CLOSE)

    @property
    def at_once(self) -> bool:
        """Whether nothing keeps the whole answer from going out in one write."""
        return not self._chunked and self._faults.chunk is None

    @property
    def closing(self) -> bool:
        """Whether the connection ends with this reply; known at its end."""
        return not (self._keep_alive and self._delivery.framed)

    @property
    def complete(self) -> bool:
        """Whether the client can have read all of it; known at its end."""
        faults = self._faults
        return self._delivery.whole and not (
            faults.badgzip or faults.wronglength or faults.shortlength
        )

    def start(self) -> bytes:
        """Return the head and what comes before it."""
        before = _HINTS * self._faults.hints + _PROCESSING * self._faults.processing
        return before + http1.head(self._status, self._chunk_header())

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        if not self._chunked:
            return iter(self._delivery)
        return ((wait, http1.chunk(data)) for wait, data in self._delivery)

    def body(self) -> bytes:
        """Return all pieces together."""
        return b"".join(data for _, data in self)

    def end(self) -> bytes:
        """Return what completes the framing, if it is to be completed."""
        return http1.chunk(b"") if self._chunked and self._delivery.framed else b""

    def _chunk_header(self) -> Iterable[tuple[str, str]]:
        chunked = [("transfer-encoding", "chunked")] if self._chunked else []
        return [*self._headers, *chunked]


def _length(actual: int, faults: Faults) -> int:
    if faults.wronglength:
        return actual + _LACKING
    if faults.shortlength:
        return actual // 2
    return actual if faults.cutframed is None else min(actual, faults.cutframed)


def _compressed(body: Iterable[bytes], *, spoilt: bool) -> Iterator[bytes]:
    """Return every piece compressed so that it can be read at once."""
    packer = zlib.compressobj(wbits=_GZIP)
    good = _GZIP_HEAD if spoilt else None
    for data in body:
        packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield _spoilt(packed, good)
        good = 0 if spoilt else None
    yield _spoilt(packer.flush(), good)


def _spoilt(data: bytes, good: int | None) -> bytes:
    """Return data with everything inverted but its first ``good`` bytes (None: all is good)."""
    return data if good is None else data[:good] + bytes(byte ^ 0xFF for byte in data[good:])
