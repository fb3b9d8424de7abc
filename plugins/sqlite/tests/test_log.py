from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import InvalidRequest, Query
from gomodel_proxy.testing.store_case import NOON, row
from gomodel_proxy.wire.ledger_sql import scope
from gomodel_proxy_sqlite.ledger import SqliteLedger

if TYPE_CHECKING:
    import sqlite3

    from gomodel_proxy_sqlite.database import Database


async def test_a_page_after_nothing_is_refused(database: Database) -> None:
    ledger = SqliteLedger(database)
    await ledger.write([row("r1", started=NOON), row("r2", started=NOON + 1, principal="key_b")])
    assert list(await ledger.log(Query(after="r1"))) == []
    with pytest.raises(InvalidRequest) as refused:
        await ledger.log(Query(after="r9"))
    assert refused.value.param == "after"


async def test_a_page_after_another_tenants_row_is_as_one_after_nothing(
    database: Database,
) -> None:
    ledger = SqliteLedger(database)
    await ledger.write([row("r1", started=NOON), row("r2", started=NOON + 1, principal="key_b")])
    with pytest.raises(InvalidRequest):
        await ledger.log(Query(after="r2", principal="key_a"))


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
