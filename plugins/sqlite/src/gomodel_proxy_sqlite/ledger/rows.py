"""Ledger rows into their two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.wire.ledger_sql.columns import (
    ATTEMPT,
    REQUEST,
    attempt_values,
    choose,
    request_values,
)
from gomodel_proxy_sqlite.table import Table

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import LedgerRow

REQUESTS: Final = Table("requests", REQUEST.required, REQUEST.optional)
ATTEMPTS: Final = Table("attempts", ATTEMPT.required, ATTEMPT.optional)


def enter(connection: sqlite3.Connection, rows: Sequence[LedgerRow]) -> None:
    """Enter rows, within the caller's transaction; `choose` says which."""
    chosen, outdated = choose(rows, statuses(connection, [row.id for row in rows]))
    forget(connection, outdated)
    REQUESTS.insert(connection, [request_values(row) for row in chosen.values()])
    ATTEMPTS.insert(
        connection,
        [
            attempt_values(row.id, ordinal, attempt)
            for row in chosen.values()
            for ordinal, attempt in enumerate(row.attempts)
        ],
    )


def statuses(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the status of those ids that are in the ledger."""
    return dict(
        connection.execute(
            "SELECT id, status FROM requests WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(ids).decode(),),
        ).fetchall()
    )


def forget(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Remove requests and, with them, their attempts."""
    connection.executemany("DELETE FROM requests WHERE id = ?", [(id_,) for id_ in ids])
