"""Waking tasks of this process that wait for something to do."""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast
from weakref import WeakKeyDictionary


class Bell:
    """Rings for all who wait, and for those who were busy meanwhile when they wait next."""

    def __init__(self) -> None:
        self._rung = 0
        self._next = asyncio.Event()
        # What each task has heard: between looking for work and waiting for it, it would miss
        # what came in between.
        self._heard: WeakKeyDictionary[asyncio.Task[object], int] = WeakKeyDictionary()

    def ring(self) -> None:
        """Wake everybody."""
        self._rung += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return when it rings, or has rung since this task last waited, or after ``seconds``."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        if self._heard.get(task, self._rung) == self._rung:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._next.wait()
        self._heard[task] = self._rung
