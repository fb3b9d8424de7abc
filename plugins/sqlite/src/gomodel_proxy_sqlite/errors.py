"""SQLite's errors in the gateway's terms."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from gomodel_proxy.api import ConfigError, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

# What the surroundings do to a database; anything else is a fault of the code and stays as it is.
SURROUNDINGS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)

AT_START = {
    sqlite3.SQLITE_BUSY: "is locked by another program for longer than store.busy_timeout",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened or created; the folder must exist and be writable",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup or move the file away",
    sqlite3.SQLITE_NOTADB: "is no SQLite database; move the file away or set another store.path",
    sqlite3.SQLITE_READONLY: "cannot be written; this user needs to write the file and its folder",
}


def code(error: BaseException) -> int:
    """Return SQLite's primary result code of an error, 0 if it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def at_start(path: Path, error: sqlite3.Error) -> ConfigError:
    """Return why the database cannot be opened, and what to do about it."""
    return ConfigError(f"store.path: {path} {AT_START.get(code(error), f'fails: {error}')}")


def in_service(error: BaseException) -> BaseException:
    """Return `Unavailable` for what the surroundings did, other errors as they are."""
    if not isinstance(error, sqlite3.Error) or code(error) not in SURROUNDINGS:
        return error
    unavailable = Unavailable(f"the store cannot be used: {error}")
    unavailable.__cause__ = error
    return unavailable
