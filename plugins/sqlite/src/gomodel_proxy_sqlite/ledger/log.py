"""The log: single rows, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.ledger_sql import scope
from gomodel_proxy.wire.ledger_sql.log import Entry, entries

from .rows import ATTEMPTS, REQUESTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import Query
    from gomodel_proxy.wire.ledger_sql.scope import Condition


def page(connection: sqlite3.Connection, query: Query) -> Sequence[Entry]:
    """Return at most ``limit`` rows, newest first; raises `InvalidRequest` if ``after`` is unknown.

    Rows of the same microsecond come in the order of their arrival, the last one first.
    """
    chosen = scope.of_page(query, "rowid")
    rows = connection.execute(
        # The inner SELECT needs only an index; whole rows are read for one page, not for all.
        f"SELECT {REQUESTS.select} FROM requests WHERE rowid IN ("  # noqa: S608 (constants)
        f"SELECT r.rowid FROM requests r WHERE {chosen.sql} "
        "ORDER BY r.started DESC, r.rowid DESC LIMIT ?) ORDER BY started DESC, rowid DESC",
        (*chosen.values, max(query.limit, 0)),
    ).fetchall()
    if not rows and query.after is not None and not _exists(connection, scope.of_last(query)):
        raise InvalidRequest("no such row to go on after", param="after")
    attempts = connection.execute(
        f"SELECT {ATTEMPTS.select} FROM attempts WHERE request IN "  # noqa: S608 (constants)
        "(SELECT value FROM json_each(?)) ORDER BY request, ordinal",
        (msgspec.json.encode([row[0] for row in rows]).decode(),),
    )
    return entries(rows, attempts)


def _exists(connection: sqlite3.Connection, last: Condition) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM requests r WHERE {last.sql}",  # noqa: S608 (constants)
        last.values,
    )
    return found.fetchone() is not None
