"""What a store must do with the lines of batches that wait to be executed, as tests to inherit."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query, Release

from .batch_case import (
    LATER,
    NOW,
    SOON,
    batch,
    batches_of,
    begin,
    claimed,
    count,
    indexes,
    line,
    lines,
    outcome,
    same,
    turn,
)
from .store_case import StoreCase, ledger_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gomodel_proxy.api import Lease, Store


def given_back(lease: Lease, due: int = 0, *, tried: bool = False) -> Release:
    """Return the release of a leased line."""
    return Release(
        batch=lease.batch, index=lease.line.index, token=lease.token, due=due, tried=tried
    )


def shares(leased: Sequence[Lease]) -> dict[str, int]:
    """Return how many lines each batch gave."""
    return Counter(lease.batch for lease in leased)


@pytest.mark.asyncio
class BatchQueueSuite(StoreCase):
    """Leasing, renewing and releasing lines, and waiting for them."""

    async def test_lines_are_leased_in_order_within_the_room(self, tmp_path: Path) -> None:
        """For each provider at most so many, each line once, whole."""
        given = [line(index, provider=("acme", "other")[index % 2]) for index in range(8)]
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), given)
            assert await batches.lease({}, NOW, SOON) == []
            assert await batches.lease({"acme": 0, "third": 5}, NOW, SOON) == []
            first = await batches.lease({"acme": 3, "other": 1}, NOW, SOON)
            assert sorted(indexes(first)) == [0, 1, 2, 4]
            assert [lease.line for lease in first if lease.line.provider == "acme"] == given[:6:2]
            assert {(lease.batch, lease.tries) for lease in first} == {(batch(1).id, 0)}
            rest = await batches.lease({"acme": 9, "other": 9}, NOW, SOON)
            assert sorted(indexes(rest)) == [3, 5, 6, 7]
            assert await batches.lease({"acme": 9, "other": 9}, NOW, SOON) == []
            assert await batches.leased(batch(1).id, NOW) == 8
            assert await batches.leased(batch(1).id, LATER) == 0
            assert await batches.find(batch(1).id, None) == batch(
                1, status="in_progress", total=8, due=None
            )

    async def test_only_batches_in_progress_give_lines(self, tmp_path: Path) -> None:
        """Neither one that is read in yet nor one that is cancelled, and none of a shipment."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            token = await claimed(batches, batch(1))
            await batches.add(batch(1).id, token, lines(2), same)
            await begin(batches, batch(2), lines(2, shipment=0))
            await begin(batches, batch(3), lines(2))
            await turn(batches, batch(3).id, status="cancelling")
            assert await batches.lease({"acme": 9}, NOW, SOON) == []
            await turn(batches, batch(1).id, status="in_progress")
            assert shares(await batches.lease({"acme": 9}, NOW, SOON)) == {batch(1).id: 2}

    async def test_batches_share_the_room_evenly(self, tmp_path: Path) -> None:
        """What one cannot use the others get; what is under way counts."""
        sizes = {1: 20, 2: 20, 3: 1}
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number, size in sizes.items():
                await begin(batches, batch(number), lines(size))
            one, two, three = (batch(number).id for number in sizes)
            assert shares(await batches.lease({"acme": 9}, NOW, SOON)) == {one: 4, two: 4, three: 1}
            await begin(batches, batch(4), lines(20))
            assert shares(await batches.lease({"acme": 4}, NOW, SOON)) == {batch(4).id: 4}
            leased = await batches.lease({"acme": 6}, NOW, SOON)
            assert shares(leased) == {one: 2, two: 2, batch(4).id: 2}

    async def test_room_for_one_goes_round(self, tmp_path: Path) -> None:
        """A batch that is there first holds up none that come later."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number in (1, 2, 3):
                await begin(batches, batch(number), lines(9))
            seen: list[str] = []
            for _ in range(9):
                (lease,) = await batches.lease({"acme": 1}, NOW, SOON)
                await batches.commit([outcome(lease)], count)
                seen.append(lease.batch)
            assert set(Counter(seen).values()) == {3}

    async def test_a_lease_that_ran_out_is_leased_again(self, tmp_path: Path) -> None:
        """The batch counts it, and who had it has lost it."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(4))
            old = await batches.lease({"acme": 2}, NOW, SOON)
            assert indexes(await batches.lease({"acme": 1}, SOON - 1, SOON)) == [2]
            new = await batches.lease({"acme": 9}, LATER, LATER + 1)
            assert sorted(indexes(new)) == [0, 1, 2, 3]  # in order: what ran out comes first
            assert indexes(new) == sorted(indexes(new))
            found = await batches.find(began.id, None)
            assert found is not None
            assert found.resent == 3
            tokens = [(began.id, lease.line.index, lease.token) for lease in (*old, *new)]
            assert await batches.renew(tokens, LATER + 2) == [False] * 2 + [True] * 4
            assert await batches.commit([outcome(lease) for lease in old], count) == [False] * 2
            await batches.release([given_back(lease) for lease in old])
            assert await batches.lease({"acme": 9}, LATER, LATER + 1) == []
            assert await batches.leased(began.id, LATER) == 4

    async def test_a_renewed_lease_does_not_run_out(self, tmp_path: Path) -> None:
        """Also one that had, if nobody took the line meanwhile."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(2))
            first, second = await batches.lease({"acme": 2}, NOW, SOON)
            assert await batches.renew([(began.id, 0, first.token)], LATER + 9) == [True]
            assert indexes(await batches.lease({"acme": 9}, LATER, LATER + 9)) == [1]
            wrong = [(began.id, 1, second.token), (began.id, 9, first.token), ("x", 0, 1)]
            assert await batches.renew(wrong, LATER + 99) == [False] * 3
            assert await batches.renew([], LATER) == []
            assert await batches.commit([outcome(first)], count) == [True]
            assert await batches.renew([(began.id, 0, first.token)], LATER + 99) == [False]

    async def test_leases_are_lost_when_their_batch_is_cancelled(self, tmp_path: Path) -> None:
        """Who works on them is to stop; until then they still count as under way."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(2))
            first, second = await batches.lease({"acme": 2}, NOW, SOON)
            await turn(batches, began.id, status="cancelling")
            tokens = [(began.id, lease.line.index, lease.token) for lease in (first, second)]
            assert await batches.renew(tokens, LATER) == [False, False]
            assert await batches.leased(began.id, NOW) == 2
            await batches.release([given_back(first)])
            assert await batches.leased(began.id, NOW) == 1
            assert await batches.commit([outcome(second)], count) == [True]
            assert await batches.leased(began.id, NOW) == 0

    async def test_a_line_given_back_is_leased_when_it_is_due(self, tmp_path: Path) -> None:
        """Its tries are counted, it is not "resent", and its token is worth nothing any more."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(3))
            first, second, third = await batches.lease({"acme": 3}, NOW, SOON)
            await batches.release(
                [given_back(first, NOW + 50, tried=True), given_back(second), given_back(third)]
            )
            await batches.release([given_back(first), given_back(second, NOW + 99, tried=True)])
            assert await batches.leased(began.id, NOW) == 0
            assert await batches.commit([outcome(first)], count) == [False]
            assert await batches.renew([(began.id, 0, first.token)], SOON) == [False]
            again = await batches.lease({"acme": 1}, NOW + 49, SOON)
            assert [(lease.line.index, lease.tries) for lease in again] == [(1, 0)]
            again = await batches.lease({"acme": 9}, NOW + 50, SOON)
            assert [(lease.line.index, lease.tries) for lease in again] == [(0, 1), (2, 0)]
            assert again[0].token != first.token
            await batches.release([given_back(again[0], tried=True)])
            (again_first,) = await batches.lease({"acme": 9}, NOW + 50, SOON)
            assert again_first.tries == 2
            found = await batches.find(began.id, None)
            assert found is not None
            assert found.resent == 0

    async def test_no_line_is_leased_once_all_have_results(self, tmp_path: Path) -> None:
        """Neither now nor when leases have run out."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), lines(3))
            leased = await batches.lease({"acme": 3}, NOW, SOON)
            await batches.commit([outcome(lease) for lease in leased], count)
            assert await batches.lease({"acme": 9}, LATER, LATER + 1) == []

    # ------------------------------------------------------------ several at once

    async def test_several_share_the_work(self, tmp_path: Path) -> None:
        """Each line is leased by one and committed once, its charge with it."""
        number = 120

        async def work(store: Store) -> int:
            batches, done = batches_of(store), 0
            while leased := await batches.lease({"acme": 7}, NOW, SOON):
                kept = await batches.commit([outcome(lease) for lease in leased], count)
                assert all(kept)
                done += len(kept)
            return done

        async with self.open_store(tmp_path) as one, self.open_store(tmp_path) as two:
            for name in (1, 2):
                await begin(batches_of(one), batch(name), lines(number))
            done = await asyncio.gather(*(work(store) for store in (one, two, one, two)))
            assert sum(done) == 2 * number
            for name in (1, 2):
                found = await batches_of(two).find(batch(name).id, None)
                assert found is not None
                assert (found.completed, found.resent) == (number, 0)
            assert (await ledger_of(one).summary(Query()))["requests"] == 2 * number

    async def test_several_look_after_batches(self, tmp_path: Path) -> None:
        """Each is claimed by one of them."""
        async with self.open_store(tmp_path) as one, self.open_store(tmp_path) as two:
            for number in range(1, 21):
                await batches_of(one).create(batch(number))
            stores = (one, two) * 12
            claims = await asyncio.gather(*(batches_of(store).claim(NOW, SOON) for store in stores))
            found = [claim.batch.id for claim in claims if claim is not None]
            assert sorted(found) == [batch(number).id for number in range(1, 21)]

    async def test_a_result_counts_once(self, tmp_path: Path) -> None:
        """Two that commit the same line at the same time: one of them is told so."""
        async with self.open_store(tmp_path) as one, self.open_store(tmp_path) as two:
            began = await begin(batches_of(one), batch(1), lines(1))
            (lease,) = await batches_of(one).lease({"acme": 1}, NOW, SOON)
            kept = await asyncio.gather(
                *(batches_of(store).commit([outcome(lease)], count) for store in (one, two) * 3)
            )
            assert sorted(map(list, kept)) == [[False]] * 5 + [[True]]
            found = await batches_of(one).find(began.id, None)
            assert found is not None
            assert found.completed == 1
            assert (await ledger_of(one).summary(Query()))["requests"] == 1

    # ------------------------------------------------------------ waiting

    async def test_waiting_ends_by_itself(self, tmp_path: Path) -> None:
        """Another process may have done something that nobody tells of."""
        async with self.open_store(tmp_path) as store:
            await asyncio.wait_for(batches_of(store).wait(0.01), 30)

    async def test_waiting_ends_with_something_to_do(self, tmp_path: Path) -> None:
        """A new batch, lines to lease, a line given back; several may wait."""

        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)

            async def create() -> None:
                await batches.create(batch(1))

            async def open_lines() -> None:
                claim = await batches.claim(NOW, SOON)
                assert claim is not None
                await batches.add(batch(1).id, claim.token, lines(1), same)
                await turn(batches, batch(1).id, status="in_progress")

            async def give_back() -> None:
                (lease,) = await batches.lease({"acme": 1}, NOW, SOON)
                await batches.release([given_back(lease)])

            for act in (create, open_lines, give_back):
                waiting = [asyncio.create_task(batches.wait(300)) for _ in range(2)]
                await asyncio.sleep(0)  # both have begun to wait
                await act()
                await asyncio.wait_for(asyncio.gather(*waiting), 30)
