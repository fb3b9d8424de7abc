"""Waiting for what takes its time, whatever becomes of the gateway meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .client import Away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .client import Client
    from .progress import Progress

__all__ = ["ENDED", "patiently", "wait"]

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})

_FIRST: Final = 0.25  # seconds between two looks, growing to the longest
_LONGEST: Final = 5.0
_GROWTH: Final = 1.5

T = TypeVar("T")


async def patiently(ask: Callable[[], Awaitable[T]], progress: Progress) -> T:
    """Return an answer, asking until there is one; what it asks for must bear being asked twice."""
    pause = _FIRST
    while True:
        try:
            return await ask()
        except Away as error:
            progress.trouble(str(error))
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)


async def wait(client: Client, id_: str, progress: Progress) -> dict[str, Any]:
    """Return a batch when it has ended."""
    pause = _FIRST
    while True:
        batch = await patiently(lambda: client.get(f"/batches/{id_}"), progress)
        progress.batch(batch)
        if batch["status"] in ENDED:
            return batch
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
