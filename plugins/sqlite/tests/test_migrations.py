from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy.testing.batch_case import NOW, SOON, batch, begin, lines
from gomodel_proxy_sqlite import migrations
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.connection import open_writer
from gomodel_proxy_sqlite.store import open_store

if TYPE_CHECKING:
    from pathlib import Path


def use(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    monkeypatch.setattr(migrations, "scripts", lambda: scripts)


def test_statements_end_where_sql_says() -> None:
    script = """
    -- a comment; with a semicolon
    CREATE TABLE a (x TEXT DEFAULT ';'); -- more
    CREATE TRIGGER t AFTER INSERT ON a BEGIN
        DELETE FROM a;
    END;
    """
    first, second = (statement.strip() for statement in migrations.statements(script))
    assert "CREATE TABLE" in first
    assert second.endswith("END;")


def test_an_older_database_is_brought_up_with_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gomodel.db"
    (first, *_) = migrations.scripts()
    use(monkeypatch, first)
    with closing(open_writer(path, 1.0)) as connection:
        connection.execute("INSERT INTO resources VALUES ('file', 'x', 'a', 'acme', 1)")
    use(monkeypatch, first, "ALTER TABLE resources ADD COLUMN note TEXT;\n")
    with closing(open_writer(path, 1.0)) as connection:
        assert connection.execute("SELECT id, note FROM resources").fetchall() == [("x", None)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    use(monkeypatch, first)
    with pytest.raises(ConfigError, match=r"version 2.*up to 1"):
        open_writer(path, 1.0)


def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gomodel.db"
    use(monkeypatch, "CREATE TABLE a (x);\n", "CREATE TABLE b (x);\nCREATE TABLE a (y);\n")
    with pytest.raises(ConfigError, match="already exists"):
        open_writer(path, 1.0)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


async def test_a_database_of_the_version_before_takes_batches(
    runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runtime.base / "gomodel.db"
    known = migrations.scripts()
    use(monkeypatch, *known[:2])
    with closing(open_writer(path, 1.0)) as connection:
        connection.execute("INSERT INTO resources VALUES ('file', 'x', 'a', 'acme', 1)")
    use(monkeypatch, *known)
    async with open_store(SqliteConfig(), runtime) as store:
        await begin(store.batches, batch(1), lines(3))
        assert len(await store.batches.lease({"acme": 9}, NOW, SOON)) == 3
        assert await store.resources.find("file", "x") is not None
