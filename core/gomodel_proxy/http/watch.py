"""Sees that clients have gone where the server does not say so.

A host application may run without ``handler_cancellation``; one sweep over open requests, every
100 ms while there are any, holds for all of them.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

__all__ = ["Watch"]

_EVERY = 0.1


class Watch:
    """All requests being served, and the tasks to cancel when their client leaves."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Future[Any], web.Request] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def over(self, request: web.Request, work: asyncio.Future[Any]) -> Iterator[None]:
        """Cancel ``work`` when the client of ``request`` has gone."""
        self._open[work] = request
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY, self._sweep)
        try:
            yield
        finally:
            del self._open[work]
            if not self._open and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _sweep(self) -> None:
        for work, request in list(self._open.items()):
            if request.transport is None or request.transport.is_closing():
                work.cancel()
        self._timer = asyncio.get_running_loop().call_later(_EVERY, self._sweep)
