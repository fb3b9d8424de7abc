"""Where an answer goes: the fast lane, aiohttp and in-process callers each bring a `Sink`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gomodel_proxy.api import Exchange, Headers

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes one answer: either `reply`, or `start`, any number of `write`, and `end`.

    Calls after the client has gone do nothing; the task that serves the call is cancelled then.
    """

    @property
    def started(self) -> bool:
        """Whether anything has been handed over, so that no other answer is possible."""

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Hand over a whole answer."""

    def start(self, status: int, headers: Headers) -> None:
        """Begin a streamed answer."""

    def write(self, data: bytes) -> None:
        """Hand over the next bytes of a streamed answer."""

    def end(self) -> None:
        """Finish a streamed answer, so that the client sees it is complete."""

    def throttle(self, exchange: Exchange | None) -> None:
        """Pause this exchange while the client is slower than it; None: nothing to pause."""
