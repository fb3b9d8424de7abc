"""Lanes: nobody waits for a report, everybody waits for a lock, nothing is left behind."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Unavailable
from gomodel_proxy_sqlite.database import REPORTS, Database

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
INSERT = "INSERT INTO resources VALUES ('file', ?, 'a', 'acme', 1)"


def insert(connection: sqlite3.Connection, id_: str = "x") -> None:
    connection.execute(INSERT, (id_,))


def count(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM resources").fetchone()
    return int(number)


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


class Holding:
    """A report that goes on until it is let go."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.running = asyncio.Event()
        self.release = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> int:
        count(connection)
        self._loop.call_soon_threadsafe(self.running.set)
        assert self.release.wait(30)
        return count(connection)


class Endless:
    """A report that SQLite never finishes."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.running = asyncio.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self._loop.call_soon_threadsafe(self.running.set)
        connection.execute(FOREVER).fetchone()


async def test_reports_hold_up_neither_writer_nor_look_ups(database: Database) -> None:
    holding = [Holding(), Holding()]
    reports = [asyncio.create_task(database.report(one)) for one in holding]
    for one in holding:
        await one.running.wait()
    await database.write(insert)
    assert await database.find(count) == 1
    await database.check()
    assert not any(report.done() for report in reports)
    for one in holding:
        one.release.set()
    # Both still see the moment at which they began.
    assert await asyncio.gather(*reports) == [0, 0]


async def test_work_is_all_or_nothing(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        insert(connection, "a")
        raise LookupError("the other half is missing")

    with pytest.raises(LookupError):
        await database.write(half)
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(lambda connection: (insert(connection), insert(connection)))
    assert await database.find(count) == 0
    await database.write(insert)
    assert await database.find(count) == 1


async def test_a_write_waits_for_another_process(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(database.write(insert))
        assert await database.find(count) == 0
        assert not writing.done()
        other.execute("COMMIT")
        await writing
    assert await database.find(count) == 1


async def test_a_lock_held_too_long_is_unavailable(tmp_path: Path) -> None:
    async with Database(tmp_path / "gomodel.db", 0.05) as database:
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="locked"):
                await database.write(insert)
            with pytest.raises(Unavailable, match="locked"):
                await database.check()
        await database.write(insert)
        assert await database.find(count) == 1


async def test_a_report_ends_with_its_caller(database: Database) -> None:
    endless = [Endless() for _ in range(5)]
    reports = [asyncio.create_task(database.report(one)) for one in endless]
    for one in endless[:2]:
        await one.running.wait()
    for report in reports:
        report.cancel()
    # Both threads are free again, and what had not begun never does.
    assert await asyncio.wait_for(database.report(count), 30) == 0
    assert [one.running.is_set() for one in endless] == [True, True, False, False, False]


async def test_closing_ends_reports(tmp_path: Path) -> None:
    async with Database(tmp_path / "gomodel.db", 5.0) as database:
        endless = Endless()
        report = asyncio.create_task(database.report(endless))
        await endless.running.wait()
    with pytest.raises(Unavailable):
        await report


async def test_reports_that_wait_are_limited(database: Database) -> None:
    holding = [Holding(), Holding()]
    running = [asyncio.create_task(database.report(one)) for one in holding]
    for one in holding:
        await one.running.wait()
    waiting = [asyncio.create_task(database.report(count)) for _ in range(REPORTS)]
    await database.find(count)
    with pytest.raises(Unavailable, match="too much"):
        await database.report(count)
    for one in holding:
        one.release.set()
    await asyncio.gather(*running, *waiting)


async def test_a_deleted_file_fails_the_check(database: Database) -> None:
    await database.check()
    database.path.unlink()
    with pytest.raises(Unavailable, match="gone"):
        await database.write(insert)  # into a file nobody could find again
    with pytest.raises(Unavailable, match="gone"):
        await database.check()
    database.path.touch()
    with pytest.raises(Unavailable, match="replaced"):
        await database.check()


async def test_closing_finishes_what_was_asked_and_leaves_nothing(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    async with Database(tmp_path / "gomodel.db", 5.0) as database:
        writes = [
            asyncio.create_task(database.write(lambda connection, n=n: insert(connection, str(n))))
            for n in range(50)
        ]
        await database.find(count)
    await asyncio.gather(*writes)
    assert set(threading.enumerate()) == threads
    assert names(tmp_path) == ["gomodel.db"]
    with pytest.raises(Unavailable, match="closed"):
        await database.write(insert)
    async with Database(tmp_path / "gomodel.db", 5.0) as database:
        assert await database.find(count) == 50
