"""Connections to the file: one that writes, others that only read."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from gomodel_proxy.api import ConfigError

from . import migrations
from .errors import at_start
from .transaction import patiently

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# synchronous=NORMAL commits without fsync. A commit is then in the page cache: SIGKILL loses
# nothing. Power loss may take the last commits (never the file's consistency); the gateway's
# journal holds those rows and writes them again.
WRITER = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -3072",  # KiB: where rows are added; the system caches the rest
    "PRAGMA journal_size_limit = 67108864",  # a log that a long report kept growing shrinks again
)


def open_writer(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open or create the file, bring its tables up to date; raises `ConfigError`."""
    return _open(path, lambda: _writer(path, busy_timeout))


def open_reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open the file, which exists, so that nothing can be written; raises `ConfigError`."""
    return _open(path, lambda: _reader(path, busy_timeout))


def _open(path: Path, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
    try:
        return connect()
    except sqlite3.Error as error:
        raise at_start(path, error) from error


def _writer(path: Path, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        patiently(busy_timeout, partial(_prepare, connection, path))
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    migrations.version(connection, path)  # before the first change: the file may be another's
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise ConfigError(
            f"store.path: {path} is on a file system without shared memory (a network share?); "
            "set store.path to a local disk"
        )
    for pragma in WRITER:
        connection.execute(pragma)
    migrations.migrate(connection, path)


def _reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection
