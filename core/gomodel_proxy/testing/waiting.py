"""Waiting for something that another process, or another task, makes true."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["until"]


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as ``condition()`` holds; raises TimeoutError after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no asyncio.Event
            await asyncio.sleep(0.005)
