"""What a store must do with the results of batches, as tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import Batch, LineResult, Outcome, Query

from .batch_case import (
    LATER,
    NOW,
    SOON,
    batch,
    batches_of,
    begin,
    count,
    line,
    lines,
    outcome,
    settled,
    turn,
)
from .store_case import StoreCase, attempt, ids, ledger_of, row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gomodel_proxy.api import Batches

MIB = 1024 * 1024


def untold(index: int) -> LineResult:
    """Return a line of which nothing has become."""
    return LineResult(
        index=index,
        custom_id=f"line {index}",
        url="/v1/chat/completions",
        model="acme/large",
        provider="acme",
    )


async def counts(batches: Batches, id_: str) -> tuple[int, int]:
    """Return how many lines have completed and failed."""
    found = await batches.find(id_, None)
    assert found is not None
    return found.completed, found.failed


@pytest.mark.asyncio
class BatchResultsSuite(StoreCase):
    """Committing results with their charges, and reading them."""

    async def test_a_result_comes_with_its_charge(self, tmp_path: Path) -> None:
        """Both are there when `commit` returns, and the batch counts them."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(3))
            first, second, _ = await batches.lease({"acme": 3}, NOW, SOON)
            rows = (
                row("r1", started=NOW + 1, batch=began.id, attempts=[attempt(total_cost=7)]),
                row("r2", started=NOW + 2, batch=began.id),
            )
            kept = await batches.commit(
                [
                    outcome(first, rows=rows, provider="fast", model="served"),
                    outcome(second, failed=True, status_code=429, rows=()),
                ],
                count,
            )
            assert kept == [True, True]
            assert await batches.results(began.id, limit=9) == [
                replace(
                    untold(0),
                    status_code=200,
                    result=b'{"result":0}',
                    provider="fast",
                    model="served",
                ),
                replace(untold(1), failed=True, status_code=429, result=b'{"result":1}'),
                untold(2),
            ]
            assert await counts(batches, began.id) == (1, 1)
            entries = await ledger_of(store).log(Query())
            assert ids(entries) == ["r2", "r1"]
            assert [entry["batch"] for entry in entries] == [began.id] * 2
            assert (await ledger_of(store).summary(Query()))["total_cost"] == 7

    async def test_a_line_takes_one_result(self, tmp_path: Path) -> None:
        """A second one is refused with its charges, in the same call too."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(2))
            first, second = await batches.lease({"acme": 2}, NOW, SOON)
            twice = [outcome(first), outcome(first, result=b"{}", rows=(row("again"),))]
            assert await batches.commit(twice, count) == [True, False]
            late = [outcome(first, rows=(row("late"),)), outcome(second)]
            assert await batches.commit(late, count) == [False, True]
            assert await batches.commit([], count) == []
            assert await counts(batches, began.id) == (2, 0)
            results = await batches.results(began.id, limit=9)
            assert [result.result for result in results] == [b'{"result":0}', b'{"result":1}']
            entries = await ledger_of(store).log(Query())
            assert set(ids(entries)) == {f"req_{began.id}_0", f"req_{began.id}_1"}

    async def test_a_row_that_the_ledger_has_is_no_second_one(self, tmp_path: Path) -> None:
        """The intent of a call gives way to its settlement; a settled row stays."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), lines(2))
            first, second = await batches.lease({"acme": 2}, NOW, SOON)
            await ledger_of(store).write(
                [row("r1", status="unknown"), row("r2", attempts=[attempt(total_cost=1)])]
            )
            await batches.commit(
                [
                    outcome(first, rows=(row("r1", attempts=[attempt(total_cost=2)]),)),
                    outcome(second, rows=(row("r2", attempts=[attempt(total_cost=4)]),)),
                ],
                count,
            )
            summary = await ledger_of(store).summary(Query())
            assert (summary["requests"], summary["total_cost"]) == (2, 3)

    async def test_all_or_nothing(self, tmp_path: Path) -> None:
        """When one batch cannot be counted, no result of any is kept, and no charge."""

        def fail_second(found: Batch, outcomes: Sequence[Outcome]) -> Batch:
            if found.id == batch(2).id:
                raise ArithmeticError(found.id)
            return count(found, outcomes)

        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number in (1, 2):
                await begin(batches, batch(number), lines(1))
            leased = await batches.lease({"acme": 2}, NOW, SOON)
            outcomes = [outcome(lease) for lease in leased]
            with pytest.raises(ArithmeticError):
                await batches.commit(outcomes, fail_second)
            assert await ledger_of(store).log(Query()) == []
            for number in (1, 2):
                assert await counts(batches, batch(number).id) == (0, 0)
                assert await batches.results(batch(number).id, limit=9) == [untold(0)]
            assert await batches.commit(outcomes, count) == [True, True]

    async def test_each_batch_counts_what_was_kept_of_its_own(self, tmp_path: Path) -> None:
        """In the order given; one of which nothing is kept is not counted at all."""
        folded: list[tuple[str, list[int]]] = []

        def remember(found: Batch, outcomes: Sequence[Outcome]) -> Batch:
            folded.append((found.id, [one.index for one in outcomes]))
            return count(found, outcomes)

        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number in (1, 2, 3):
                await begin(batches, batch(number), lines(3))
            leased = await batches.lease({"acme": 9}, NOW, SOON)
            by_line = {(lease.batch, lease.line.index): lease for lease in leased}
            one, two, three = (batch(number).id for number in (1, 2, 3))
            given = [
                outcome(by_line[one, 2]),
                outcome(by_line[two, 0], token=by_line[two, 0].token + 1000),
                outcome(by_line[three, 1]),
                outcome(by_line[one, 0]),
            ]
            assert await batches.commit(given, remember) == [True, False, True, True]
            assert sorted(folded) == [(one, [2, 0]), (three, [1])]

    async def test_a_late_result_counts_if_nobody_else_has_the_line(self, tmp_path: Path) -> None:
        """A lease that has run out is not lost before another takes it."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(1))
            (lease,) = await batches.lease({"acme": 1}, NOW, NOW)
            assert await batches.leased(began.id, LATER) == 0
            assert await batches.commit([outcome(lease)], count) == [True]
            assert await batches.lease({"acme": 1}, LATER, LATER + 1) == []

    async def test_a_cancelled_batch_takes_what_is_under_way(self, tmp_path: Path) -> None:
        """While it is being cancelled, or ended; once it has ended it takes nothing more."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(6))
            leased = await batches.lease({"acme": 6}, NOW, SOON)
            statuses = ("cancelling", "finalizing", "cancelled", "completed", "expired", "failed")
            for lease, status in zip(leased, statuses, strict=True):
                await turn(batches, began.id, status=status)
                kept = await batches.commit([outcome(lease)], count)
                assert kept == [status in ("cancelling", "finalizing")], status
            assert await counts(batches, began.id) == (2, 0)
            assert (await ledger_of(store).summary(Query()))["requests"] == 2

    async def test_a_shipment_settles_without_leases(self, tmp_path: Path) -> None:
        """Its lines only: an executed one needs its token, and a token is none of theirs."""
        given = [line(0, shipment=0), line(1, shipment=0), line(2)]
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), given)
            (lease,) = await batches.lease({"acme": 9}, NOW, SOON)
            assert lease.line.index == 2
            kept = await batches.commit(
                [
                    settled(began.id, 0, shipment=0),
                    settled(began.id, 1, token=lease.token),
                    settled(began.id, 2),
                    settled(began.id, 3, shipment=0),
                    settled("batch_0", 0, shipment=0),
                ],
                count,
            )
            assert kept == [True, False, False, False, False]
            assert await batches.commit([settled(began.id, 0, shipment=0)], count) == [False]
            assert await counts(batches, began.id) == (1, 0)
            assert await batches.pick(began.id, [9, 2, 0, 1]) == given[1:]
            assert await batches.pick(began.id, []) == []

    async def test_an_index_that_no_line_has(self, tmp_path: Path) -> None:
        """It leads to no other batch's line, however large or small it is."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number in (1, 2, 3):
                await begin(batches, batch(number), lines(1, shipment=0))
            id_ = batch(2).id
            for index in (-(2**32), -1, 1, 2**31, 2**32, 2**63, 2**64):
                assert await batches.commit([settled(id_, index, shipment=0)], count) == [False]
                assert await batches.pick(id_, [index]) == []
                assert await batches.renew([(id_, index, 1)], SOON) == [False]
            for number in (1, 2, 3):
                assert await counts(batches, batch(number).id) == (0, 0)

    async def test_results_come_in_pages(self, tmp_path: Path) -> None:
        """All of them, the failed ones or the others; what has no result counts as failed."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), lines(12))
            await begin(batches, batch(2), lines(3, provider="other"))
            leased = await batches.lease({"acme": 9}, NOW, SOON)
            await batches.commit(
                [outcome(lease, failed=lease.line.index % 3 == 0) for lease in leased], count
            )
            wanted: dict[bool | None, list[int]] = {
                None: list(range(12)),
                True: [0, 3, 6, 9, 10, 11],
                False: [1, 2, 4, 5, 7, 8],
            }
            for failed, numbers in wanted.items():
                for limit in (1, 5, 6, 100):
                    seen: list[int] = []
                    while page := await batches.results(
                        began.id, limit=limit, after=seen[-1] if seen else -1, failed=failed
                    ):
                        assert len(page) <= limit
                        seen += [result.index for result in page]
                        assert {r.index for r in page if r.result is None} <= {9, 10, 11}
                    assert seen == numbers

    async def test_what_is_odd_or_large_comes_back(self, tmp_path: Path) -> None:
        """Bodies and results are bytes, however many."""
        body = b'{"x":"' + b"b" * 5 * MIB + b'"}'
        result = b'{"\xff\0":"' + b"r" * 5 * MIB + b'"}'
        odd = line(0, custom_id="nul \0 é", body=body)
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            began = await begin(batches, batch(1), [odd, line(1)])
            first, second = await batches.lease({"acme": 2}, NOW, SOON)
            assert first.line == odd
            await batches.commit(
                [outcome(first, result=result, model="nul \0"), outcome(second, model="\ud800")],
                count,
            )
            found = await batches.results(began.id, limit=9)
            assert (found[0].result, found[0].custom_id) == (result, "nul \0 é")
            assert found[0].model == "nul \0"
            assert found[1].result == b'{"result":1}'

    async def test_hundreds_in_one_call(self, tmp_path: Path) -> None:
        """Of several batches, each with its row."""
        number = 300
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for name in (1, 2):
                await begin(batches, batch(name), lines(number))
            leased = await batches.lease({"acme": 2 * number}, NOW, SOON)
            assert len(leased) == 2 * number
            kept = await batches.commit([outcome(lease) for lease in leased], count)
            assert kept == [True] * 2 * number
            for name in (1, 2):
                assert await counts(batches, batch(name).id) == (number, 0)
            assert (await ledger_of(store).summary(Query()))["requests"] == 2 * number
