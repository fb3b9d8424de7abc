"""Transactions among several processes: wait for the lock, then all or nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from .errors import code

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Mode = Literal["DEFERRED", "IMMEDIATE", "EXCLUSIVE"]

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.1


def transact(connection: sqlite3.Connection, mode: Mode, work: Work[T]) -> T:
    """Run ``work`` in one transaction; it is undone if anything in it raises.

    Writers begin IMMEDIATE: a transaction that starts by reading and takes the write lock later
    gets SQLITE_BUSY at once, however long it would wait.
    """
    connection.execute(f"BEGIN {mode}")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def patiently(limit: float, attempt: Callable[[], T]) -> T:
    """Call ``attempt`` until it is not met by SQLITE_BUSY, for at most ``limit`` seconds.

    SQLite waits for a lock by itself (``busy_timeout``), but not in every case: recovery of the
    log after a crash and the switch to WAL answer SQLITE_BUSY without waiting.
    """
    deadline = time.monotonic() + limit
    pause = FIRST_PAUSE
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
