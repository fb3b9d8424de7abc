"""Several processes at one queue, and what its statement costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import Query, Release
from gomodel_proxy.testing.batch_case import LATER, NOW, SOON, batch, begin, count, line, outcome
from gomodel_proxy_postgres.batches import queue
from gomodel_proxy_postgres.store import open_store

if TYPE_CHECKING:
    from gomodel_proxy_postgres.config import PostgresConfig
    from gomodel_proxy_postgres.database import Database
    from gomodel_proxy_postgres.store import PostgresStore

NUMBER = 60


async def test_many_at_one_queue_do_each_line_once(config: PostgresConfig, runtime: Any) -> None:
    """With lines given back, leases renewed, several batches, several providers, and cancelling."""

    async def work(store: PostgresStore, seen: Counter[tuple[str, int]]) -> None:
        batches = store.batches
        while leased := await batches.lease({"acme": 5, "other": 4}, NOW, SOON):
            back, done = leased[::7], [lease for n, lease in enumerate(leased) if n % 7]
            held = [(lease.batch, lease.line.index, lease.token) for lease in leased]
            releases = [
                Release(batch=lease.batch, index=lease.line.index, token=lease.token, tried=True)
                for lease in back
                if lease.tries == 0
            ]
            done += [lease for lease in back if lease.tries]
            outcomes = [outcome(lease) for lease in done]
            _, kept, _ = await asyncio.gather(
                batches.renew(held[::-1], SOON),
                batches.commit(outcomes, count),
                batches.release(releases),
            )
            assert all(kept)
            seen.update((lease.batch, lease.line.index) for lease in done)

    given = [line(n, provider=("acme", "other")[n % 2]) for n in range(NUMBER)]
    seen: Counter[tuple[str, int]] = Counter()
    async with open_store(config, runtime) as one, open_store(config, runtime) as two:
        for number in (1, 2, 3):
            await begin(one.batches, batch(number), given)
        await asyncio.gather(*(work(store, seen) for store in (one, two) * 3))
        assert set(seen.values()) == {1}
        assert len(seen) == 3 * NUMBER
        for number in (1, 2, 3):
            found = await two.batches.find(batch(number).id, None)
            assert found is not None
            assert (found.completed, found.resent) == (NUMBER, 0)
        assert (await two.ledger.summary(Query()))["requests"] == 3 * NUMBER


async def test_what_has_been_counted_again_stays_counted(
    config: PostgresConfig, runtime: Any
) -> None:
    """Leases that ran out are counted beside the batch, and a change of it keeps both right."""
    async with open_store(config, runtime) as store:
        batches = store.batches
        began = await begin(batches, batch(1), [line(0), line(1)])
        await batches.lease({"acme": 2}, NOW, SOON)
        await batches.lease({"acme": 2}, LATER, LATER + 1)
        for expected in (3, 4):
            changed = await batches.change(
                began.id,
                lambda found: replace(found, resent=found.resent + 1),
            )
            assert changed is not None
            assert changed.resent == expected
        await batches.lease({"acme": 2}, LATER + 2, LATER + 3)
        found = await batches.find(began.id, None)
        assert found is not None
        assert found.resent == 6


async def test_leasing_costs_the_same_at_the_end_as_at_the_beginning(
    config: PostgresConfig, runtime: Any, database: Database
) -> None:
    """It goes by an index to what is open, and passes nothing that is done."""

    async def touched() -> int:
        """Return how many blocks it looks at; what it leases is given back."""
        plan: list[str] = []

        async def explain(connection: Any) -> None:
            sql = f"EXPLAIN (ANALYZE, BUFFERS) {queue._LEASE}"
            rows = await connection.fetch(sql, ["acme"], [10], NOW, SOON)
            plan.extend(text for (text,) in rows)
            raise LookupError

        with pytest.raises(LookupError):
            await database.write(explain)
        assert not any("Seq Scan on batch_" in text for text in plan)
        buffers = next(text for text in plan if "Buffers" in text)
        return sum(int(part.split("=")[1]) for part in buffers.split() if "=" in part)

    async with open_store(config, runtime) as store:
        await begin(store.batches, batch(1), [line(n) for n in range(4_000)])
        first = await touched()
        for _ in range(7):
            leased = await store.batches.lease({"acme": 500}, NOW, SOON)
            await store.batches.commit([outcome(lease, rows=()) for lease in leased], count)
        (last,) = await store.batches.lease({"acme": 1}, NOW, SOON)
        await store.batches.commit([outcome(last)], count)
        assert await touched() < 1.5 * first
