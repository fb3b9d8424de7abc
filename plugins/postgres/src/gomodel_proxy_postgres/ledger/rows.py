"""Ledger rows into their two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncpg

from gomodel_proxy.wire.ledger_sql.columns import (
    ATTEMPT,
    REQUEST,
    attempt_values,
    choose,
    request_values,
)
from gomodel_proxy_postgres.errors import Again
from gomodel_proxy_postgres.text import all_escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import LedgerRow
    from gomodel_proxy.wire.ledger_sql.columns import Columns

LARGEST: Final = 2**63 - 1


async def enter(connection: Connection, rows: Sequence[LedgerRow]) -> None:
    """Enter rows, within the caller's transaction; `choose` says which.

    Raises `Again` if another process enters the same rows at the same time.
    """
    ids = all_escaped({row.id for row in rows})
    known = await connection.fetch(
        "SELECT id, status FROM requests WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids
    )
    chosen, outdated = choose(rows, {row["id"]: row["status"] for row in known})
    if outdated:
        await forget(connection, all_escaped(outdated))
    # Everybody enters in the same order, so nobody waits for somebody who waits for him.
    entered = [chosen[id_] for id_ in sorted(chosen)]
    await _copy(connection, "requests", REQUEST, map(request_values, entered))
    await _copy(
        connection,
        "attempts",
        ATTEMPT,
        (
            attempt_values(row.id, ordinal, attempt)
            for row in entered
            for ordinal, attempt in enumerate(row.attempts)
        ),
    )


async def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Remove requests and, with them, their attempts."""
    await connection.execute("DELETE FROM attempts WHERE request = ANY($1)", ids)
    await connection.execute("DELETE FROM requests WHERE id = ANY($1)", ids)


async def _copy(
    connection: Connection, table: str, columns: Columns, values: Iterable[Sequence[Any]]
) -> None:
    records = [tuple(map(storable, row)) for row in values]
    if not records:
        return
    try:
        await connection.copy_records_to_table(table, records=records, columns=columns.names)
    except asyncpg.UniqueViolationError as error:
        raise Again from error


def storable(value: Any) -> Any:
    """Return NULL for an integer beyond 64 bits: a vendor's nonsense, its raw object is kept."""
    if type(value) is int and not -LARGEST <= value <= LARGEST:
        return None
    return value
