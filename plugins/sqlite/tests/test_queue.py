"""What leasing costs, whatever else is in the tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.testing.batch_case import (
    LATER,
    NOW,
    SOON,
    batch,
    begin,
    count,
    lines,
    outcome,
    settled,
)
from gomodel_proxy_sqlite.batches import SqliteBatches, claims, queue, results
from gomodel_proxy_sqlite.bell import Bell

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from gomodel_proxy_sqlite.database import Database

MANY = 3_000


@pytest.fixture
def batches(database: Database) -> SqliteBatches:
    return SqliteBatches(database, Bell())


async def instructions(database: Database, work: Callable[[sqlite3.Connection], object]) -> int:
    """Return how many of SQLite's own instructions a transaction takes."""
    number = 0

    def counted(connection: sqlite3.Connection) -> None:
        def tick() -> None:
            nonlocal number
            number += 1

        connection.set_progress_handler(tick, 1)
        try:
            work(connection)
        finally:
            connection.set_progress_handler(None, 1)

    await database.write(counted)
    return number


async def costs(database: Database) -> list[int]:
    """Return what a lease of eight lines, their commit and an idle claim take."""
    leased = []

    def lease(connection: sqlite3.Connection) -> None:
        leased.extend(queue.lease(connection, {"acme": 8}, NOW, SOON))

    taken = await instructions(database, lease)
    assert len(leased) == 8
    outcomes = [outcome(one, rows=()) for one in leased]
    return [
        taken,
        await instructions(database, partial(results.commit, outcomes=outcomes, fold=count)),
        await instructions(database, partial(claims.claim, now=NOW, until=SOON)),
    ]


async def test_open_lines_cost_nothing(database: Database, batches: SqliteBatches) -> None:
    await begin(batches, batch(1), lines(20))
    few = await costs(database)
    await batches.delete(batch(1).id, None)
    await begin(batches, batch(2), [*lines(MANY), *lines(MANY, shipment=0)])
    many = await costs(database)
    assert [after < 2 * before for before, after in zip(few, many, strict=True)] == [True] * 3


async def test_nor_do_lines_that_are_done_or_the_vendors(
    database: Database, batches: SqliteBatches
) -> None:
    await begin(batches, batch(1), lines(20))
    few = await costs(database)
    await batches.delete(batch(1).id, None)
    shipped = [settled(batch(3).id, n, shipment=0, rows=()) for n in range(MANY)]
    await begin(batches, batch(3), lines(MANY, shipment=0))
    await batches.commit(shipped[: MANY // 2], count)
    await begin(batches, batch(2), lines(MANY))
    done = await batches.lease({"acme": MANY - 20}, NOW, SOON)
    await batches.commit([outcome(one, rows=()) for one in done], count)
    many = await costs(database)
    assert [after < 2 * before for before, after in zip(few, many, strict=True)] == [True] * 3


async def test_looking_in_vain_is_cheap(database: Database, batches: SqliteBatches) -> None:
    look = partial(queue.lease, room={"acme": 8, "other": 8}, now=LATER, until=LATER + 1)
    nothing = await instructions(database, look)
    await begin(batches, batch(1), lines(MANY))
    done = await batches.lease({"acme": MANY}, NOW, SOON)
    await batches.commit([outcome(one, rows=()) for one in done], count)
    assert await instructions(database, look) < nothing + 300
