"""Long answers, sent as fast as the client takes them and never held whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from .routes import GENERATION, WATCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ["stream"]


async def stream(
    request: web.Request,
    pieces: AsyncIterator[bytes],
    headers: Mapping[str, str],
    status: int = 200,
) -> web.StreamResponse:
    """Answer with these pieces; raises what getting the first one raises.

    What fails later breaks the connection off: a client must not take half for the whole. Raises
    `asyncio.CancelledError` if the client has gone or takes nothing for too long.
    """
    first = await anext(pieces, b"")
    sending = _Sending(request, web.StreamResponse(status=status, headers=headers))
    work = asyncio.ensure_future(sending.run(first, pieces))
    patience = request.app[GENERATION]().configuration.server.idle_timeout
    try:
        with request.app[WATCH].over(request, work, sending, patience):
            await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    return sending.response


class _Sending:
    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request = request
        self.response = response
        self.stalled = 0.0  # when the client stopped taking what is written, by the loop's clock

    async def run(self, first: bytes, pieces: AsyncIterator[bytes]) -> None:
        try:
            await self.response.prepare(self._request)
            await self._write(first)
            async for piece in pieces:
                await self._write(piece)
            await self.response.write_eof()
        except ConnectionError:
            raise asyncio.CancelledError from None
        except Exception:
            self._request.app[GENERATION]().log.exception(
                "answer.broken_off", path=self._request.path
            )
            if self._request.transport is not None:
                self._request.transport.abort()
            raise asyncio.CancelledError from None

    async def _write(self, piece: bytes) -> None:
        self.stalled = asyncio.get_running_loop().time()
        await self.response.write(piece)
        self.stalled = 0.0
