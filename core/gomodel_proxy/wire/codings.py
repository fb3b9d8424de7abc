"""Content codings, undone as they come: gzip and deflate (RFC 9110, section 8.4.1)."""

from __future__ import annotations

import zlib
from typing import Final

from gomodel_proxy.api.errors import UpstreamError

__all__ = ["Inflater", "inflater"]

_STEP: Final = 256 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


def inflater(coding: str) -> Inflater | None:
    """Return what undoes a coding, None where nothing is to be done; raises `UpstreamError`."""
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return Inflater(coding)
    raise UpstreamError(f"the upstream's answer is encoded as {coding[:40]!r}, which is unknown")


class Inflater:
    """Inflates a body step by step, so that a small input cannot become a huge output at once."""

    __slots__ = ("_coding", "_full", "_stream", "_waiting")

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None
        self._waiting = b""
        self._full = False  # the last step was cut by its limit: zlib may hold more output

    def push(self, data: bytes) -> None:
        """Take encoded bytes."""
        self._waiting += data

    def pull(self) -> bytes:
        """Return the next piece, at most 256 KiB; nothing once all that was pushed is inflated."""
        piece = b""
        while not piece and (self._waiting or self._full):
            piece = self._step()
        return piece

    def finish(self) -> None:
        """Raise `UpstreamError` if the body ended before its coding did."""
        if self._stream is not None and not self._stream.eof:
            raise UpstreamError(f"the upstream's answer is broken {self._coding}: it was cut short")

    def _step(self) -> bytes:
        stream = self._stream
        if stream is None or stream.eof:  # the beginning, or another member of a gzip file
            stream = self._stream = zlib.decompressobj(self._window())
        try:
            piece = stream.decompress(self._waiting, _STEP)
        except zlib.error:
            raise UpstreamError(f"the upstream's answer is broken {self._coding}") from None
        self._waiting = stream.unused_data or stream.unconsumed_tail
        self._full = len(piece) == _STEP and not stream.eof
        return piece

    def _window(self) -> int:
        if self._coding != "deflate":
            return _GZIP
        # Some servers leave out zlib's wrapper, whose first byte ends in 8; bare data's does not.
        return zlib.MAX_WBITS if self._waiting[0] & 0x0F == 8 else -zlib.MAX_WBITS
