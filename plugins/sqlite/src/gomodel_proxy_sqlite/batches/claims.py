"""Claims: who looks after a batch, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import Claim
from gomodel_proxy.wire import stored_batches
from gomodel_proxy_sqlite.table import storable

if TYPE_CHECKING:
    import sqlite3


def next_token(connection: sqlite3.Connection) -> int:
    """Return a token that nobody has had."""
    connection.execute("UPDATE batch_tokens SET last = last + 1")
    (token,) = connection.execute("SELECT last FROM batch_tokens").fetchone()
    return int(token)


def claim(connection: sqlite3.Connection, now: int, until: int) -> Claim | None:
    """Take the batch that is longest due and that nobody has claimed."""
    row = connection.execute(
        "SELECT key, data FROM batches WHERE due <= :now AND (token IS NULL OR until <= :now) "
        "ORDER BY due LIMIT 1",
        {"now": now},
    ).fetchone()
    if row is None:
        return None
    key, data = row
    token = next_token(connection)
    connection.execute("UPDATE batches SET token = ?, until = ? WHERE key = ?", (token, until, key))
    return Claim(stored_batches.read(data), token)


def keep(connection: sqlite3.Connection, id_: str, token: int, until: int) -> bool:
    """Hold a claim for longer; False if it is lost."""
    return bool(
        connection.execute(
            "UPDATE batches SET until = ? WHERE id = ? AND token = ?",
            (until, storable(id_), token),
        ).rowcount
    )


def leave(connection: sqlite3.Connection, id_: str, token: int) -> bool:
    """Give a claim up; return whether another may take it."""
    row = connection.execute(
        "SELECT due FROM batches WHERE id = ? AND token = ?", (storable(id_), token)
    ).fetchone()
    if row is None:
        return False
    connection.execute(
        "UPDATE batches SET token = NULL, until = NULL WHERE id = ?", (storable(id_),)
    )
    return row[0] is not None
