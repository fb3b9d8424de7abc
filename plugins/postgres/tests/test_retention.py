from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import Query
from gomodel_proxy.testing.batch_case import NOW, batch, begin, lines, turn
from gomodel_proxy.testing.files_suite import file, pieces
from gomodel_proxy.testing.responses_suite import response
from gomodel_proxy.testing.retention_suite import RetentionSuite
from gomodel_proxy.testing.store_case import NOON, attempt, row
from gomodel_proxy_postgres.bell import Bell
from gomodel_proxy_postgres.database import Database
from gomodel_proxy_postgres.ledger import PostgresLedger
from gomodel_proxy_postgres.responses import PostgresResponses
from gomodel_proxy_postgres.retention import (
    PIECE,
    clear,
    expire,
    expire_batches,
    expire_files,
    keep_sweeping,
    sweep,
)
from gomodel_proxy_postgres.store import open_store

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gomodel_proxy_postgres.config import PostgresConfig


class TestPostgresRetention(RetentionSuite):
    @pytest.fixture(autouse=True)
    def _configured(self, config: PostgresConfig, database: Database, runtime: Any) -> None:
        self.config, self.database, self.runtime = config, database, runtime

    def open_store(self, tmp_path: Path, **days: Any) -> AbstractAsyncContextManager[Any]:
        return open_store(replace(self.config, **days), self.runtime)

    async def expire(self, tmp_path: Path, before: int) -> int:
        return await expire(self.database, before)


async def count(database: Database, table: str) -> int:
    number: int = await database.once(lambda c: c.fetchval(f"SELECT count(*) FROM {table}"))
    return number


class Recording(Database):
    """Remembers what each transaction returned."""

    async def write(self, work: Any) -> Any:
        result = await super().write(work)
        self.results = [*getattr(self, "results", []), result]
        return result


async def test_old_rows_go_with_their_attempts_piece_by_piece(config: PostgresConfig) -> None:
    async with Recording(config) as database:
        ledger = PostgresLedger(database)
        old = [row(f"old{n}", started=NOON - 1, attempts=[attempt()]) for n in range(PIECE + 7)]
        await ledger.write([*old, row("new", started=NOON, attempts=[attempt()])])
        assert await sweep(database, NOON) == PIECE + 7
        assert database.results == [None, PIECE, 7, 0]
        assert [entry["id"] for entry in await ledger.log(Query())] == ["new"]
        assert await count(database, "attempts") == 1


class Log:
    """Says when it was warned."""

    def __init__(self) -> None:
        self.warned = asyncio.Event()

    def warning(self, message: str, **_: object) -> None:
        self.warned.set()


async def test_a_failure_is_logged_and_not_the_end(config: PostgresConfig) -> None:
    log = Log()
    database = Database(config)  # not open
    sweeping = asyncio.create_task(keep_sweeping(config, database, Bell(), log))
    await asyncio.wait_for(log.warned.wait(), 30)
    assert not sweeping.done()
    sweeping.cancel()
    await asyncio.wait([sweeping])


async def test_what_two_left_to_each_other_goes_too(database: Database) -> None:
    responses = PostgresResponses(database)
    await responses.save(response("left", created=NOON - 1))
    await database.once(lambda c: c.execute("UPDATE responses SET deleted = true"))
    await expire(database, NOON)
    assert await count(database, "responses") == 0


async def test_ended_batches_go_with_their_lines(
    config: PostgresConfig, runtime: Any, database: Database
) -> None:
    async with open_store(config, runtime) as store:
        for number in (1, 2, 3):
            await begin(store.batches, batch(number), lines(PIECE + 1))
        await turn(store.batches, batch(1).id, status="completed", completed_at=NOW - 1)
        await turn(store.batches, batch(2).id, status="cancelled", cancelled_at=NOW)
        assert await expire_batches(database, NOW) == 1
        assert await store.batches.find(batch(1).id, None) is None
        await clear(database)
        assert await count(database, "batch_lines") == 2 * (PIECE + 1)
        assert await count(database, "batches_gone") == 0
        assert len(await store.batches.list(None, limit=9)) == 2


async def test_old_files_go_unless_a_running_batch_is_read_from_them(
    config: PostgresConfig, runtime: Any, database: Database
) -> None:
    async with open_store(config, runtime) as store:
        await begin(store.batches, batch(1, input_file=file(1).id), lines(1))
        for number in (1, 2, 3, 4):
            await store.files.save(file(number, created=NOW - number), pieces(b"x"))
        await store.files.enter(replace(file(4), size=1, expires=NOW - 1))
        await store.files.enter(replace(file(3), size=1, created=NOW))
        assert await expire_files(database, NOW, NOW) == 2
        assert [one.id for one in await store.files.list(None, limit=9)] == [
            file(3).id,
            file(1).id,
        ]
        await clear(database)
        assert await count(database, "file_pieces") == 2
        await turn(store.batches, batch(1).id, status="completed", completed_at=NOW)
        assert await expire_files(database, NOW, NOW) == 1
        assert await expire_files(database, NOW, None) == 0
