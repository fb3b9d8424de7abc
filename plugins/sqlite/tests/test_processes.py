"""Several processes on one file, one of which is killed."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from gomodel_proxy.api import Query
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

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
