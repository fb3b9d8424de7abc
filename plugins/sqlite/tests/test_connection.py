"""Opening the file: what is created, what is refused, and what the message says."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy_sqlite.connection import open_reader, open_writer
from gomodel_proxy_sqlite.database import Database
from gomodel_proxy_sqlite.migrations import scripts

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def refusal(path: Path, busy_timeout: float = 0.05) -> str:
    """Open a file that must be refused; return the message."""
    with pytest.raises(ConfigError) as refused:
        open_writer(path, busy_timeout).close()
    assert str(path) in refused.value.message
    assert "store.path" in refused.value.message
    return refused.value.message


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_an_empty_file_gets_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "gomodel.db"
    path.touch()
    with closing(open_writer(path, 1.0)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert {"requests", "attempts", "resources"} <= names
        assert pragma(connection, "user_version") == len(scripts())


def test_writers_settings(tmp_path: Path) -> None:
    with closing(open_writer(tmp_path / "gomodel.db", 2.5)) as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 1
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "busy_timeout") == 2500


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=rw #1 %41.db"
    with closing(open_writer(path, 1.0)), closing(open_reader(path, 1.0)) as reader:
        assert reader.execute("SELECT count(*) FROM requests").fetchone() == (0,)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_readers_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "gomodel.db"
    with closing(open_writer(path, 1.0)), closing(open_reader(path, 1.0)) as reader:  # noqa: SIM117
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM requests")


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gomodel.db"
    with closing(open_writer(path, 1.0)) as connection:
        connection.execute("PRAGMA user_version = 99")
    message = refusal(path)
    assert "version 99" in message
    assert f"up to {len(scripts())}" in message


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    text = "these are my notes, not a database\n" * 50
    path.write_text(text)
    assert "no SQLite database" in refusal(path)
    assert path.read_text() == text


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert "another program's database" in refusal(path)
    assert path.read_bytes() == before


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "the folder must exist" in refusal(tmp_path / "nowhere" / "gomodel.db")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(tmp_path)


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "writable" in refusal(tmp_path / "gomodel.db")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_folder_that_nobody_can_write_is_refused() -> None:
    assert "writable" in refusal(Path("/proc/gomodel.db"))


def test_a_file_locked_for_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gomodel.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked by another program" in refusal(path)


async def test_many_may_create_it_at_the_same_time(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "gomodel.db", 10.0) for _ in range(8)]
    await asyncio.gather(*(database.__aenter__() for database in databases))
    for database in databases:
        await database.check()
        await database.__aexit__(None, None, None)
