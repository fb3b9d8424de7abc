"""Whether there is work: a read, where to claim or to lease is to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

_WORK: Final = """
SELECT EXISTS (SELECT 1 FROM batches WHERE due <= :now AND (token IS NULL OR until <= :now))
OR EXISTS (SELECT 1 FROM batches INDEXED BY batches_in_progress WHERE status = 'in_progress')
"""


def waits(connection: sqlite3.Connection, now: int) -> bool:
    """Return whether a batch is due that nobody has claimed, or one is in progress."""
    (found,) = connection.execute(_WORK, {"now": now}).fetchone()
    return bool(found)
