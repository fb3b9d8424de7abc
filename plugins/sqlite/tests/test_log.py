from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query
from gomodel_proxy.wire.ledger_sql import scope

if TYPE_CHECKING:
    import sqlite3

    from gomodel_proxy_sqlite.database import Database


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(), "requests_by_time"),
        (Query(since=1, until=2), "requests_by_time"),
        (Query(model="large"), "requests_by_time"),
        (Query(principal="key_a", since=1), "requests_by_principal"),
        (Query(user_path="/team"), "requests_by_user_path"),
    ],
)
async def test_pages_are_found_by_an_index(database: Database, query: Query, index: str) -> None:
    chosen = scope.of_page(query, "rowid")

    def plan(connection: sqlite3.Connection) -> str:
        steps = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT r.rowid FROM requests r WHERE {chosen.sql} "
            "ORDER BY r.started DESC, r.rowid DESC LIMIT 50",
            chosen.values,
        )
        return "; ".join(step[3] for step in steps)

    found = await database.report(plan)
    assert index in found
    if query.user_path is None:
        assert "TEMP B-TREE" not in found
    else:
        assert "COVERING" in found
