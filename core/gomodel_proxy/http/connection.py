"""One connection to an upstream."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final, cast

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire.http1 import ResponseParser

from .intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable

    from .departures import Departures
    from .exchange import HttpExchange
    from .origin import Origin

__all__ = ["Connection"]

_PROBE_AFTER: Final = 60  # seconds of silence until TCP asks whether the other side still lives


class Connection(asyncio.Protocol):
    """A TCP or TLS connection; carries one exchange at a time.

    ``sent`` says that the operating system may have all of the last request; while it is False the
    upstream cannot have it. ``reused`` says that an earlier exchange went well.
    """

    __slots__ = (
        "_exchange",
        "_intake",
        "_lost",
        "_message",
        "_parser",
        "_transport",
        "descriptor",
        "expires",
        "origin",
        "reused",
        "sent",
    )

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.descriptor = -1
        self.expires = 0.0
        self.reused = False
        self.sent = False
        self._exchange: HttpExchange | None = None
        self._message = b""  # of the exchange, until the loop's turn is over
        self._parser: ResponseParser | None = None
        self._lost: asyncio.Future[None] | None = None

    # ------------------------------------------------------------ called by exchange and origin

    def send(self, exchange: HttpExchange, message: bytes, departures: Departures) -> None:
        """Have a request written; what comes back goes to the exchange."""
        self._exchange = exchange
        self._parser = ResponseParser(exchange, exchange.method)
        self._message = message
        self.sent = False
        departures.put(self)

    @property
    def departing(self) -> bool:
        """Whether a request waits to be written."""
        return bool(self._message)

    def miss(self) -> None:
        """Part from the exchange whose request waits: the upstream has closed, or is about to."""
        if self._message and self._exchange is not None:
            self._exchange.unanswered(self)

    def flush(self) -> None:
        """Write the request, unless it has been dropped."""
        message, self._message = self._message, b""
        if not message or self._exchange is None or self._transport.is_closing():
            return
        self.sent = True
        self._transport.write(message)  # calls pause_writing if something is left over
        if self._transport.is_closing():
            self.sent = False
        elif self.sent:
            self._exchange.message = b""  # from now on it is not to be sent again

    def pause(self) -> None:
        """Read no more."""
        self._intake.pause()
        if self._parser is not None:
            self._parser.pause()

    def resume(self) -> None:
        """Read on."""
        self._intake.resume()
        if self._parser is not None:
            self._read(self._parser.resume)

    def release(self, now: float, keepalive: float) -> None:
        """Part from an exchange that is over; wait for the next one if that is possible."""
        parser, self._parser, self._exchange = self._parser, None, None
        if parser is not None and parser.keep_for is not None:
            # Leave before the server does: a request that crosses its goodbye is lost.
            keepalive = min(keepalive, parser.keep_for - 1)
        if parser is None or not parser.reusable or not self.sent or keepalive <= 0:
            self.abort()
            return
        self.expires = now + keepalive
        self.reused = True
        self._intake.resume()
        self.origin.idle[self] = None

    def abort(self) -> None:
        """Close at once; an exchange under way hears nothing more."""
        parser, self._parser, self._exchange = self._parser, None, None
        self._message = b""
        if parser is not None:
            parser.stop()
        self.origin.idle.pop(self, None)
        self._transport.abort()

    def forsake(self) -> None:
        """Close at once, if it was made at all, what nobody waits for any more.

        uvloop closes a connection whose making is cancelled at the last moment without a
        `connection_lost`, and asyncio lets TLS say goodbye first.
        """
        if self in self.origin.connections:
            self.origin.connections.discard(self)
            self._transport.abort()

    def close(self) -> asyncio.Future[None]:
        """Abort; the result is there when the connection is gone."""
        self._lost = asyncio.get_running_loop().create_future()
        self.abort()
        return self._lost

    def is_open(self) -> bool:
        """Whether an idle connection is open, as far as the event loop knows."""
        return not self._transport.is_closing()

    # ------------------------------------------------------------ called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; the event loop has set TCP_NODELAY on it."""
        self._transport = cast("asyncio.Transport", transport)
        self._intake = Intake(self._transport)
        # Where nothing may be left over, pause_writing and resume_writing tell whether the
        # operating system has everything. TLS calls at its mark instead of above it; as what it
        # has passed down may still wait there, `sent` is then a cautious answer.
        self._transport.set_write_buffer_limits(1 if self.origin.scheme == "https" else 0)
        peer = transport.get_extra_info("socket")
        _keep_alive(peer)
        self.descriptor = peer.fileno()
        self.origin.connections.add(self)

    def pause_writing(self) -> None:
        """Note that a part of the request is still here."""
        self.sent = False

    def resume_writing(self) -> None:
        """Note that the operating system has all of the request."""
        self.sent = True
        if self._exchange is not None:
            self._exchange.touch()

    def data_received(self, data: bytes) -> None:
        """Read on in the answer; bytes that nobody asked for end the connection."""
        parser, exchange = self._parser, self._exchange
        if parser is None or exchange is None:
            self.abort()
            return
        if self._message:  # no answer, as the request is still here: a goodbye
            self.miss()
            return
        if parser.answered:
            exchange.touch()
        try:
            parser.feed(data)
        except UpstreamError as error:
            exchange.fail(error)

    def eof_received(self) -> None:
        """Note that the upstream sends no more; asyncio then closes the transport."""
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.origin.connections.discard(self)
        self.origin.idle.pop(self, None)
        self._ended(exc)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def _ended(self, exc: Exception | None) -> None:
        parser, exchange = self._parser, self._exchange
        if parser is None or exchange is None or parser.complete:
            return
        if not parser.started:
            exchange.unanswered(self)
        elif exc is not None:
            exchange.fail(UpstreamError(f"{self.origin} broke the connection within its answer"))
        else:
            self._read(parser.eof)

    def _read(self, step: Callable[[], None]) -> None:
        try:
            step()
        except UpstreamError as error:
            if self._exchange is not None:
                self._exchange.fail(error)


def _keep_alive(peer: Any) -> None:
    """Let TCP probe a silent peer: models may think longer than routers remember connections."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):  # macOS lacks the first
        if hasattr(socket, option):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), _PROBE_AFTER)
