from __future__ import annotations

import asyncio

import pytest

from gomodel_proxy_sqlite.bell import Bell

LONG = 300.0


async def within(seconds: float, bell: Bell) -> bool:
    """Wait in a task of its own; return whether it rang in time."""
    try:
        await asyncio.wait_for(asyncio.create_task(bell.wait(LONG)), seconds)
    except TimeoutError:
        return False
    return True


async def test_wakes_all_who_wait() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait(LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)


async def test_who_was_busy_hears_it_once() -> None:
    bell = Bell()
    await bell.wait(0)
    bell.ring()  # while this task is busy
    bell.ring()
    async with asyncio.timeout(10):
        await bell.wait(LONG)
    with pytest.raises(TimeoutError):  # there is nothing new
        async with asyncio.timeout(0.05):
            await bell.wait(LONG)


async def test_what_rang_before_anybody_came_is_not_heard() -> None:
    bell = Bell()
    bell.ring()
    assert not await within(0.05, bell)
