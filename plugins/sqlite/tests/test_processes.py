"""Several processes on one file, one of which is killed."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from gomodel_proxy.api import Query
from gomodel_proxy.testing.batch_case import NOW, batch
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

WORKER = Path(__file__).with_name("batch_process.py")
WRITER = Path(__file__).with_name("writer_process.py")
BATCH = 50


async def start(folder: Path, name: str, batches: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(WRITER), str(folder), name, str(batches)),
        stdout=asyncio.subprocess.PIPE,
    )


async def test_two_processes_write_at_the_same_time(runtime: Any) -> None:
    writers = [await start(runtime.base, name, 40) for name in ("a", "b")]
    async with asyncio.timeout(100):
        await asyncio.gather(*(writer.communicate() for writer in writers))
    assert [writer.returncode for writer in writers] == [0, 0]
    async with open_store(SqliteConfig(), runtime) as store:
        summary = await store.ledger.summary(Query())
    assert (summary["requests"], summary["total_cost"]) == (4_000, 8_000)


async def test_a_killed_writer_loses_nothing_it_committed(runtime: Any) -> None:
    async with asyncio.timeout(100):
        writer = await start(runtime.base, "k", 100_000)
        assert writer.stdout is not None
        announced = -1
        while announced < 20:
            announced = int(await writer.stdout.readline())
        writer.kill()
        rest, _ = await writer.communicate()
    announced = max([announced, *(int(line) for line in rest.split(b"\n")[:-1])])
    async with open_store(SqliteConfig(), runtime) as store:
        summary = await store.ledger.summary(Query())
        entries = await store.ledger.log(Query(limit=10_000_000))
        await store.check()
    # Every batch that was announced, perhaps one more, and none of them by halves.
    batches, odd = divmod(summary["requests"], BATCH)
    assert (batches - announced in (1, 2), odd) == (True, 0)
    assert [entry["id"] for entry in reversed(entries)] == [
        f"k{n:06}" for n in range(batches * BATCH)
    ]
    assert summary["total_cost"] == 2 * summary["requests"]
    with closing(sqlite3.connect(runtime.base / "gomodel.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_a_killed_worker_leaves_a_batch_as_it_said(runtime: Any) -> None:
    """Lines with the progress they mean, results with their charges: both or neither."""
    # one killed while it reads in, two while it executes, and one that comes to the end
    for run, stop in enumerate(((300, 0), (1000, 200), (1000, 600), (1000, 1000))):
        async with asyncio.timeout(100):
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, str(WORKER), str(runtime.base), str(NOW + run * 10)),
                stdout=asyncio.subprocess.PIPE,
            )
            assert worker.stdout is not None
            said = (0, 0)
            while said < stop:
                taken, done = (await worker.stdout.readline()).split()
                said = (int(taken), int(done))
            if stop != (1000, 1000):
                worker.kill()
            await worker.communicate()
        async with open_store(SqliteConfig(), runtime) as store:
            found = await store.batches.find(batch().id, None)
            lines = await store.batches.lines(batch().id, limit=9999)
            results = await store.batches.results(batch().id, limit=9999, failed=False)
            summary = await store.ledger.summary(Query())
        assert found is not None
        assert [line.index for line in lines] == list(range(found.taken))
        assert found.completed == len(results) == summary["requests"]
        assert (found.taken, found.completed) >= said
        assert found.resent <= run * 10
    assert found.completed == 1000
