"""Waking who waits: in this process, in others, and over a connection that was cut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.batch_case import batch
from gomodel_proxy_postgres import bell
from gomodel_proxy_postgres.bell import Bell
from gomodel_proxy_postgres.store import open_store

if TYPE_CHECKING:
    from gomodel_proxy_postgres.config import PostgresConfig

ENDLESS = 300.0
LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'gomodel-proxy' "
    "AND query LIKE '%LISTEN%' || $1 || '%'"
)


async def test_it_wakes_those_who_were_busy_meanwhile() -> None:
    ring = Bell()
    heard: list[int] = []

    async def work() -> None:
        await ring.wait(ENDLESS)
        heard.append(1)
        ring.ring()  # while this task was at work
        await ring.wait(ENDLESS)
        heard.append(2)

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    ring.ring()
    await asyncio.wait_for(working, 30)
    assert heard == [1, 2]


async def test_others_hear_what_is_committed(config: PostgresConfig, runtime: Any) -> None:
    async with open_store(config, runtime) as one, open_store(config, runtime) as two:
        waiting = asyncio.create_task(two.batches.wait(ENDLESS))
        await asyncio.sleep(0)
        await one.batches.create(batch(1))
        await asyncio.wait_for(waiting, 30)
        assert await two.batches.find(batch(1).id, None) is not None


async def test_nobody_hears_what_is_not(config: PostgresConfig, runtime: Any) -> None:
    async with open_store(config, runtime) as one, open_store(config, runtime) as two:
        await one.batches.create(batch(1))
        await two.batches.wait(0.01)

        def fail(found: Any) -> Any:
            raise ArithmeticError

        waiting = asyncio.create_task(two.batches.wait(ENDLESS))
        await asyncio.sleep(0)
        with pytest.raises(ArithmeticError):
            await one.batches.change(batch(1).id, fail)
        await one.batches.change(batch(1).id, lambda found: found)
        await one.check()
        assert not waiting.done()
        waiting.cancel()


async def test_who_listens_connects_again_and_looks(
    config: PostgresConfig, runtime: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "PAUSE", 0.0)
    async with open_store(config, runtime) as one, open_store(config, runtime) as two:
        waiting = asyncio.create_task(two.batches.wait(ENDLESS))
        await asyncio.sleep(0)
        cut = await database.once(
            lambda c: c.fetch(
                f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS it", config.schema
            )
        )
        assert len(cut) == 2
        await asyncio.wait_for(waiting, 30)  # rung for what may have been missed
        waiting = asyncio.create_task(two.batches.wait(ENDLESS))
        await asyncio.sleep(0)
        await one.batches.create(batch(1))
        await asyncio.wait_for(waiting, 30)
