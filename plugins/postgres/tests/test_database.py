"""The database: what is refused at the start, what comes and goes, who waits for whom."""

from __future__ import annotations

import asyncio
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from gomodel_proxy.api import ConfigError, Query, Unavailable
from gomodel_proxy.testing.plugin import NO_POSTGRES
from gomodel_proxy.testing.postgres_server import NoPostgres, PostgresServer
from gomodel_proxy.testing.store_case import row
from gomodel_proxy_postgres.database import Database
from gomodel_proxy_postgres.errors import Again
from gomodel_proxy_postgres.store import open_store

from .conftest import configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncpg import Connection

    from gomodel_proxy_postgres.config import PostgresConfig

INSERT = "INSERT INTO resources VALUES ('file', $1, 'a', 'acme', 1)"
COUNT = "SELECT count(*) FROM resources"


async def insert(connection: Connection, id_: str = "x") -> None:
    await connection.execute(INSERT, id_)


async def count(connection: Connection) -> int:
    number: int = await connection.fetchval(COUNT)
    return number


async def pid(connection: Connection) -> int:
    number: int = connection.get_server_pid()
    return number


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own, to be stopped and started."""
    with tempfile.TemporaryDirectory(prefix="gomodel-postgres-") as folder:
        try:
            own = PostgresServer(Path(folder))
            own.start()
        except NoPostgres as error:
            pytest.skip(f"{NO_POSTGRES}: {error}")
        yield own
        own.stop()


# ---------------------------------------------------------------- at the start


async def refusal(config: PostgresConfig) -> str:
    """Open a database that must be refused; return the message, which shows no password."""
    with pytest.raises(ConfigError) as refused:
        async with Database(config):
            pass
    assert "hush" not in "".join(traceback.format_exception(refused.value))
    return refused.value.message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "of the form"),
        ("mysql://me:hush@localhost/x", "of the form"),
        ("postgresql://me:hush@localhost:hush/x", "of the form"),
        ("postgresql://me:hush@127.0.0.1:1/x", "cannot be used"),
        ("postgresql://me:hush@/x?host=/nowhere", "cannot be used"),
    ],
)
async def test_a_url_that_leads_nowhere_is_refused(url: str, expected: str) -> None:
    message = await refusal(configured({"url": url}))
    assert message.startswith("store.url: ")
    assert expected in message


async def test_a_wrong_password_is_refused(postgres: dict[str, Any]) -> None:
    before, _, after = postgres["url"].rpartition("@")
    user = before.rpartition(":")[0]
    message = await refusal(configured(postgres, url=f"{user}:hush@{after}"))
    assert "password authentication failed" in message


async def test_another_encoding_is_refused(postgres: dict[str, Any], postgres_server: str) -> None:
    name = f"latin_{postgres['schema'][-20:]}"
    connection = await asyncpg.connect(postgres_server)
    await connection.execute(
        f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        url = postgres_server.replace("/postgres?", f"/{name}?")
        if url != postgres_server:
            assert "UTF8 is needed" in await refusal(configured(postgres, url=url))
    finally:
        await connection.execute(f"DROP DATABASE {name}")
        await connection.close()


# ---------------------------------------------------------------- work


async def test_work_is_all_or_nothing(database: Database) -> None:
    async def half(connection: Connection) -> None:
        await insert(connection, "a")
        raise LookupError("the other half is missing")

    with pytest.raises(LookupError):
        await database.write(half)
    assert await database.once(count) == 0
    await database.write(insert)
    assert await database.report(count) == 1


async def test_a_fault_of_the_code_stays_what_it_is(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await database.once(lambda connection: connection.fetch("SELEC"))


async def test_a_report_sees_one_moment_and_holds_up_nobody(config: PostgresConfig) -> None:
    seen: list[int] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def report(connection: Connection) -> None:
        seen.append(await count(connection))
        begun.set()
        await go_on.wait()
        seen.append(await count(connection))

    async with Database(config) as database:
        reports = [asyncio.create_task(database.report(report)) for _ in range(2)]
        await begun.wait()
        await database.write(insert)
        assert await database.once(count) == 1
        go_on.set()
        await asyncio.gather(*reports)
    assert seen == [0, 0, 0, 0]


async def test_two_that_wait_for_each_other_both_come_to_an_end(database: Database) -> None:
    await database.write(lambda c: c.executemany(INSERT, [("a",), ("b",)]))
    both = asyncio.Barrier(2)
    runs = 0

    async def work(connection: Connection, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        meet = runs <= 2
        for id_ in (first, second):
            await connection.execute("UPDATE resources SET created = 2 WHERE id = $1", id_)
            if meet and id_ == first:
                await both.wait()

    await asyncio.gather(
        database.write(lambda connection: work(connection, "a", "b")),
        database.write(lambda connection: work(connection, "b", "a")),
    )
    assert runs == 3


async def test_contention_without_end_is_unavailable(database: Database) -> None:
    async def never(connection: Connection) -> None:
        raise Again

    with pytest.raises(Unavailable, match="busy"):
        await database.write(never)


async def test_work_that_gets_no_connection_is_unavailable(postgres: dict[str, Any]) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold(connection: Connection) -> None:
        begun.set()
        await go_on.wait()

    async with Database(configured(postgres, connections=1, wait=0.05)) as database:
        holding = asyncio.create_task(database.write(hold))
        await begun.wait()
        with pytest.raises(Unavailable, match="too much to do"):
            await database.once(count)
        assert await database.report(count) == 0
        go_on.set()
        await holding
        assert await database.once(count) == 0


async def test_what_takes_too_long_is_ended(postgres: dict[str, Any]) -> None:
    config = configured(postgres, statement_timeout=0.05, report_timeout=0.05)
    async with Database(config) as database:
        for run in (database.once, database.write, database.report):
            with pytest.raises(Unavailable, match="too long"):
                await run(lambda connection: connection.execute("SELECT pg_sleep(60)"))
        assert await database.once(count) == 0


async def test_a_cancelled_caller_leaves_nothing_behind(postgres: dict[str, Any]) -> None:
    begun = asyncio.Event()

    async def hold(connection: Connection) -> None:
        await insert(connection)
        begun.set()
        await connection.execute("SELECT pg_sleep(60)")

    async with Database(configured(postgres, connections=1)) as database:
        for _ in range(3):
            begun.clear()
            holding = asyncio.create_task(database.write(hold))
            await begun.wait()
            holding.cancel()
            await asyncio.wait([holding])
        assert await database.once(count) == 0


async def test_a_database_that_only_reads_fails_the_check(database: Database) -> None:
    await database.check()

    async def forbid(connection: Connection) -> None:
        await connection.execute("SET default_transaction_read_only = on")

    await database.once(forbid)
    with pytest.raises(Unavailable, match="only be read"):
        await database.check()
    with pytest.raises(Unavailable, match="only be read"):
        await database.write(insert)


async def test_tables_that_have_gone_fail_the_check(database: Database) -> None:
    await database.once(lambda c: c.execute(f"DROP SCHEMA {database.config.schema} CASCADE"))
    with pytest.raises(Unavailable, match="tables have gone"):
        await database.check()
    with pytest.raises(Unavailable, match="tables have gone"):
        await database.once(count)


async def test_a_closed_database_is_unavailable(config: PostgresConfig) -> None:
    async with Database(config) as database:
        begun = asyncio.Event()

        async def endless(connection: Connection) -> None:
            begun.set()
            await connection.execute("SELECT pg_sleep(60)")

        report = asyncio.create_task(database.report(endless))
        await begun.wait()
    with pytest.raises(Unavailable):
        await report
    with pytest.raises(Unavailable, match="closed"):
        await database.once(count)


# ---------------------------------------------------------------- connections that end


async def test_a_connection_that_is_cut_is_made_again(
    postgres: dict[str, Any], database: Database
) -> None:
    async with Database(configured(postgres, connections=1)) as one:
        for _ in range(3):
            number = await one.once(pid)
            await database.once(lambda c, n=number: c.execute("SELECT pg_terminate_backend($1)", n))
            await one.write(lambda connection: connection.execute("SELECT 1"))
            assert await one.once(pid) != number


async def test_a_connection_that_is_cut_at_work_is_unavailable(
    postgres: dict[str, Any], database: Database
) -> None:
    async def cut(connection: Connection) -> None:
        await insert(connection)
        number = await pid(connection)
        await database.once(lambda c: c.execute("SELECT pg_terminate_backend($1)", number))
        await insert(connection, "y")

    async with Database(configured(postgres, connections=1)) as one:
        with pytest.raises(Unavailable):
            await one.write(cut)
        assert await one.once(count) == 0


@pytest.mark.parametrize("crash", [False, True])
async def test_the_store_outlives_its_server(
    server: PostgresServer, runtime: Any, crash: bool
) -> None:
    async with open_store(configured({"url": server.url}), runtime) as store:
        await store.ledger.write([row("before")])
        await store.ledger.summary(Query())
        await asyncio.to_thread(server.stop, crash=crash)
        for call in (
            store.check,
            lambda: store.ledger.write([row("lost")]),
            lambda: store.ledger.log(Query()),
            lambda: store.batches.claim(1, 2),
        ):
            with pytest.raises(Unavailable) as refused:
                await call()
            assert str(server.url) not in str(refused.value)
        await asyncio.to_thread(server.start)
        await store.check()
        await store.ledger.write([row("after")])
        entries = await store.ledger.log(Query())
        assert {entry["id"] for entry in entries} == {"before", "after"}
