from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Query
from gomodel_proxy.testing.batch_case import (
    NOW,
    SOON,
    batch,
    begin,
    count,
    lines,
    outcome,
    turn,
)
from gomodel_proxy.testing.files_suite import file, pieces
from gomodel_proxy.testing.retention_suite import RetentionSuite
from gomodel_proxy.testing.store_case import NOON, attempt, row
from gomodel_proxy_sqlite.batches import SqliteBatches
from gomodel_proxy_sqlite.bell import Bell
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.database import Database
from gomodel_proxy_sqlite.files import SqliteFiles
from gomodel_proxy_sqlite.folder import Folder
from gomodel_proxy_sqlite.ledger import SqliteLedger
from gomodel_proxy_sqlite.retention import (
    PIECE,
    clear,
    expire,
    expire_batches,
    expire_files,
    keep_sweeping,
    sweep,
)
from gomodel_proxy_sqlite.store import open_store

from .conftest import runtime_in

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class TestSqliteRetention(RetentionSuite):
    def open_store(self, tmp_path: Path, **days: Any) -> AbstractAsyncContextManager[Any]:
        return open_store(SqliteConfig(**days), runtime_in(tmp_path))

    async def expire(self, tmp_path: Path, before: int) -> int:
        async with Database(tmp_path / "gomodel.db", 5.0) as database:
            return await expire(database, before)


def attempts(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    return int(number)


async def test_old_rows_go_with_their_attempts(database: Database) -> None:
    ledger = SqliteLedger(database)
    old = [row(f"old{n}", started=NOON - 1, attempts=[attempt()]) for n in range(PIECE + 1)]
    await ledger.write([*old, row("new", started=NOON, attempts=[attempt()])])
    assert await sweep(database, NOON) == PIECE + 1
    assert [entry["id"] for entry in await ledger.log(Query())] == ["new"]
    assert await database.report(attempts) == 1
    assert await sweep(database, NOON) == 0


class Recording(Database):
    """Remembers what each transaction returned."""

    async def write(self, work: Any) -> Any:
        result = await super().write(work)
        self.results = [*getattr(self, "results", []), result]
        return result


async def test_each_transaction_is_small(tmp_path: Path) -> None:
    async with Recording(tmp_path / "gomodel.db", 5.0) as database:
        await SqliteLedger(database).write([row(f"old{n}") for n in range(PIECE * 2 + 7)])
        await sweep(database, NOON + 1)
        assert database.results == [None, PIECE, PIECE, 7, 0]


class Log:
    """Says when it was warned."""

    def __init__(self) -> None:
        self.warned = asyncio.Event()

    def warning(self, message: str, **_: object) -> None:
        self.warned.set()


async def test_a_failure_is_logged_and_not_the_end(database: Database) -> None:
    log = Log()
    await database.__aexit__(None, None, None)
    sweeping = asyncio.create_task(keep_sweeping(partial(sweep, database), log))
    await asyncio.wait_for(log.warned.wait(), 30)
    assert not sweeping.done()
    sweeping.cancel()
    await asyncio.wait([sweeping])


async def sizes(database: Database) -> list[int]:
    """Return how many rows the tables of batches have."""
    tables = ("batches", "batches_gone", "batch_lines", "batch_bodies", "batch_results")

    def work(connection: sqlite3.Connection) -> list[int]:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
        ]

    return await database.find(work)


async def test_a_deleted_batch_goes_in_pieces(tmp_path: Path) -> None:
    async with Recording(tmp_path / "gomodel.db", 5.0) as database:
        batches = SqliteBatches(database, Bell())
        for number in (1, 2):
            await begin(batches, batch(number), lines(2 * PIECE + 7))
        leased = await batches.lease({"acme": 20}, NOW, SOON)
        await batches.commit([outcome(one) for one in leased], count)
        assert await batches.delete(batch(1).id, None)
        assert await sizes(database) == [1, 1, 4 * PIECE + 14, 4 * PIECE + 14, 20]
        database.results = []
        await clear(database)
        assert database.results == [1, 1, 1, 1, 0]  # three pieces, then the key
        assert await sizes(database) == [1, 0, 2 * PIECE + 7, 2 * PIECE + 7, 10]
        assert len(await batches.lines(batch(2).id, limit=9999)) == 2 * PIECE + 7


async def test_the_store_clears_what_was_deleted_by_itself(runtime: Any) -> None:
    async with open_store(SqliteConfig(), runtime) as store:
        await begin(store.batches, batch(1), lines(PIECE))
        await store.batches.delete(batch(1).id, None)
        async with Database(runtime.base / "gomodel.db", 5.0) as database, asyncio.timeout(30):
            while any(await sizes(database)):
                pass


async def test_batches_go_a_while_after_their_end(database: Database) -> None:
    batches = SqliteBatches(database, Bell())
    for number in (1, 2, 3, 4):
        await begin(batches, batch(number, created=NOON), lines(3))
    await turn(batches, batch(1).id, status="completed", completed_at=NOON + 5)
    await turn(batches, batch(2).id, status="cancelled", cancelled_at=NOON + 9)
    await turn(batches, batch(3).id, status="cancelling", cancelling_at=NOON)
    assert await expire_batches(database, NOON + 9) == 1
    assert [one.id for one in await batches.list(None, limit=9)] == [
        batch(number).id for number in (4, 3, 2)
    ]
    assert (await sizes(database))[1:3] == [0, 9]
    assert await expire_batches(database, NOON + 10**15) == 1  # those that run stay for ever


async def test_old_files_go_but_not_what_a_running_batch_is_read_from(
    database: Database, tmp_path: Path
) -> None:
    batches = SqliteBatches(database, Bell())
    async with Folder(tmp_path / "files") as folder:
        files = SqliteFiles(database, folder)
        for number in (1, 2, 3):
            await files.save(file(number, created=NOON + number), pieces(b"abc"))
        await batches.create(batch(1, input_file=file(1).id))
        assert await expire_files(database, folder, NOON, NOON + 3) == 1
        assert [one.id for one in await files.list(None, limit=9)] == [file(3).id, file(1).id]
        assert {path.name for path in folder.path.iterdir()} == {file(1).id, file(3).id}
        assert await expire_files(database, folder, NOON, None) == 0
        await turn(batches, batch(1).id, status="failed")
        assert await expire_files(database, folder, NOON, NOON + 3) == 1
