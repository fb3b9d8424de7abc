"""Sees that clients have gone where the server does not say so.

A host application may run without ``handler_cancellation``; one sweep over open requests, every
100 ms while there are any, holds for all of them.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiohttp import web  # noqa: TC002  # a named tuple's fields

from gomodel_proxy.engine.pipeline import SHUTTING_DOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Watch"]

_EVERY = 0.1


class Stalling(Protocol):
    """Something that writes to a client."""

    @property
    def stalled(self) -> float:
        """When the client stopped taking what is written, by the loop's clock; 0: it takes it."""


class Open(NamedTuple):
    """A request being served, and how long its client may take nothing of the answer."""

    request: web.Request
    sink: Stalling
    patience: float


class Watch:
    """All requests being served, and the tasks to cancel when their client leaves."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Future[Any], Open] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def over(
        self, request: web.Request, work: asyncio.Future[Any], sink: Stalling, patience: float
    ) -> Iterator[None]:
        """Cancel ``work`` when the client of ``request`` has gone or stalls for too long."""
        self._open[work] = Open(request, sink, patience)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY, self._sweep)
        try:
            yield
        finally:
            del self._open[work]
            if not self._open and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def cut_off(self) -> None:
        """End what is under way, with an error the client can read."""
        for work in self._open:
            work.cancel(SHUTTING_DOWN)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for work, (request, sink, patience) in list(self._open.items()):
            client = request.transport
            gone = client is None or client.is_closing()
            stuck = sink.stalled and now - sink.stalled > patience
            if gone:
                work.cancel()
            if client is not None and (gone or stuck):
                client.abort()  # closing alone would wait until it has read what it left
        self._timer = loop.call_later(_EVERY, self._sweep)
