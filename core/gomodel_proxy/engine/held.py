"""Holds a stream's last word back until its turn is kept.

Whoever has read the last event may name the response at once, to any worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Exchange, Headers

    from .sinks import Sink

__all__ = ["Held"]


class Held:
    """A `Sink` before another one; call `release` when the turn is kept.

    ``last`` says whether the last word is being written: the dialect's own, or an error.
    """

    __slots__ = ("_ended", "_last", "_pieces", "_sink")

    def __init__(self, sink: Sink, last: Callable[[], bool]) -> None:
        self._sink = sink
        self._last = last
        self._pieces: list[bytes] = []
        self._ended = False

    @property
    def started(self) -> bool:
        """Whether anything has been handed over."""
        return self._sink.started

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Hand over a whole answer."""
        self._sink.reply(status, headers, body)

    def start(self, status: int, headers: Headers) -> None:
        """Begin a streamed answer."""
        self._sink.start(status, headers)

    def write(self, data: bytes) -> None:
        """Hand over the next bytes, or hold them if the last word is among them."""
        if self._last():
            self._pieces.append(data)
        else:
            self._sink.write(data)

    def end(self) -> None:
        """Finish, now or when released."""
        if self._last():
            self._ended = True
        else:
            self._sink.end()

    def throttle(self, exchange: Exchange | None) -> None:
        """Pause this exchange while the client is slower than it."""
        self._sink.throttle(exchange)

    def release(self) -> None:
        """Hand over what was held."""
        if self._pieces:
            self._sink.write(b"".join(self._pieces))
        if self._ended:
            self._sink.end()
