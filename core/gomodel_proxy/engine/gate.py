"""A limit on requests under way at one provider, with a bounded queue before it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from gomodel_proxy.api import Unavailable

__all__ = ["Gate"]


class Gate:
    """Admits ``width`` at a time, first come first served; ``queue`` more may wait.

    Lines of batches come after everybody who waits live.
    """

    def __init__(self, name: str, width: int, queue: int) -> None:
        self._name = name
        self._free = width
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def enter(self, *, patient: bool = False) -> None:
        """Wait for a place; raises `Unavailable` when too many wait already.

        ``patient`` is for lines of batches, of which only as many come as are executed at once.
        """
        if self._free > 0 and not self._waiting and not (patient and self._patient):
            self._free -= 1
            return
        if not patient and len(self._waiting) >= self._queue:
            raise Unavailable(
                f"Provider '{self._name}' is at its limit and {self._queue} requests wait already.",
                code="provider_busy",
                headers=(("retry-after", "1"),),
            )
        place = asyncio.get_running_loop().create_future()
        queue = self._patient if patient else self._waiting
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # the place was ours already: pass it on
            else:
                with suppress(ValueError):  # `leave` has dropped it from the queue already
                    queue.remove(place)
            raise

    def leave(self) -> None:
        """Give the place to the next in the queue."""
        while queue := self._waiting or self._patient:
            place = queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
