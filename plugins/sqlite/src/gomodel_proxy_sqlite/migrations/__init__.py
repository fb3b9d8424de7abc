"""The tables, version by version: one numbered SQL file for each change.

``PRAGMA user_version`` in the file says how many have been applied. A file that was released
never changes; a new one is added.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import ConfigError
from gomodel_proxy_sqlite.transaction import transact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION: Final = 0x676D7078
"""``gmpx`` in the file's header: whose database this is."""


@cache
def scripts() -> tuple[str, ...]:
    """Return the SQL of every version, the first at index 0."""
    found = sorted(
        (file for file in files(__package__).iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(file.read_text(encoding="utf-8") for file in found)


def version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the file's version, 0 for an empty one; raises `ConfigError` if it is not for us."""
    # In one transaction: another process may be creating the tables right now.
    return transact(connection, "DEFERRED", lambda reading: _version(reading, path))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to the newest version, all or nothing."""
    if version(connection, path) < len(scripts()):
        transact(connection, "EXCLUSIVE", lambda locked: _apply(locked, path))


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION:
        raise ConfigError(
            f"store.path: {path} is another program's database; set another store.path"
        )
    if current > len(scripts()):
        raise ConfigError(
            f"store.path: {path} has version {current}, this gomodel-proxy-sqlite knows versions "
            f"up to {len(scripts())}; upgrade it or set another store.path"
        )
    return int(current)


def _apply(connection: sqlite3.Connection, path: Path) -> None:
    done = _version(connection, path)  # asked again: another process may have been quicker
    for script in scripts()[done:]:
        for statement in statements(script):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(scripts())}")


def statements(script: str) -> Iterator[str]:
    """Split a script; `sqlite3.Connection.executescript` would commit our transaction first."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
