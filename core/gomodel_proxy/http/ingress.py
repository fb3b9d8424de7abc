"""The dialects' POST routes as aiohttp handlers: the slow lane, and an embedded app's only one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from gomodel_proxy.api import GatewayError, InvalidRequest
from gomodel_proxy.engine.headers import request_id
from gomodel_proxy.engine.pipeline import refuse, serve

from .framing import too_large

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gomodel_proxy.api import Dialect, Exchange, Headers
    from gomodel_proxy.engine.generation import Generation

    from .watch import Watch

__all__ = ["WebSink", "handler", "read_body"]

_HIGH = 64 * 1024


class WebSink:
    """Hands one answer to an aiohttp handler, which sends it with `respond`."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._ready = asyncio.Event()
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._over = False
        self._exchange: Exchange | None = None
        self._paused = False
        self._head: tuple[int, Headers] | None = None
        self._whole: bytes | None = None
        self.stalled = 0.0  # when the client stopped taking what is written, by the loop's clock

    @property
    def started(self) -> bool:
        """Whether an answer has been handed over."""
        return self._head is not None

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Take a whole answer."""
        self._head = (status, headers)
        self._whole = body
        self._ready.set()

    def start(self, status: int, headers: Headers) -> None:
        """Take the head of a stream."""
        self._head = (status, headers)
        self._ready.set()

    def write(self, data: bytes) -> None:
        """Take bytes of a stream; pauses the upstream while too many wait."""
        if not data:
            return
        self._pieces.append(data)
        self._size += len(data)
        self._ready.set()
        if self._size > _HIGH and not self._paused and self._exchange is not None:
            self._paused = True
            self._exchange.pause()

    def end(self) -> None:
        """Take the end of a stream."""
        self._ended = True
        self._ready.set()

    def throttle(self, exchange: Exchange | None) -> None:
        """Pause this exchange while the client is slow."""
        self._exchange = exchange

    def over(self, work: asyncio.Future[None]) -> None:
        """Note that the call is over; if that was no end, nothing more will come."""
        self._over = True
        self._ready.set()

    async def respond(self) -> web.StreamResponse:
        """Send the answer as it comes; raises `asyncio.CancelledError` if the client has gone."""
        await self._ready.wait()
        if self._head is None:
            raise asyncio.CancelledError
        status, headers = self._head
        if self._whole is not None:
            return web.Response(status=status, headers=headers, body=self._whole)
        response = web.StreamResponse(status=status, headers=headers)
        try:
            await response.prepare(self._request)
            while not (self._ended and not self._pieces):
                await self._ready.wait()
                await self._send(response)
            await response.write_eof()
        except ConnectionError:
            raise asyncio.CancelledError from None
        return response

    async def _send(self, response: web.StreamResponse) -> None:
        """Send what waits."""
        self._ready.clear()
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if data:
            self.stalled = asyncio.get_running_loop().time()
            await response.write(data)
            self.stalled = 0.0
        if self._paused and self._exchange is not None:
            self._paused = False
            self._exchange.resume()
        if self._over and not self._ended:
            raise asyncio.CancelledError


def handler(
    generation: Callable[[web.Request], Generation], dialect: Dialect, watch: Watch
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of one dialect."""
    carriers = frozenset(getattr(dialect, "credential_headers", ()))

    async def handle(request: web.Request) -> web.StreamResponse:
        g = generation(request)
        sink = WebSink(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        for name in carriers & headers.keys():
            headers.setdefault("x-api-key", headers[name])
        try:
            check_type(request)
            body = await read_body(request, g.configuration.server.body_limit)
        except GatewayError as error:
            refuse(request_id(headers), dialect, sink, error)
            return await sink.respond()
        work = asyncio.ensure_future(
            serve(g, dialect, headers, body, sink, {**request.query, **request.match_info})
        )
        work.add_done_callback(sink.over)
        try:
            with watch.over(request, work, sink, g.configuration.server.idle_timeout):
                response = await sink.respond()
            await asyncio.wait((work,))  # the answer is out, its row may not be
            return response
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    return handle


def check_type(request: web.Request) -> None:
    """Refuse a body that is not said to be plain JSON."""
    if request.content_type != "application/json":
        raise InvalidRequest(
            "Send the body with 'Content-Type: application/json'.",
            code="unsupported_media_type",
            status=415,
        )
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise InvalidRequest(
            f"A body with Content-Encoding '{coding[:40]}' is not taken.",
            code="unsupported_media_type",
            status=415,
        )


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the body, by our own limit and not the host application's."""
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            pieces.append(piece)
    except (web.RequestPayloadError, asyncio.IncompleteReadError) as error:
        raise InvalidRequest(f"The body is broken: {error}.", code="bad_body") from None
    return b"".join(pieces)
