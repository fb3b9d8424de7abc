from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy_postgres import migrations
from gomodel_proxy_postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy_postgres.config import PostgresConfig


def use(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    monkeypatch.setattr(migrations, "scripts", lambda: scripts)


@pytest.fixture
async def connection(config: PostgresConfig) -> AsyncIterator[asyncpg.Connection]:
    """A connection of nobody's store to the test's schema."""
    opened = await asyncpg.connect(
        config.url.reveal(), server_settings={"search_path": config.schema}
    )
    yield opened
    await opened.close()


async def test_an_older_schema_is_brought_up_with_its_data(
    config: PostgresConfig, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, *_) = migrations.scripts()
    use(monkeypatch, first)
    async with Database(config):
        await connection.execute("INSERT INTO resources VALUES ('file', 'x', 'a', 'acme', 1)")
    use(monkeypatch, first, "ALTER TABLE resources ADD COLUMN note text;\n")
    async with Database(config):
        row = await connection.fetchrow("SELECT id, note FROM resources")
        assert tuple(row) == ("x", None)
        assert await connection.fetchval("SELECT version FROM gomodel_version") == 2
    use(monkeypatch, first)
    with pytest.raises(ConfigError, match=r"version 2.*up to 1"):
        async with Database(config):
            pass


async def test_a_migration_that_fails_leaves_nothing(
    config: PostgresConfig, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "CREATE TABLE a (x int);\n", "CREATE TABLE b (x int);CREATE TABLE a (y int);")
    with pytest.raises(ConfigError, match="already exists"):
        async with Database(config):
            pass
    assert await connection.fetchval("SELECT to_regnamespace($1)", config.schema) is None


async def test_another_programs_schema_is_refused_and_left_alone(
    config: PostgresConfig, connection: asyncpg.Connection
) -> None:
    await connection.execute(f"CREATE SCHEMA {config.schema} CREATE TABLE bookmarks (url text)")
    with pytest.raises(ConfigError, match="another program's tables"):
        async with Database(config):
            pass
    tables = await connection.fetch(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = $1", config.schema
    )
    assert [name for (name,) in tables] == ["bookmarks"]


async def test_an_empty_schema_that_is_there_is_used(
    config: PostgresConfig, connection: asyncpg.Connection
) -> None:
    await connection.execute(f"CREATE SCHEMA {config.schema}")
    async with Database(config) as database:
        await database.check()


async def test_many_may_make_it_at_the_same_time(config: PostgresConfig) -> None:
    databases = [Database(config) for _ in range(8)]
    await asyncio.gather(*(database.__aenter__() for database in databases))
    for database in databases:
        await database.check()
        await database.__aexit__(None, None, None)
