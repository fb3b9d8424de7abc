"""One stream on its way from a provider to a caller: metered, staged, and properly ended.

Everything here runs inside the transport's callbacks: one call per read, no task, no queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError

from .ids import now
from .run import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gomodel_proxy.api import Dialect, Exchange, Headers, Meter, Observer, Stage

    from .account import Account
    from .sinks import Sink

__all__ = ["EVENT_STREAM", "Relay"]

EVENT_STREAM: Final = frozenset({"text/event-stream"})

# These say nothing; some vendors' streams come so, and the meter refuses what is none.
_SILENT: Final = frozenset({"", "text/plain", "application/octet-stream"})


class Relay:
    """Receives one upstream stream and writes it to the caller.

    Await ``done``. It fails while nothing has reached the caller yet, so that another attempt or
    an ordinary error answer is still possible; after that a failure is told inside the stream,
    kept in ``error``, and ``done`` succeeds.

    An error, the vendor's own or ours, tells nobody the account's credentials.

    A reply that is no stream (a status of 400 or more, another content type) is collected into
    ``body``, and ``streaming`` stays False.
    """

    __slots__ = (
        "_account",
        "_begin",
        "_caller",
        "_event_limit",
        "_feed",
        "_observers",
        "_pieces",
        "_reply_limit",
        "_sink",
        "_size",
        "_stages",
        "_types",
        "body",
        "done",
        "error",
        "exchange",
        "first",
        "headers",
        "meter",
        "status",
        "streaming",
    )

    def __init__(
        self,
        *,
        sink: Sink,
        account: Account,
        meter: Meter,
        caller: Dialect,
        stages: Sequence[Stage],
        observers: Sequence[Observer],
        begin: Callable[[Headers], list[tuple[str, str]]],
        event_limit: int,
        reply_limit: int,
        types: frozenset[str] = EVENT_STREAM,
    ) -> None:
        self.done = Signal()
        self.exchange: Exchange | None = None
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self.streaming = False
        self.error: UpstreamError | None = None
        self.first: int | None = None
        self.meter = meter
        self._account = account
        self._feed = meter.feed
        self._sink = sink
        self._caller = caller
        self._stages = stages
        self._observers = observers
        self._begin = begin
        self._event_limit = event_limit
        self._reply_limit = reply_limit
        self._types = types
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def failing(self) -> bool:
        """Whether what is written now is, or comes after, an error."""
        return self.error is not None or self.meter.error is not None

    def head(self, status: int, headers: Headers) -> None:
        """Take the status; what may be an event stream is relayed, anything else is collected."""
        self.status = status
        self.headers = headers
        kind = next((value for name, value in headers if name == "content-type"), "")
        kind = kind.partition(";")[0].strip().lower()
        self.streaming = 200 <= status < 300 and (kind in self._types or kind in _SILENT)

    def data(self, data: bytes) -> None:
        """Pass on whatever events are complete."""
        if self.done.over:
            return
        if not self.streaming:
            self._collect(data)
            return
        out = self._feed(data)
        meter = self.meter
        if meter.error is not None:
            out = self._account.masked_bytes(out)
        if self._stages:
            try:
                for stage in self._stages:
                    out = stage.feed(out) if out else out
            except ValueError as error:
                self._break(_nonsense(error))
                return
        if out:
            self._write(out)
        if meter.error is not None and not meter.reported:
            self._break(UpstreamError(meter.error, code="malformed_stream"))
        elif meter.pending > self._event_limit:
            self._break(
                UpstreamError(
                    f"One event of the provider's stream is longer than {self._event_limit} bytes "
                    "(upstream.event_limit).",
                    code="event_too_large",
                )
            )

    def _collect(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._reply_limit:
            self._break(
                UpstreamError(
                    f"The provider's reply is longer than {self._reply_limit} bytes "
                    "(upstream.reply_limit).",
                    code="reply_too_large",
                )
            )
        else:
            self._pieces.append(data)

    def _write(self, data: bytes) -> None:
        if self.first is None:
            self.first = now()
            self._sink.start(200, tuple(self._begin(self.headers)))
            self._sink.throttle(self.exchange)
        self._sink.write(data)
        for observer in self._observers:
            observer.chunk(data)

    def end(self, framed: bool) -> None:
        """Finish as the dialect demands, or say in the stream that it was cut."""
        if self.done.over:
            return
        if not self.streaming:
            self.body = b"".join(self._pieces)
            self.done.set()
            return
        self._conclude(*self.meter.close(framed=framed))

    def _conclude(self, tail: bytes, clean: bool, error: UpstreamError | None = None) -> None:
        tail = self._account.masked_bytes(tail)
        try:
            for stage in self._stages:
                tail = (stage.feed(tail) if tail else b"") + (stage.close() if clean else b"")
        except ValueError as fault:
            self._break(_nonsense(fault))
            return
        if tail:
            self._write(tail)
        meter = self.meter
        if meter.error is not None and meter.reported and self.first is not None:
            told = UpstreamError(meter.error, code="upstream_stream_error")
            self.error = self._account.masked(told)
            self._finish()
        elif clean and self.first is not None:
            self._finish()
        else:
            self._break(error or _cut(meter))

    def _finish(self) -> None:
        self._sink.throttle(None)
        self._sink.end()
        self.done.set()

    def failed(self, error: UpstreamError) -> None:
        """Treat a connection that closed after a proper end as ended, else tell the caller."""
        if self.done.over:
            return
        if self.streaming:
            self._conclude(*self.meter.close(framed=False), error)
        else:
            self._break(error)

    def _break(self, error: UpstreamError) -> None:
        if self.exchange is not None:
            self.exchange.close()
        self.error = self._account.masked(error)
        if self.first is None:
            self.done.set(error)
            return
        self._sink.write(self._caller.stream_error(error))
        self._finish()


def _nonsense(error: ValueError) -> UpstreamError:
    return UpstreamError(f"The provider's stream makes no sense: {error}", code="malformed_stream")


def _cut(meter: Meter) -> UpstreamError:
    if meter.error is not None:
        return UpstreamError(meter.error, code="malformed_stream")
    if meter.events == 0:
        return UpstreamError(
            "The provider answered with an empty stream.", code="empty_upstream_stream"
        )
    return UpstreamError(
        "The provider's stream ended before it was complete.", code="stream_incomplete"
    )
