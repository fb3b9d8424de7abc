"""What every store must do, as tests to inherit.

    class TestAcme(StoreSuite):
        def open_store(self, tmp_path):
            return open_acme(AcmeConfig(path=str(tmp_path / "acme.db")), runtime)

Opening twice with the same ``tmp_path`` must give the same data, one after the other or at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query, Resource

from .batch_queue_suite import BatchQueueSuite
from .batch_results_suite import BatchResultsSuite
from .batches_suite import BatchesSuite
from .files_suite import FilesSuite
from .ledger_suite import LedgerSuite
from .report_suite import ReportSuite
from .responses_suite import ResponsesSuite
from .store_case import attempt, ledger_of, resources_of, row

if TYPE_CHECKING:
    from pathlib import Path

    from gomodel_proxy.api import Store


@pytest.mark.asyncio
class StoreSuite(
    LedgerSuite,
    ReportSuite,
    ResponsesSuite,
    BatchesSuite,
    BatchQueueSuite,
    BatchResultsSuite,
    FilesSuite,
):
    """Inherit, and give `open_store`."""

    async def test_data_stay_when_it_closes(self, tmp_path: Path) -> None:
        """Opened again, the store has what it had."""
        owned = Resource(kind="response", id="resp_1", owner="a", provider="acme", created=1)
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write([row("r1", attempts=[attempt(total_cost=1)])])
            await resources_of(store).add([owned])
            before = await ledger_of(store).log(Query())
        async with self.open_store(tmp_path) as store:
            assert await ledger_of(store).log(Query()) == before
            assert await resources_of(store).find("response", "resp_1") == owned

    async def test_two_at_once_on_the_same_data(self, tmp_path: Path) -> None:
        """Two open stores write at the same time, lose nothing and double nothing."""
        async with self.open_store(tmp_path) as one, self.open_store(tmp_path) as two:

            async def write(store: Store, name: str) -> None:
                for n in range(20):
                    await ledger_of(store).write([row(f"both{n}"), row(f"{name}{n}")])

            await asyncio.gather(write(one, "one"), write(two, "two"))
            for store in (one, two):
                assert (await ledger_of(store).summary(Query()))["requests"] == 60

    async def test_many_callers_at_once(self, tmp_path: Path) -> None:
        """Writers and readers in one process wait for each other, none of them fails."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            writes = [ledger.write([row(f"r{n}")]) for n in range(40)]
            await asyncio.gather(*writes, *(ledger.summary(Query()) for _ in range(40)))
            assert (await ledger.summary(Query()))["requests"] == 40

    async def test_check(self, tmp_path: Path) -> None:
        """A store that works says so by not raising, and leaves no trace."""
        async with self.open_store(tmp_path) as store:
            await store.check()
            assert (await ledger_of(store).summary(Query()))["requests"] == 0

    async def test_resources(self, tmp_path: Path) -> None:
        """The first to enter an id owns it; kinds have ids of their own."""
        mine = Resource(kind="file", id="x", owner="a", provider="acme", created=1)
        async with self.open_store(tmp_path) as store:
            resources = resources_of(store)
            assert await resources.find("file", "x") is None
            assert await resources.find("file", "half a pair: \ud800") is None
            await resources.add([])
            await resources.add([mine])
            await resources.add(
                [
                    Resource(kind="file", id="x", owner="b", provider="other", created=2),
                    Resource(kind="file", id="y", owner="b", provider="other", created=2),
                ]
            )
            assert await resources.find("file", "x") == mine
            assert await resources.find("response", "x") is None
            found = await resources.find("file", "y")
            assert found is not None
            assert found.owner == "b"

    async def test_resources_are_listed_by_kind_and_age(self, tmp_path: Path) -> None:
        """Page by page come all that are old enough, each once."""
        made = [
            Resource(kind="file", id=f"f_{number}", owner="a", provider="acme", created=number)
            for number in range(7)
        ]
        other = Resource(kind="response", id="f_0", owner="a", provider="acme", created=0)
        async with self.open_store(tmp_path) as store:
            resources = resources_of(store)
            await resources.add([*reversed(made), other])
            found: list[Resource] = []
            while page := await resources.list(
                "file", before=6, after=found[-1].id if found else "", limit=4
            ):
                found += page
            assert found == made[:6]

    async def test_resources_are_forgotten(self, tmp_path: Path) -> None:
        """A removed id is gone, can be entered anew, and removing an unknown one is no error."""
        mine = Resource(kind="file", id="x", owner="a", provider="acme", created=1)
        async with self.open_store(tmp_path) as store:
            resources = resources_of(store)
            await resources.remove("file", "x")
            await resources.add([mine])
            await resources.remove("response", "x")
            assert await resources.find("file", "x") == mine
            await resources.remove("file", "x")
            assert await resources.find("file", "x") is None
            await resources.add([mine])
            assert await resources.find("file", "x") == mine
