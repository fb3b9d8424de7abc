"""One request on its way, and its answer on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import UpstreamError, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    import asyncio

    from gomodel_proxy.api import Headers, Receiver

    from .connection import Connection
    from .origin import Origin
    from .transport import HttpTransport

__all__ = ["HttpExchange"]


class HttpExchange:
    """An `api.Exchange`; stands between the parser, whose sink it is, and the receiver.

    It sees to it that `end` or `failed` is the last the receiver hears, once, and that a receiver
    that raises harms nobody else. ``since`` is when the present wait began and ``limit`` how long
    it may last, in seconds.
    """

    __slots__ = (
        "_answered",
        "_connection",
        "_paused",
        "_receiver",
        "_transport",
        "connecting",
        "limit",
        "message",
        "method",
        "origin",
        "since",
    )

    origin: Origin

    def __init__(self, transport: HttpTransport, receiver: Receiver, method: str) -> None:
        self._transport = transport
        self._receiver: Receiver | None = receiver
        self._connection: Connection | None = None
        self._paused = False
        self._answered = False
        self.connecting: asyncio.Task[None] | None = None
        self.method = method
        self.message = b""
        self.since = 0.0
        self.limit = 0.0

    # ------------------------------------------------------------ called by who opened it

    def pause(self) -> None:
        """Stop reading until `resume`."""
        if self._receiver is not None and not self._paused:
            self._paused = True
            if self._connection is not None:
                self._connection.pause()

    def resume(self) -> None:
        """Read on."""
        if self._receiver is not None and self._paused:
            self._paused = False
            self.touch()
            if self._connection is not None:
                self._connection.resume()

    def close(self) -> None:
        """Drop the request and its connection now; the receiver hears nothing more."""
        self._leave()

    # ------------------------------------------------------------ called by transport, connection

    def start(self, connection: Connection) -> None:
        """Send the request over a connection."""
        self.connecting = None
        self._connection = connection
        self.limit = self._transport.settings.first_byte_timeout
        self.since = self._transport.clock()
        connection.send(self, self.message, self._transport.departures)
        if self._paused:
            connection.pause()

    def touch(self) -> None:
        """Begin to wait anew."""
        self.since = self._transport.clock()

    def is_overdue(self, now: float) -> bool:
        """Whether the upstream takes too long; while paused it is not the upstream's turn."""
        if self._paused and self._connection is not None:
            return False
        return now - self.since > self.limit

    def expire(self) -> None:
        """Give up waiting."""
        if self._connection is None:
            message = f"could not connect to {self.origin} within {self.limit:g}s"
            self.fail(UpstreamUnreachable(message))
        elif not self._answered:
            self.fail(UpstreamTimeout(f"{self.origin} did not answer within {self.limit:g}s"))
        else:
            message = f"{self.origin} sent nothing for {self.limit:g}s within its answer"
            self.fail(UpstreamTimeout(message))

    def unanswered(self, connection: Connection) -> None:
        """Note that the connection ended before any byte of an answer."""
        if connection.sent:
            self.fail(UpstreamError(f"{self.origin} closed the connection without an answer"))
        elif connection.reused:  # only a fresh connection can tell a refusal from a late goodbye
            connection.abort()
            self._connection = None
            self._transport.connect(self)
        else:
            message = f"{self.origin} closed the connection while the request was being sent"
            self.fail(UpstreamUnreachable(message))

    def fail(self, error: UpstreamError) -> None:
        """Tell the receiver what went wrong; drop everything."""
        receiver = self._leave()
        if receiver is not None:
            try:
                receiver.failed(error)
            except Exception:
                self._transport.log.exception("upstream.receiver_failed")

    # ------------------------------------------------------------ called by the parser

    def head(self, status: int, headers: Headers) -> None:
        """Pass the head on."""
        self._answered = True
        self.message = b""
        self.limit = self._transport.settings.idle_timeout
        self.since = self._transport.clock()
        if self._receiver is not None:
            try:
                self._receiver.head(status, headers)
            except Exception:
                self._broken()

    def data(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        if self._receiver is not None:
            try:
                self._receiver.data(data)
            except Exception:
                self._broken()

    def end(self, framed: bool) -> None:
        """Give the connection back, then pass the end on."""
        receiver, self._receiver = self._receiver, None
        connection, self._connection = self._connection, None
        if receiver is None or connection is None:
            return
        transport = self._transport
        transport.exchanges.discard(self)
        # the last read was just now, so its time will do
        connection.release(self.since, transport.settings.keepalive)
        try:
            receiver.end(framed)
        except Exception:
            transport.log.exception("upstream.receiver_failed")

    def _broken(self) -> None:
        self._transport.log.exception("upstream.receiver_failed")
        self.fail(UpstreamError("the answer could not be processed", status=500, kind="api_error"))

    def _leave(self) -> Receiver | None:
        """Part from everything; return the receiver if it has not heard the last word yet."""
        receiver, self._receiver = self._receiver, None
        connection, self._connection = self._connection, None
        connecting, self.connecting = self.connecting, None
        self._transport.exchanges.discard(self)
        self.message = b""
        if connection is not None:
            connection.abort()
        if connecting is not None:
            connecting.cancel()
        return receiver
