from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Query
from gomodel_proxy.testing.responses_suite import conversation, items, response
from gomodel_proxy.testing.store_case import NOON, attempt, row
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.database import Database
from gomodel_proxy_sqlite.ledger import SqliteLedger
from gomodel_proxy_sqlite.responses import SqliteResponses
from gomodel_proxy_sqlite.retention import PIECE, expire, keep_sweeping, sweep
from gomodel_proxy_sqlite.store import open_store

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


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


async def test_the_store_does_it_by_itself(runtime: Any) -> None:
    recent = time.time_ns() // 1000
    async with open_store(SqliteConfig(), runtime) as store:
        await store.ledger.write([row("old", started=NOON - 10**15), row("new", started=recent)])
    async with open_store(SqliteConfig(retention_days=1), runtime) as store:
        async with asyncio.timeout(30):
            while (await store.ledger.summary(Query()))["requests"] != 1:
                pass
        assert [entry["id"] for entry in await store.ledger.log(Query())] == ["new"]


async def test_nothing_goes_by_default(runtime: Any) -> None:
    async with open_store(SqliteConfig(), runtime) as store:
        await store.ledger.write([row("old", started=1)])
    async with open_store(SqliteConfig(), runtime) as store:
        assert (await store.ledger.summary(Query()))["requests"] == 1


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


async def test_old_responses_go_but_not_what_younger_ones_need(database: Database) -> None:
    responses = SqliteResponses(database)
    await responses.save(response("old", created=NOON - 1))
    await responses.save(response("needed", created=NOON - 1))
    await responses.save(response("new", created=NOON, previous="needed"))
    assert await expire(database, NOON) == 2
    assert await responses.find("needed", None) is None
    assert [one.id for one in await responses.chain("new", None)] == ["needed", "new"]
    assert await expire(database, NOON + 1) == 1
    assert await database.find(lambda c: c.execute("SELECT id FROM responses").fetchall()) == []


async def test_conversations_go_a_while_after_they_were_last_written_to(
    database: Database,
) -> None:
    talks = SqliteResponses(database).conversations
    await talks.create(conversation("old", created=NOON - 1), items(1))
    await talks.create(conversation("used", created=NOON - 1))
    before = time.time_ns() // 1000
    await talks.add("used", None, items(2))
    assert await expire(database, before) == 1
    assert await talks.find("old", None) is None
    assert await talks.find("used", None) is not None
