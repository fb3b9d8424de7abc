"""Forgetting old rows."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

    from .database import Database

PIECE: Final = 500
"""Requests per transaction: writers wait for one piece, never for the whole sweep."""

PAUSE: Final = 3600.0
DAY: Final = 86_400_000_000


async def keep_sweeping(database: Database, days: int, log: Any) -> None:
    """Sweep now and every hour, until cancelled; a sweep that fails is tried again in an hour.

    Several processes may do so at the same time: a row that one has deleted is not there for the
    other.
    """
    while True:
        try:
            count = await sweep(database, time.time_ns() // 1000 - days * DAY)
        except Exception as error:
            log.warning("old ledger rows were not deleted", error=str(error))
        else:
            log.debug("old ledger rows deleted", count=count)
        await asyncio.sleep(PAUSE)


async def sweep(database: Database, before: int) -> int:
    """Delete requests that started before a time (epoch microseconds); return how many."""
    count = 0
    while removed := await database.write(lambda connection: _piece(connection, before)):
        count += removed
    return count


def _piece(connection: sqlite3.Connection, before: int) -> int:
    return connection.execute(
        "DELETE FROM requests WHERE rowid IN "
        "(SELECT rowid FROM requests WHERE started < ? ORDER BY started LIMIT ?)",
        (before, PIECE),
    ).rowcount
