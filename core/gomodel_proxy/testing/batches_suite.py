"""What a store must do with batches as values, as tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import Batch, BatchError, Query, Shipment, Spent, StoredFile, Webhook

from .batch_case import (
    LATER,
    NOW,
    SOON,
    batch,
    batches_of,
    begin,
    claimed,
    count,
    line,
    lines,
    outcome,
    same,
    turn,
)
from .store_case import StoreCase, ids, ledger_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNKNOWN = "batch_00000000000000000000000000000bad"


def numbers(found: Sequence[Batch]) -> list[int]:
    """Return the numbers of batches, in order."""
    return [int(one.id.removeprefix("batch_"), 16) for one in found]


@pytest.mark.asyncio
class BatchesSuite(StoreCase):
    """Making, finding, changing and deleting batches, and looking after them."""

    async def test_a_batch_is_kept_whole(self, tmp_path: Path) -> None:
        """Every member of it comes back, also when the store is opened again."""
        whole = batch(
            admin=True,
            metadata=b'{"a":"\\u0000 \xc3\xa9"}',
            headers=(("openai-beta", "x\udce9"), ("x", "nul \0")),
            models=("a", "b"),
            errors=(BatchError(code="c", message="m \0 é", line=3, param="body"),),
            shipments=(
                Shipment(
                    number=0, provider="p", model="m", dialect="d", mark="k", vendor=b"\0\xff"
                ),
            ),
            spent=Spent(input_tokens=2**40, total_cost=None),
            webhook=Webhook(url="https://example.com/"),
            due=None,
        )
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            assert await batches.create(whole) == whole
            assert await batches.find(whole.id, "key_a") == whole
        async with self.open_store(tmp_path) as store:
            assert await batches_of(store).find(whole.id, None) == whole
            assert await batches_of(store).list("key_a", limit=1) == [whole]

    async def test_a_batch_is_its_owners(self, tmp_path: Path) -> None:
        """To others it does not exist, nor does what has no form of an id."""
        mine, other = batch(1), batch(2, owner="key_b")
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await batches.create(mine)
            await batches.create(other)
            assert await batches.find(mine.id, None) == mine
            assert await batches.find(mine.id, "key_b") is None
            assert not await batches.delete(mine.id, "key_b")
            assert await batches.list("key_a", limit=9) == [mine]
            assert await batches.list("key_b", limit=9) == [other]
            assert await batches.list(None, limit=9) == [other, mine]
            for strange in (UNKNOWN, "", "nul \0", "half a pair: \ud800"):
                assert await batches.find(strange, None) is None
                assert await batches.change(strange, same) is None
                assert not await batches.delete(strange, None)

    async def test_a_key_makes_one_batch(self, tmp_path: Path) -> None:
        """Created again with its owner's key it is the one that is there, as it stands."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await batches.create(batch(1), "key \0")
            changed = await turn(batches, batch(1).id, status="in_progress")
            assert await batches.create(batch(2), "key \0") == changed
            assert await batches.made("key_a", "key \0") == changed
            assert await batches.made("key_b", "key \0") is None
            assert await batches.made("key_a", "half a pair: \ud800") is None
            assert await batches.find(batch(2).id, None) is None
            for number, owner, key in ((3, "key_a", "other"), (4, "key_b", "key \0")):
                made = batch(number, owner=owner)
                assert await batches.create(made, key) == made
            for number in (5, 6):  # without a key they have nothing in common
                assert await batches.create(batch(number)) == batch(number)
            assert await batches.delete(batch(1).id, None)
            assert await batches.made("key_a", "key \0") is None
            assert await batches.create(batch(7), "key \0") == batch(7)

    async def test_the_list_comes_in_pages(self, tmp_path: Path) -> None:
        """Newest first, going on behind a batch or before one, among the owner's."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            for number in range(1, 10):
                owner = "key_b" if number == 5 else "key_a"
                # some of the same microsecond: the order is still one and the same
                await batches.create(batch(number, owner=owner, created=NOW + number // 3))
            listed = await batches.list("key_a", limit=100)
            assert numbers(listed) == [9, 8, 7, 6, 4, 3, 2, 1]
            for limit in (1, 2, 3):
                seen: list[Batch] = []
                while page := await batches.list(
                    "key_a", limit=limit, after=seen[-1].id if seen else None
                ):
                    seen += page
                assert seen == listed
            assert await batches.list("key_a", limit=2, before=batch(2).id) == listed[4:6]
            assert await batches.list("key_a", limit=9, before=batch(7).id) == listed[:2]
            assert await batches.list("key_a", limit=9, before=batch(9).id) == []
            assert numbers(await batches.list(None, limit=2, after=batch(6).id)) == [5, 4]
            for unknown in (UNKNOWN, batch(5).id, "half a pair: \ud800"):
                with pytest.raises(LookupError):
                    await batches.list("key_a", limit=2, after=unknown)
                with pytest.raises(LookupError):
                    await batches.list("key_a", limit=2, before=unknown)

    async def test_a_change_is_all_or_nothing(self, tmp_path: Path) -> None:
        """It starts from how the batch stands, and one that raises changes nothing."""

        def fail(found: Batch) -> NoReturn:
            raise ArithmeticError(found.id)

        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await batches.create(batch(1))
            for taken in (1, 2, 3):
                changed = await batches.change(
                    batch(1).id, lambda found: replace(found, taken=found.taken + 1)
                )
                assert changed == batch(1, taken=taken)
            with pytest.raises(ArithmeticError):
                await batches.change(batch(1).id, fail)
            assert await batches.find(batch(1).id, None) == batch(1, taken=3)

    async def test_a_deleted_batch_has_gone(self, tmp_path: Path) -> None:
        """With its lines, what was leased of it, and the files made of it; its charges stay."""
        files = [
            StoredFile(id=f"file-{n}", owner="a", user_path="/", created=NOW, name="n", purpose="p")
            for n in (1, 2)
        ]
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), lines(3))
            await begin(batches, batch(2), lines(1))
            assert store.files is not None
            for file, number in zip(files, (1, 2), strict=True):
                await store.files.enter(replace(file, batch=batch(number).id))
            leased = await batches.lease({"acme": 2}, NOW, SOON)
            first = next(lease for lease in leased if lease.batch == batch(1).id)
            assert await batches.commit([outcome(first)], count) == [True]
            assert await batches.delete(batch(1).id, "key_a")
            assert not await batches.delete(batch(1).id, "key_a")
            assert await batches.find(batch(1).id, None) is None
            assert numbers(await batches.list(None, limit=9)) == [2]
            assert await batches.lines(batch(1).id, limit=9) == []
            assert await batches.results(batch(1).id, limit=9) == []
            assert await batches.pick(batch(1).id, [1, 2]) == []
            assert await batches.leased(batch(1).id, NOW) == 0
            assert await batches.repeats(batch(1).id, 9) == []
            assert {one.batch for one in await batches.lease({"acme": 9}, LATER, LATER + 1)} == {
                batch(2).id
            }
            assert await store.files.find("file-1", None) is None
            assert await store.files.find("file-2", None) is not None
            kept = ids(await ledger_of(store).log(Query()))
            assert kept == [outcome(first).rows[0].id]
            # the id can be used again, and nothing of the old one comes back
            await begin(batches, batch(1), lines(1))
            (result,) = await batches.results(batch(1).id, limit=9)
            assert result.result is None

    async def test_a_lost_lease_of_a_deleted_batch(self, tmp_path: Path) -> None:
        """Who still worked on it is told that the lease is lost, and nothing is kept."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), lines(1))
            (lease,) = await batches.lease({"acme": 1}, NOW, SOON)
            await batches.delete(batch(1).id, None)
            assert await batches.renew([(lease.batch, 0, lease.token)], LATER) == [False]
            assert await batches.commit([outcome(lease)], count) == [False]
            assert await ledger_of(store).log(Query()) == []

    # ------------------------------------------------------------ looking after them

    async def test_a_look_says_whether_there_is_work(self, tmp_path: Path) -> None:
        """Batches that nobody looks after and lines to execute are work; looking takes none."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            assert not await batches.look(NOW)
            await batches.create(batch(1, due=NOW + 5))
            assert not await batches.look(NOW + 4)
            assert await batches.look(NOW + 5)
            claim = await batches.claim(NOW + 5, SOON)
            assert claim is not None
            assert not await batches.look(SOON - 1)
            assert await batches.look(SOON)
            await batches.change(claim.batch.id, lambda found: replace(found, due=None))
            assert not await batches.look(LATER)
            await begin(batches, batch(2), lines(1))
            assert await batches.look(NOW)
            (lease,) = await batches.lease({"acme": 9}, NOW, SOON)
            await batches.commit([outcome(lease)], count)
            await turn(batches, batch(2).id, status="completed", completed_at=NOW)
            assert not await batches.look(LATER)

    async def test_the_longest_due_is_claimed_first(self, tmp_path: Path) -> None:
        """One at a time, none before it is due, none that is not."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            assert await batches.claim(NOW, SOON) is None
            for number, due in enumerate((NOW - 1, NOW + 50, None, NOW - 2, NOW), 1):
                await batches.create(batch(number, due=due))
            claims = [await batches.claim(NOW, SOON) for _ in range(4)]
            assert [claim and claim.batch for claim in claims] == [
                batch(4, due=NOW - 2),
                batch(1, due=NOW - 1),
                batch(5, due=NOW),
                None,
            ]
            claim = await batches.claim(NOW + 50, SOON)
            assert claim is not None
            assert numbers([claim.batch]) == [2]

    async def test_a_claim_is_lost_when_it_has_run_out_and_another_took_it(
        self, tmp_path: Path
    ) -> None:
        """Until then it can be kept; after that the one who had it may change nothing."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            id_ = batch(1).id
            first = await claimed(batches, batch(1))
            assert await batches.claim(SOON - 1, LATER) is None
            assert await batches.keep(id_, first, LATER + 5)
            assert await batches.claim(LATER, LATER + 9) is None
            second = await batches.claim(LATER + 6, LATER + 9)
            assert second is not None
            assert second.token != first
            assert not await batches.keep(id_, first, LATER + 99)
            assert await batches.change(id_, lambda found: replace(found, taken=7), first) is None
            assert await batches.add(id_, first, lines(2), same) is None
            await batches.leave(id_, first)  # no error, and the claim is not given up
            assert await batches.claim(LATER + 8, LATER + 9) is None
            assert await batches.lines(id_, limit=9) == []
            changed = await batches.change(id_, lambda found: replace(found, taken=8), second.token)
            assert changed == batch(1, taken=8)

    async def test_a_claim_that_was_given_up(self, tmp_path: Path) -> None:
        """Another may have it at once; its token is worth nothing any more."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            token = await claimed(batches, batch(1))
            # anybody may change a batch, say cancel it, while another looks after it
            await turn(batches, batch(1).id, status="cancelling", due=NOW - 1)
            assert await batches.claim(NOW, SOON) is None
            await batches.leave(batch(1).id, token)
            assert not await batches.keep(batch(1).id, token, LATER)
            assert await batches.change(batch(1).id, same, token) is None
            again = await batches.claim(NOW, SOON)
            assert again is not None
            assert again.batch == batch(1, status="cancelling", due=NOW - 1)
            assert again.token != token

    async def test_lines_come_in_with_the_progress_they_mean(self, tmp_path: Path) -> None:
        """Both or neither; lines that are there already stay as they are."""

        def taken(found: Batch) -> Batch:
            return replace(found, taken=found.taken + 2)

        def fail(found: Batch) -> NoReturn:
            raise ArithmeticError(found.id)

        odd = line(1, custom_id="nul \0", model="é\0", body=b'{"s":"\xc3\xa9\\u0000\\ud800"}')
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            id_ = batch(1).id
            token = await claimed(batches, batch(1))
            assert await batches.add(id_, token, [line(0), odd], taken) == batch(1, taken=2)
            with pytest.raises(ArithmeticError):
                await batches.add(id_, token, [line(2)], fail)
            assert await batches.lines(id_, limit=9) == [line(0), odd]
            again = [line(1, custom_id="other", body=b"{}"), line(2, shipment=0)]
            assert await batches.add(id_, token, again, taken) == batch(1, taken=4)
            assert await batches.lines(id_, limit=9) == [line(0), odd, line(2, shipment=0)]
            assert await batches.add(id_, token, [], taken) == batch(1, taken=6)
            assert await batches.find(id_, None) == batch(1, taken=6)

    async def test_half_a_pair_keeps_no_line_out(self, tmp_path: Path) -> None:
        """Text that has no UTF-8 is kept in some other form."""
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), [line(0), line(1, custom_id="x\ud800"), line(2)])
            found = await batches.lines(batch(1).id, limit=9)
            assert [found[0], found[2]] == [line(0), line(2)]
            assert found[1].custom_id.startswith("x")

    async def test_repeated_ids_are_found(self, tmp_path: Path) -> None:
        """Every line whose id an earlier one has, in order; other batches do not matter."""
        names = ["a", "b", "a", "c", "b", "a", "A", "nul \0", "nul ", "nul \0"]
        given = [line(index, custom_id=name) for index, name in enumerate(names)]
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), given)
            await begin(batches, batch(2), lines(5))
            repeated = [(2, "a"), (4, "b"), (5, "a"), (9, "nul \0")]
            assert list(await batches.repeats(batch(1).id, 9)) == repeated
            assert list(await batches.repeats(batch(1).id, 2)) == repeated[:2]
            assert await batches.repeats(batch(2).id, 9) == []

    async def test_lines_are_read_in_pages(self, tmp_path: Path) -> None:
        """All of them, or those of one shipment."""
        given = [line(index, shipment=(None, 0, 1)[index % 3]) for index in range(12)]
        async with self.open_store(tmp_path) as store:
            batches = batches_of(store)
            await begin(batches, batch(1), given)
            await begin(batches, batch(2), lines(12, shipment=0))
            for shipment, wanted in ((None, given), (0, given[1::3]), (1, given[2::3]), (2, [])):
                seen = list(await batches.lines(batch(1).id, limit=2, shipment=shipment))
                while seen and (
                    page := await batches.lines(
                        batch(1).id, limit=2, after=seen[-1].index, shipment=shipment
                    )
                ):
                    seen += page
                assert seen == wanted
