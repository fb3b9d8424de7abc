"""Results as a vendor streams them: cut into lines as they come, no faster than they are kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gomodel_proxy.engine.replies import check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Exchange, Headers, UpstreamError, UpstreamRequest
    from gomodel_proxy.engine.account import Account

__all__ = ["Cut", "lines_of"]

_READY: Final = 1 << 20  # bytes of lines that wait before reading pauses


class Cut:
    """A `Receiver` that cuts a reply into lines.

    Lines longer than ``limit`` bytes are dropped and counted as ``dropped``.
    """

    def __init__(self, limit: int) -> None:
        self.exchange: Exchange | None = None
        self.status = 0
        self.headers: Headers = ()
        self.dropped = 0
        self._limit = limit
        self._rest = bytearray()
        self._dropping = False
        self._lines: list[bytes] = []
        self._size = 0
        self._paused = False
        self._over = False
        self._error: UpstreamError | None = None
        self._wake = asyncio.Event()

    def head(self, status: int, headers: Headers) -> None:
        """Take the status and headers."""
        self.status = status
        self.headers = headers

    def data(self, data: bytes) -> None:
        """Take a piece; many lines that nobody has taken yet pause the reading."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._hold(line)
            self._cut()
        self._hold(rest)
        if self._size > _READY and not self._paused and self.exchange is not None:
            self._paused = True
            self.exchange.pause()
        if self._lines:
            self._wake.set()

    def _hold(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > self._limit:
            self._dropping = True
            self._rest.clear()

    def _cut(self) -> None:
        line = bytes(self._rest)
        self._rest.clear()
        if self._dropping:
            self._dropping = False
            self.dropped += 1
        elif line.strip():
            self._lines.append(line)
            self._size += len(line)

    def end(self, framed: bool) -> None:
        """Finish; the last line needs no newline."""
        self._cut()
        self._over = True
        self._wake.set()

    def failed(self, error: UpstreamError) -> None:
        """Finish with an error; what was whole until then can still be taken."""
        self._error = error
        self._over = True
        self._wake.set()

    async def take(self) -> list[bytes]:
        """Return the lines that have come, none at the end; raises what went wrong, last."""
        while not self._lines and not self._over:
            self._wake.clear()
            await self._wake.wait()
        lines, self._lines, self._size = self._lines, [], 0
        if not lines and self._error is not None:
            raise self._error
        if self._paused and self.exchange is not None:
            self._paused = False
            self.exchange.resume()
        return lines


async def lines_of(
    account: Account, request: UpstreamRequest, limit: int
) -> AsyncIterator[list[bytes]]:
    """Yield the lines of a reply as they come; raises `UpstreamError` for anything but success."""
    cut = Cut(limit)
    exchange = cut.exchange = account.transport.open(request, cut)
    refusal = bytearray()
    try:
        while lines := await cut.take():
            if 200 <= cut.status < 300:
                yield lines
            elif len(refusal) < _READY:
                refusal += b"\n".join(lines)
        check(account, cut.status, cut.headers, bytes(refusal))
        if cut.dropped:
            yield [b""] * cut.dropped  # lines that make no sense either
    finally:
        exchange.close()
