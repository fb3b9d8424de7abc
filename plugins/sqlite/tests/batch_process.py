"""A process that works on a batch: ``batch_process.py FOLDER NOW``.

It reads in a thousand lines, fifty at a time, then executes them, ten at a time, and prints after
each commit how many lines are in and how many are done. Started again after it was killed, it goes
on; ``NOW`` is its clock, which stands still.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import structlog
from msgspec.structs import replace

from gomodel_proxy.testing.batch_case import batch, count, line, outcome
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch
    from gomodel_proxy_sqlite.batches import SqliteBatches

LINES = 1000
PIECE = 50
SHARE = 10


def read_in(found: Batch) -> Batch:
    taken = found.taken + PIECE
    if taken < LINES:
        return replace(found, taken=taken)
    return replace(found, taken=taken, total=taken, status="in_progress", due=None)


async def intake(batches: SqliteBatches, now: int) -> None:
    claim = await batches.claim(now, now + 1)
    if claim is None:
        return
    found: Batch | None = claim.batch
    while found is not None and found.status == "validating":
        lines = [line(index) for index in range(found.taken, found.taken + PIECE)]
        found = await batches.add(claim.batch.id, claim.token, lines, read_in)
        await tell(batches)


async def execute(batches: SqliteBatches, now: int) -> None:
    while leased := await batches.lease({"acme": SHARE}, now, now + 1):
        await batches.commit([outcome(one) for one in leased], count)
        await tell(batches)


async def tell(batches: SqliteBatches) -> None:
    found = await batches.find(batch().id, None)
    assert found is not None
    print(found.taken, found.completed, flush=True)  # noqa: T201


async def main(folder: str, now: int) -> None:
    log = structlog.wrap_logger(structlog.ReturnLogger())
    runtime: Any = SimpleNamespace(name="store", base=Path(folder), log=log)
    async with open_store(SqliteConfig(), runtime) as store:
        if await store.batches.find(batch().id, None) is None:
            await store.batches.create(batch())
        await intake(store.batches, now)
        await execute(store.batches, now)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
