"""The answer to a call from inside the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import GatewayError, UpstreamError
from gomodel_proxy.wire.sse import Cutter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Exchange, Headers

__all__ = ["LocalSink"]


class LocalSink:
    """Collects a whole answer for `result`, or passes a stream on through `events`."""

    def __init__(self) -> None:
        self.started = False
        self.status = 0
        self.headers: Headers = ()
        self._body = b""
        self._cutter = Cutter()
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._exchange: Exchange | None = None

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Take a whole answer; to `events` it is an error or the only event."""
        self.started = True
        self.status, self.headers, self._body = status, headers, body
        self._queue.put_nowait(self)

    def start(self, status: int, headers: Headers) -> None:
        """Take the head of a stream."""
        self.started = True
        self.status, self.headers = status, headers

    def write(self, data: bytes) -> None:
        """Take bytes of a stream; pauses the upstream while many events wait."""
        for _, _, payload in self._cutter.feed(data):
            self._queue.put_nowait(payload)
        if self._exchange is not None and self._queue.qsize() > 64:
            self._exchange.pause()

    def end(self) -> None:
        """Take the end of a stream."""
        self._queue.put_nowait(None)

    def throttle(self, exchange: Exchange | None) -> None:
        """Pause this exchange while the caller is slow."""
        self._exchange = exchange

    def over(self, work: asyncio.Future[Any]) -> None:
        """Wake the reader when the work has failed without an answer."""
        error = None if work.cancelled() else work.exception()
        if error is not None:
            self._queue.put_nowait(error)

    def result(self) -> Any:
        """Return the whole answer as a dict; raises `GatewayError` for an error answer."""
        reply = msgspec.json.decode(self._body)
        if self.status >= 400:
            raise _error(self.status, self.headers, reply)
        return reply

    async def events(self) -> AsyncIterator[Any]:
        """Yield the stream's events as dicts; raises `GatewayError` where it breaks."""
        while True:
            event = await self._queue.get()
            if event is None:
                return
            if isinstance(event, BaseException):
                raise event
            if event is self:
                yield self.result()
                return
            if event == b"[DONE]" or not event:
                continue
            decoded = msgspec.json.decode(event)
            if isinstance(decoded, dict) and decoded.get("error"):
                raise _error(502, self.headers, decoded)
            yield decoded
            if self._exchange is not None and self._queue.qsize() < 16:
                self._exchange.resume()


def _error(status: int, headers: Headers, reply: Any) -> GatewayError:
    told = reply.get("error") if isinstance(reply, dict) else None
    told = told if isinstance(told, dict) else {}
    return UpstreamError(
        str(told.get("message", "The request failed.")),
        status=status,
        code=told.get("code"),
        param=told.get("param"),
        kind=told.get("type"),
        headers=headers,
    )
