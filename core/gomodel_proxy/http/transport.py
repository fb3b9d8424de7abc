"""The gateway's own way out: HTTP/1.1 by callbacks over kept-alive connections."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
import structlog

from gomodel_proxy.api import UpstreamError, UpstreamUnreachable
from gomodel_proxy.config.scalars import Duration  # noqa: TC001  # msgspec reads it
from gomodel_proxy.wire.heads import render_fields, render_head, split

from .connection import Connection
from .departures import Departures
from .dialing import dial
from .exchange import HttpExchange
from .origin import Origin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gomodel_proxy.api import Headers, Receiver, UpstreamRequest

__all__ = ["HttpConfig", "HttpTransport", "explain"]

_SWEEP: Final = 0.25  # seconds
_HEADS_LIMIT: Final = 1024
_BODY_METHODS: Final = frozenset({"PATCH", "POST", "PUT"})


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to wait for an upstream, in seconds.

    ``connect_timeout`` covers name, TCP and TLS; ``first_byte_timeout`` the wait for the head of
    the answer; ``idle_timeout`` each silence within it. ``keepalive`` is how long a connection
    waits for its next request.
    """

    connect_timeout: Duration = 10.0
    first_byte_timeout: Duration = 600.0
    idle_timeout: Duration = 300.0
    keepalive: Duration = 60.0


class Waits(Protocol):
    """Settings that have the members of `HttpConfig`."""

    @property
    def connect_timeout(self) -> float:
        """Seconds."""

    @property
    def first_byte_timeout(self) -> float:
        """Seconds."""

    @property
    def idle_timeout(self) -> float:
        """Seconds."""

    @property
    def keepalive(self) -> float:
        """Seconds."""


class HttpTransport:
    """An `api.Transport` that keeps connections; make it within a running event loop.

    ``dial`` connects to a host and port in place of the usual way.

    One timer, every 250 ms while there is something to watch, serves all waits of all exchanges.
    """

    def __init__(
        self,
        settings: Waits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        dial: Callable[[str, int], Awaitable[socket.socket]] = dial,
        clock: Callable[[], float] = time.monotonic,
        log: Any = None,
    ) -> None:
        self.settings: Waits = settings if settings is not None else HttpConfig()
        self.clock = clock
        self.log = log if log is not None else structlog.get_logger(__name__)
        self.exchanges: set[HttpExchange] = set()
        self._loop = asyncio.get_running_loop()
        self.departures = Departures(self._loop)
        self._tls = tls
        self._dial = dial
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self._heads: dict[tuple[str, str, Headers], tuple[Origin, bytes]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def open(self, request: UpstreamRequest, receiver: Receiver) -> HttpExchange:
        """Start sending; what goes wrong goes to ``receiver``, never before this returns."""
        exchange = HttpExchange(self, receiver, request.method)
        try:
            exchange.origin, exchange.message = self._render(request)
        except UpstreamError as error:
            self._loop.call_soon(exchange.fail, error)
            return exchange
        self.exchanges.add(exchange)
        if self._timer is None:
            self._timer = self._loop.call_later(_SWEEP, self._tick)
        connection = exchange.origin.take()
        if connection is None:
            self.connect(exchange)
        else:
            exchange.start(connection)
        return exchange

    def connect(self, exchange: HttpExchange) -> None:
        """Open a connection for an exchange."""
        exchange.limit = self.settings.connect_timeout
        exchange.touch()
        exchange.connecting = self._loop.create_task(self._connect(exchange))

    def sweep(self) -> None:
        """Fail exchanges that wait for too long, close connections that idle for too long."""
        now = self.clock()
        for exchange in [waiting for waiting in self.exchanges if waiting.is_overdue(now)]:
            exchange.expire()
        for origin in self._origins.values():
            origin.expire(now)

    async def close(self) -> None:
        """Fail what is under way, close every connection; later requests fail."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        connecting = [each.connecting for each in self.exchanges if each.connecting is not None]
        for exchange in list(self.exchanges):
            exchange.fail(_closing())
        await asyncio.gather(*connecting, return_exceptions=True)
        connections = [each for origin in self._origins.values() for each in origin.connections]
        await asyncio.gather(*[connection.close() for connection in connections])

    def _render(self, request: UpstreamRequest) -> tuple[Origin, bytes]:
        """Return where a request goes, and all of its bytes."""
        if self._closed:
            raise _closing()
        key = (request.method, request.url, request.headers)
        known = self._heads.get(key)
        if known is None:
            known = self._learn(key)
        origin, head = known
        extra = render_fields(request.extra) if request.extra else b""
        body = request.body
        if body or request.method in _BODY_METHODS:
            return origin, b"%b%bContent-Length: %d\r\n\r\n%b" % (head, extra, len(body), body)
        return origin, b"%b%b\r\n" % (head, extra)

    def _learn(self, key: tuple[str, str, Headers]) -> tuple[Origin, bytes]:
        method, url, headers = key
        address = split(url)
        place = address[:3]
        origin = self._origins.get(place)
        if origin is None:
            origin = self._origins[place] = Origin(*place)
        if len(self._heads) >= _HEADS_LIMIT:
            self._heads.clear()
        known = self._heads[key] = origin, render_head(method, address, headers)
        return known

    async def _connect(self, exchange: HttpExchange) -> None:
        origin = exchange.origin
        connection = Connection(origin)
        try:
            context = self._context() if origin.scheme == "https" else None
            await self._loop.create_connection(
                lambda: connection,
                sock=await self._dial(origin.host, origin.port),
                ssl=context,
                server_hostname=origin.host if context is not None else None,
            )
        except asyncio.CancelledError:
            connection.forsake()
            raise
        except Exception as error:  # whatever it was, nothing has been sent
            exchange.connecting = None
            exchange.fail(explain(str(origin), error))
        else:
            exchange.start(connection)

    def _context(self) -> ssl.SSLContext:
        """Return the TLS settings; made when first needed, as reading the roots takes a while."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _tick(self) -> None:
        self.sweep()
        busy = self.exchanges or any(origin.connections for origin in self._origins.values())
        self._timer = self._loop.call_later(_SWEEP, self._tick) if busy else None


def explain(place: str, error: Exception) -> UpstreamUnreachable:
    """Say why there is no connection to ``host:port``."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"its certificate was not accepted ({error.verify_message})"
    elif isinstance(error, ssl.SSLError):
        reason = f"TLS failed ({error.reason or 'no reason given'})"
    elif isinstance(error, socket.gaierror):
        reason = "its name could not be resolved"
    elif isinstance(error, ConnectionRefusedError):
        reason = "connection refused"
    elif isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else str(error)
    else:
        reason = type(error).__name__
    return UpstreamUnreachable(f"could not connect to {place}: {reason}")


def _closing() -> UpstreamError:
    return UpstreamUnreachable("the gateway is shutting down", status=503)
