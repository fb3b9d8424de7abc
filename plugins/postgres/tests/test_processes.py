"""Several processes on one schema, one of which is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Query
from gomodel_proxy.testing.batch_case import LATER, batch, begin, count, lines, outcome
from gomodel_proxy_postgres.store import open_store

if TYPE_CHECKING:
    from gomodel_proxy_postgres.config import PostgresConfig

WRITER = Path(__file__).with_name("writer_process.py")
NUMBER = 3_000
LONG_AFTER = LATER + 3_600_000_000
"""When leases of processes that began after this one have run out too."""


async def start(config: PostgresConfig) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(WRITER), config.url.reveal(), config.schema),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_a_killed_process_loses_nothing_it_committed_and_others_go_on(
    config: PostgresConfig, runtime: Any
) -> None:
    async with open_store(config, runtime) as store, asyncio.timeout(120):
        began = await begin(store.batches, batch(1), lines(NUMBER))
        killed, other = await start(config), await start(config)
        assert killed.stdout is not None
        announced = 0
        for _ in range(5):
            announced += int(await killed.stdout.readline())
        killed.kill()
        rest, _ = await killed.communicate()
        announced += sum(int(number) for number in rest.split(b"\n")[:-1])
        output, _ = await other.communicate()
        assert other.returncode == 0
        done = sum(int(number) for number in output.split())
        found = await store.batches.find(began.id, None)
        assert found is not None
        # What was announced was committed, and perhaps once more.
        assert found.completed - done - announced in (0, 20)
        leased = await store.batches.lease({"acme": NUMBER}, LONG_AFTER, LONG_AFTER + 1)
        assert len(leased) == NUMBER - found.completed
        assert all(await store.batches.commit([outcome(lease) for lease in leased], count))
        found = await store.batches.find(began.id, None)
        assert found is not None
        assert (found.completed, found.resent) == (NUMBER, len(leased))
        assert (await store.ledger.summary(Query()))["requests"] == NUMBER
