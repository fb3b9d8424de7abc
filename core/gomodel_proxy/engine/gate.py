"""A limit on requests under way at one provider, with a bounded queue before it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from gomodel_proxy.api import Unavailable

__all__ = ["Gate"]


class Gate:
    """Admits ``width`` at a time, first come first served; ``queue`` more may wait."""

    def __init__(self, name: str, width: int, queue: int) -> None:
        self._name = name
        self._free = width
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a place; raises `Unavailable` when too many wait already."""
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        if len(self._waiting) >= self._queue:
            raise Unavailable(
                f"Provider '{self._name}' is at its limit and {self._queue} requests wait already.",
                code="provider_busy",
                headers=(("retry-after", "1"),),
            )
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # the place was ours already: pass it on
            else:
                with suppress(ValueError):  # `leave` has dropped it from the queue already
                    self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place to the next in the queue."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
