"""Forgetting: what is too old, and what was left behind; always in small pieces."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.wire.later import later

from .responses import purge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

    from .batches import rows
    from .bell import Bell
    from .database import Database
    from .folder import Folder

    Sweep = Callable[[int], Awaitable[int]]
    """Deletes what is outdated now (epoch microseconds); returns how much that was."""
else:
    (rows,) = later("gomodel_proxy_sqlite.batches", "rows")

PIECE: Final = 500
"""Rows per transaction: writers wait for one piece, never for the whole sweep."""

PAUSE: Final = 3600.0
STRAY: Final = 3600.0
"""Seconds until bytes that no row names are nobody's: an upload enters them when it ends."""


async def sweep(database: Database, before: int) -> int:
    """Delete requests that started before a time (epoch microseconds); return how many."""
    return await _in_pieces(database, lambda connection: _requests(connection, before))


async def expire(database: Database, before: int) -> int:
    """Delete responses made, and conversations last written to, before a time; return how many.

    A response that a younger one goes on from is only hidden.
    """
    responses = await _in_pieces(database, lambda connection: _responses(connection, before))
    return responses + await _in_pieces(
        database, lambda connection: _conversations(connection, before)
    )


async def expire_batches(database: Database, before: int) -> int:
    """Delete batches that ended before a time, lines and all; return how many batches."""
    count = await _in_pieces(database, lambda connection: _batches(connection, before))
    await clear(database)
    return count


async def clear(database: Database) -> int:
    """Delete the lines of batches that have been deleted; return how many pieces that took."""
    return await _in_pieces(database, _lines)


async def expire_files(database: Database, folder: Folder, now: int, before: int | None) -> int:
    """Delete files that have expired, and those made before a time; return how many.

    One that a running batch is read from stays until it has expired.
    """
    count = 0
    while ids := await database.write(lambda connection: _files(connection, now, before)):
        await folder.remove(ids)
        count += len(ids)
    return count


async def tidy(database: Database, folder: Folder, before: float) -> int:
    """Remove bytes that no row names and that were written before a time (epoch seconds)."""
    ids, strays = await folder.older(before)
    await folder.discard(strays)
    count = len(strays)
    for start in range(0, len(ids), PIECE):
        piece = set(ids[start : start + PIECE])
        lost = piece - await database.find(lambda connection: _known(connection, piece))  # noqa: B023 (called here)
        await folder.remove(lost)
        count += len(lost)
    return count


async def keep_sweeping(sweep: Sweep, log: Any) -> None:
    """Sweep now and every hour, until cancelled; a sweep that fails is tried again in an hour.

    Several processes may do so at the same time: a row that one has deleted is not there for the
    other.
    """
    while True:
        try:
            count = await sweep(time.time_ns() // 1000)
        except Exception as error:
            log.warning("old rows were not deleted", error=str(error))
        else:
            log.debug("old rows deleted", count=count)
        await asyncio.sleep(PAUSE)


async def keep_clearing(database: Database, discarded: Bell, log: Any) -> None:
    """Delete the lines of deleted batches, until cancelled: now, when it rings, and every hour."""
    while True:
        try:
            await clear(database)
        except Exception as error:
            log.warning("lines of deleted batches were not deleted", error=str(error))
        await discarded.wait(PAUSE)


async def _in_pieces(database: Database, piece: Callable[[sqlite3.Connection], int]) -> int:
    count = 0
    while removed := await database.write(piece):
        count += removed
    return count


def _requests(connection: sqlite3.Connection, before: int) -> int:
    return connection.execute(
        "DELETE FROM requests WHERE rowid IN "
        "(SELECT rowid FROM requests WHERE started < ? ORDER BY started LIMIT ?)",
        (before, PIECE),
    ).rowcount


def _responses(connection: sqlite3.Connection, before: int) -> int:
    old = connection.execute(
        "SELECT id FROM responses WHERE NOT deleted AND created < ? ORDER BY created LIMIT ?",
        (before, PIECE),
    ).fetchall()
    for (id_,) in old:
        connection.execute("UPDATE responses SET deleted = 1 WHERE id = ?", (id_,))
        purge(connection, id_)
    return len(old)


def _conversations(connection: sqlite3.Connection, before: int) -> int:
    return connection.execute(
        "DELETE FROM conversations WHERE rowid IN "
        "(SELECT rowid FROM conversations WHERE used < ? ORDER BY used LIMIT ?)",
        (before, PIECE),
    ).rowcount


def _batches(connection: sqlite3.Connection, before: int) -> int:
    old = connection.execute(
        "SELECT key, id FROM batches WHERE ended < ? ORDER BY ended LIMIT ?", (before, PIECE)
    ).fetchall()
    if old:
        rows.discard(connection, old)
    return len(old)


def _lines(connection: sqlite3.Connection) -> int:
    gone = connection.execute("SELECT key FROM batches_gone LIMIT 1").fetchone()
    if gone is None:
        return 0
    first = rows.place(gone[0], 0)
    (last,) = connection.execute(
        "SELECT max(place) FROM (SELECT place FROM batch_lines "
        "WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?)",
        (first, rows.place(gone[0], rows.INDEXES - 1), PIECE),
    ).fetchone()
    if last is None:
        connection.execute("DELETE FROM batches_gone WHERE key = ?", gone)
        return 1
    for table in ("batch_lines", "batch_bodies", "batch_results"):
        connection.execute(
            f"DELETE FROM {table} WHERE place BETWEEN ? AND ?",  # noqa: S608 (constants)
            (first, last),
        )
    return 1


def _files(connection: sqlite3.Connection, now: int, before: int | None) -> list[str]:
    old = connection.execute(
        "SELECT id FROM files WHERE expires <= :now UNION SELECT id FROM files "
        "WHERE created < :before AND NOT EXISTS "
        "(SELECT 1 FROM batches WHERE input = files.id AND ended IS NULL) LIMIT :limit",
        {"now": now, "before": before, "limit": PIECE},
    ).fetchall()
    connection.executemany("DELETE FROM files WHERE id = ?", old)
    return [id_ for (id_,) in old]


def _known(connection: sqlite3.Connection, ids: set[str]) -> set[str]:
    return {
        id_
        for (id_,) in connection.execute(
            "SELECT id FROM files WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(ids).decode(),),
        )
    }
