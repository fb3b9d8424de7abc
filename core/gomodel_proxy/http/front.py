"""The server's door: one protocol before aiohttp.

It holds the limits and times of head, body and idleness, answers broken requests in the caller's
dialect, serves the fast lane, and hands every other byte, untouched, to aiohttp. A connection that
was handed over stays with aiohttp. While a request runs it keeps reading, for a paused reader does
not see the client leave; at most 64 KiB of what comes early is kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from gomodel_proxy.api import GatewayError, InvalidRequest, Unavailable
from gomodel_proxy.engine.ids import new
from gomodel_proxy.engine.pipeline import SHUTTING_DOWN, serve
from gomodel_proxy.engine.run import Run

from .fast import FastSink, match, render
from .framing import Framer, check_unfinished, parse_head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Dialect

    from .lobby import Lobby

__all__ = ["Front"]

_EARLY: Final = 64 * 1024


class _Tap:
    """A client's transport as aiohttp sees it; notes whether an answer has begun."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.written = False

    def write(self, data: bytes) -> None:
        self.written = True
        self._transport.write(data)

    def writelines(self, data: Any) -> None:
        self.written = True
        self._transport.writelines(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Front(asyncio.Protocol):
    """One client connection."""

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_framer",
        "_inner",
        "_length",
        "_lobby",
        "_request",
        "_run",
        "_since",
        "_sink",
        "_stalled",
        "_tap",
        "_transport",
    )

    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._buffer: bytes | bytearray = b""
        self._since = 0.0  # when the present head, body piece or idleness began
        self._stalled = 0.0  # when the client stopped taking what we write
        self._length = -1
        self._request: tuple[Dialect, Mapping[str, str]] | None = None
        self._run: Run | None = None
        self._sink: FastSink | None = None
        self._inner: asyncio.Protocol | None = None
        self._framer: Framer | None = None
        self._tap: _Tap | None = None

    # ------------------------------------------------------------ connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let a client in, or turn it away where there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        lobby = self._lobby
        self._since = lobby.loop.time()
        lobby.fronts.add(self)
        if len(lobby.fronts) > lobby.settings.max_connections:
            self._refuse(Unavailable("Too many connections (server.max_connections)."))

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what the client no longer waits for."""
        self._lobby.fronts.discard(self)
        if self._run is not None and self._sink is not None:
            self._run.cancel()  # one that has answered is only settling
        if self._inner is not None:
            self._inner.connection_lost(exc)
        self._buffer = b""

    def eof_received(self) -> bool | None:
        """Close: a client that stops sending has gone, as far as anybody can know."""
        if self._inner is not None:
            return self._inner.eof_received()
        if self._run is not None:
            self._transport.abort()  # closing would wait until it has read what it left
        else:
            self._lobby.outbox.flush()
        return None

    def pause_writing(self) -> None:
        """Slow the upstream down to what this client takes."""
        self._stalled = self._lobby.loop.time()
        if self._sink is not None:
            self._sink.full()
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Let the upstream go on."""
        self._stalled = 0.0
        if self._sink is not None:
            self._sink.drained()
        if self._inner is not None:
            self._inner.resume_writing()
        if self._run is None and self._buffer:
            self._since = self._lobby.loop.time()
            self._lobby.loop.call_soon(self._next)

    @property
    def busy(self) -> bool:
        """Whether a request is under way, or (with aiohttp) may be."""
        if self._framer is not None:
            return self._framer.in_body or not self._framer.idle or self._handling()
        return self._run is not None or self._length >= 0

    def _handling(self) -> bool:
        # aiohttp's handler says so; without that attribute it counts as busy.
        return getattr(self._inner, "_current_request", self) is not None

    def close(self) -> None:
        """Close after what is written has gone out."""
        self._lobby.outbox.flush()
        self._transport.close()

    def cut_off(self) -> None:
        """End the request under way, unless that is aiohttp's to do; its client is told why."""
        if self._run is not None and self._sink is not None:
            self._run.cancel(SHUTTING_DOWN)
        elif self._run is not None:
            return  # answered, and only settling
        elif self._framer is None or self._framer.in_body:
            self._refuse(Unavailable("The gateway is shutting down.", code=SHUTTING_DOWN))

    def abort(self) -> None:
        """Close now, whatever has not gone out."""
        self._transport.abort()

    # ------------------------------------------------------------ bytes

    def data_received(self, data: bytes) -> None:
        """Take bytes: a head, a body, or what comes early."""
        if self._framer is not None:
            self._pass_on(data)
            return
        if self._transport.is_closing():
            return
        began = not self._buffer or self._length >= 0  # a body that comes is not a stalled one
        self._buffer += data
        if self._run is None:
            self._advance()
        if self._run is None and not self._held:
            if began:
                self._since = self._lobby.loop.time()
        elif len(self._buffer) > _EARLY:
            self._transport.abort()

    @property
    def _held(self) -> bool:
        """Whether the next request has to wait until the client takes the last answer."""
        return self._stalled > 0 and self._length < 0

    def _advance(self) -> None:
        """Serve the next request in the buffer, if it is whole."""
        if self._held or (self._length < 0 and not self._take_head()):
            return
        buffer = self._buffer
        if len(buffer) < self._length:
            if isinstance(buffer, bytes):
                self._buffer = bytearray(buffer)  # grows in place while a long body comes
            return
        body = bytes(memoryview(buffer)[: self._length])
        self._buffer = bytes(memoryview(buffer)[self._length :])
        self._length = -1
        self._serve(body)

    def _take_head(self) -> bool:
        """Take a fast-lane head off the buffer; anything else goes to aiohttp, or is refused."""
        buffer = bytes(self._buffer)
        settings = self._lobby.settings
        end = buffer.find(b"\r\n\r\n")
        if 0 <= end <= settings.head_limit:
            if settings.fast_lane:
                found = match(buffer[: end + 2], settings.body_limit)
                if found is not None:
                    dialect = self._lobby.dialects.get(found[0])
                    if dialect is not None:
                        self._request = (dialect, found[1])
                        self._length = found[2]
                        self._buffer = buffer[end + 4 :]
                        return True
            self._hand_over()
            return False
        try:
            check_unfinished(buffer.removeprefix(b"\r\n"), settings.head_limit)
        except InvalidRequest as error:
            self._refuse(error)
        return False

    def _serve(self, body: bytes) -> None:
        lobby = self._lobby
        request = self._request
        assert request is not None  # noqa: S101
        self._sink = sink = FastSink(
            self._transport, lobby.outbox, self._finished, not lobby.generation.closing
        )
        if self._stalled:
            sink.full()
        self._run = run = Run(self._work(request[0], request[1], body, sink))
        run.resume()

    async def _work(
        self, dialect: Dialect, headers: Mapping[str, str], body: bytes, sink: FastSink
    ) -> None:
        try:
            await serve(self._lobby.generation, dialect, headers, body, sink)
        finally:
            self._over()

    def _finished(self, keep: bool) -> None:
        """The answer is written: wait for the next request."""
        self._sink = None
        self._since = self._lobby.loop.time()
        if not keep or self._lobby.generation.closing:
            self.close()

    def _over(self) -> None:
        self._run = None
        if self._sink is not None:
            self._transport.abort()  # served without an answer: nothing a client could wait for
        elif self._buffer:
            self._lobby.loop.call_soon(self._next)

    def _next(self) -> None:
        if self._run is None and self._buffer and not self._transport.is_closing():
            self._advance()

    # ------------------------------------------------------------ aiohttp

    def _hand_over(self) -> None:
        settings = self._lobby.settings
        self._lobby.outbox.flush()  # from here on the order is aiohttp's
        self._framer = Framer(settings.head_limit, settings.body_limit, self._lobby.uploads)
        self._tap = _Tap(self._transport)
        self._inner = self._lobby.inner()
        data, self._buffer = bytes(self._buffer), b""
        try:
            self._framer.feed(data)
        except InvalidRequest as error:
            self._inner = None
            self._refuse(error)
            return
        self._inner.connection_made(cast("asyncio.BaseTransport", self._tap))
        self._inner.data_received(data)

    def _pass_on(self, data: bytes) -> None:
        framer, inner = self._framer, self._inner
        if inner is None or framer is None or self._transport.is_closing():
            return
        self._since = self._since if not framer.idle and not framer.in_body else self._time()
        if framer.idle and self._tap is not None:
            self._tap.written = False
        try:
            framer.feed(data)
        except InvalidRequest as error:
            self._refuse(error)
            return
        inner.data_received(data)

    def _time(self) -> float:
        return self._lobby.loop.time()

    # ------------------------------------------------------------ limits

    def check(self, now: float) -> None:
        """Close or answer a connection that has stalled."""
        settings = self._lobby.settings
        waited = now - self._since
        if self._stalled and now - self._stalled > settings.idle_timeout:
            self._transport.abort()
        elif self._framer is not None:
            self._check_framed(waited)
        elif self._run is not None or self._held:
            return
        elif self._length >= 0:
            if waited > settings.body_timeout:
                self._refuse(_late("body", settings.body_timeout))
        elif self._buffer:
            if waited > settings.head_timeout:
                self._refuse(_late("head", settings.head_timeout))
        elif waited > settings.idle_timeout:
            self.close()

    def _check_framed(self, waited: float) -> None:
        framer, settings = self._framer, self._lobby.settings
        if framer is None or framer.idle:
            return  # between requests the time is aiohttp's to keep
        if framer.in_body:
            if waited > settings.body_timeout:
                self._refuse(_late("body", settings.body_timeout))
        elif waited > settings.head_timeout:
            self._refuse(_late("head", settings.head_timeout))

    def _refuse(self, error: GatewayError) -> None:
        """Answer with an error and close; only close where an answer has begun."""
        if self._transport.is_closing():
            return
        self._lobby.outbox.flush()  # this answer comes after those before it
        if self._tap is None or not self._tap.written:
            dialect = self._lobby.dialect(self._path())
            body = dialect.error(error)
            headers = (
                ("content-type", "application/json"),
                ("x-request-id", new("req_")),
                *error.headers,
            )
            framing = f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
            self._transport.write(render(error.status, headers, framing) + body)
        self._buffer = b""
        self._length = -1
        self._transport.close()

    def _path(self) -> str:
        if self._request is not None and self._length >= 0:
            return next(p for p, d in self._lobby.dialects.items() if d is self._request[0])
        framer = self._framer
        if framer is not None and framer.head is not None:
            return framer.head.path
        try:
            return parse_head(bytes(self._buffer).partition(b"\r\n")[0]).path
        except InvalidRequest:
            parts = bytes(self._buffer[:1024]).split(b" ")
            return parts[1].decode("latin-1") if len(parts) > 1 else "/"


def _late(part: str, seconds: float) -> InvalidRequest:
    return InvalidRequest(
        f"The request's {part} did not come within {seconds:g} s (server.{part}_timeout).",
        code="request_timeout",
        status=408,
    )
