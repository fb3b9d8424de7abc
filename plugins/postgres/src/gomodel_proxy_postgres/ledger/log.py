"""The log: single rows, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.ledger_sql import scope
from gomodel_proxy.wire.ledger_sql.columns import ATTEMPT, REQUEST
from gomodel_proxy.wire.ledger_sql.log import Entry, entries
from gomodel_proxy.wire.ledger_sql.scope import numbered
from gomodel_proxy_postgres.text import all_escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import Query

_ATTEMPTS: Final = (
    f"SELECT {', '.join(ATTEMPT.names)} FROM attempts "  # noqa: S608 (constants)
    "WHERE request = ANY($1) ORDER BY request, ordinal"
)


async def page(connection: Connection, query: Query) -> Sequence[Entry]:
    """Return at most ``limit`` rows, newest first; raises `InvalidRequest` if ``after`` is unknown.

    Rows of the same microsecond come in the order of their ids, which grow.
    """
    chosen = scope.of_page(query, "id")
    rows = await connection.fetch(numbered(page_sql(chosen)), *chosen.values, max(query.limit, 0))
    if not rows and query.after is not None:
        last = scope.of_last(query)
        known = numbered(f"SELECT 1 FROM requests r WHERE {last.sql}")  # noqa: S608 (constants)
        if await connection.fetchval(known, *last.values) is None:
            raise InvalidRequest("no such row to go on after", param="after")
    ids = all_escaped(row["id"] for row in rows)
    return entries(rows, await connection.fetch(_ATTEMPTS, ids))


def page_sql(chosen: scope.Condition) -> str:
    """Return the SQL of a page, its limit as the last value."""
    columns = ", ".join(f"r.{name}" for name in REQUEST.names)
    return (
        f"SELECT {columns} FROM requests r WHERE {chosen.sql} "  # noqa: S608 (constants)
        "ORDER BY r.started DESC, r.id DESC LIMIT ?"
    )
