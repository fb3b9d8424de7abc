"""Forgetting old rows: requests by one setting, responses and conversations by another."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from .responses import purge

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

    from .database import Database

PIECE: Final = 500
"""Rows per transaction: writers wait for one piece, never for the whole sweep."""

PAUSE: Final = 3600.0
DAY: Final = 86_400_000_000


async def sweep(database: Database, before: int) -> int:
    """Delete requests that started before a time (epoch microseconds); return how many."""
    return await _in_pieces(database, _requests, before)


async def expire(database: Database, before: int) -> int:
    """Delete responses made, and conversations last written to, before a time; return how many.

    A response that a younger one goes on from is only hidden.
    """
    return await _in_pieces(database, _responses, before) + await _in_pieces(
        database, _conversations, before
    )


async def keep_sweeping(
    database: Database,
    days: int,
    log: Any,
    clear: Callable[[Database, int], Awaitable[int]] = sweep,
) -> None:
    """Clear now and every hour, until cancelled; a sweep that fails is tried again in an hour.

    Several processes may do so at the same time: a row that one has deleted is not there for the
    other.
    """
    while True:
        try:
            count = await clear(database, time.time_ns() // 1000 - days * DAY)
        except Exception as error:
            log.warning("old rows were not deleted", error=str(error))
        else:
            log.debug("old rows deleted", count=count)
        await asyncio.sleep(PAUSE)


async def _in_pieces(
    database: Database, piece: Callable[[sqlite3.Connection, int], int], before: int
) -> int:
    count = 0
    while removed := await database.write(lambda connection: piece(connection, before)):
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
