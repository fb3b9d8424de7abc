from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query
from gomodel_proxy.testing.store_case import NOON, attempt, row
from gomodel_proxy.wire.ledger_sql import scope
from gomodel_proxy.wire.ledger_sql.scope import numbered
from gomodel_proxy_postgres.ledger import PostgresLedger
from gomodel_proxy_postgres.ledger.log import page_sql

if TYPE_CHECKING:
    from gomodel_proxy_postgres.database import Database


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
    ledger = PostgresLedger(database)
    for start in range(0, 3_000, 500):
        await ledger.write(
            [
                row(f"r{n}", started=NOON + n, principal=f"k{n % 50}", user_path=f"/p{n % 50}")
                for n in range(start, start + 500)
            ]
        )
    await database.once(lambda c: c.execute("ANALYZE requests"))
    chosen = scope.of_page(query, "id")
    sql = f"EXPLAIN {numbered(page_sql(chosen))}"
    plan = await database.report(lambda c: c.fetch(sql, *chosen.values, 50))
    assert index in "\n".join(line for (line,) in plan)


async def test_many_enter_the_same_rows_in_any_order(database: Database) -> None:
    """Settled ones over unknown ones too; nobody waits in a circle, nothing counts twice."""
    ledger = PostgresLedger(database)
    ids = [f"r{n:03}" for n in range(100)]
    await ledger.write([row(id_, status="unknown", attempts=[attempt()]) for id_ in ids[:50]])

    async def enter(order: list[str], cost: int) -> None:
        await ledger.write([row(id_, attempts=[attempt(total_cost=cost)]) for id_ in order])

    await asyncio.gather(*(enter(order, 1) for order in (ids, ids[::-1]) * 4))
    summary = await ledger.summary(Query())
    assert (summary["requests"], summary["ok"], summary["total_cost"]) == (100, 100, 100)
