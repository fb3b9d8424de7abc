"""How a store's ledger keeps, shows and narrows rows; part of `StoreSuite`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Attempt, InvalidRequest, LedgerRow, Query, Usage

from .store_case import NOON, StoreCase, attempt, ids, ledger_of, picked, row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.mark.asyncio
class LedgerSuite(StoreCase):
    """Writing, the log, and narrowing."""

    # ------------------------------------------------------------ writing

    async def test_row_is_visible_at_once_and_whole(self, tmp_path: Path) -> None:
        """What was written is in the log as soon as `write` has returned, every member of it."""
        usage = Usage(input=10, output=5, cache_read=4, reasoning=2, raw=b'{"x": [1, 2]}')
        tried = attempt(
            http_status=200,
            latency=900,
            first_token=300,
            usage=usage,
            input_cost=7,
            output_cost=8,
            total_cost=15,
            price_version="2026-11",
        )
        whole = row(
            "r1",
            stream=True,
            batch="batch_1",
            http_status=200,
            error="none really",
            latency=1000,
            first_token=400,
            losses=["stop", "n(3>1)"],
            attempts=[tried],
        )
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write([whole])
            (entry,) = await ledger_of(store).log(Query())
        for name in LedgerRow.__struct_fields__:
            if name != "attempts":
                assert entry[name] == getattr(whole, name), name
        (shown,) = entry["attempts"]
        for name in Attempt.__struct_fields__:
            if name != "usage":
                assert shown[name] == getattr(tried, name), name
        assert picked(shown, "input_tokens", "output_tokens", "total_tokens", "provenance") == {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "provenance": "reported",
        }
        assert shown["raw_usage"] == {"x": [1, 2]}

    async def test_writing_again_changes_nothing(self, tmp_path: Path) -> None:
        """A settled row stays as it was first written, attempts included."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write([row("r1", attempts=[attempt(total_cost=5)])])
            before = await ledger.log(Query())
            await ledger.write([row("r1", attempts=[attempt(total_cost=5)])])
            await ledger.write([row("r1", status="error", attempts=[attempt(total_cost=9)] * 2)])
            await ledger.write([row("r1", status="unknown")])
            assert await ledger.log(Query()) == before

    async def test_unknown_gives_way_to_settled(self, tmp_path: Path) -> None:
        """The settled row takes the place of an unknown one, and its attempts of the old ones."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            unknown = attempt(status="unknown")
            await ledger.write([row("r1", status="unknown", attempts=[unknown, unknown])])
            await ledger.write([row("r1", status="unknown", error="another")])
            (entry,) = await ledger.log(Query())
            assert (entry["error"], len(entry["attempts"])) == (None, 2)
            await ledger.write([row("r1", latency=7, attempts=[attempt(total_cost=3)])])
            (entry,) = await ledger.log(Query())
            assert picked(entry, "status", "latency", "total_cost") == {
                "status": "ok",
                "latency": 7,
                "total_cost": 3,
            }
            assert [one["status"] for one in entry["attempts"]] == ["ok"]

    async def test_one_batch_may_hold_a_row_twice(self, tmp_path: Path) -> None:
        """The same rules hold within one batch, and its other rows are not held up."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write([row("r1"), row("r2", status="unknown")])
            await ledger.write(
                [
                    row("r3", status="unknown", attempts=[attempt(status="unknown")]),
                    row("r3", status="cancelled", attempts=[attempt(), attempt()]),
                    row("r3", status="error"),
                    row("r1", status="error"),
                    row("r2", status="cancelled"),
                    row("r2", status="error"),
                    row("r4"),
                ]
            )
            found = {entry["id"]: entry for entry in await ledger.log(Query())}
        assert {id_: entry["status"] for id_, entry in found.items()} == {
            "r1": "ok",
            "r2": "cancelled",
            "r3": "cancelled",
            "r4": "ok",
        }
        assert len(found["r3"]["attempts"]) == 2

    async def test_large_batch(self, tmp_path: Path) -> None:
        """A batch of any size arrives whole."""
        many = [row(f"r{n:05}", attempts=[attempt(total_cost=n)] * 2) for n in range(1_234)]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write([])
            await ledger_of(store).write(many)
            summary = await ledger_of(store).summary(Query())
            entries = await ledger_of(store).log(Query(limit=2_000))
        assert summary["requests"] == 1_234
        assert summary["total_cost"] == 1_233 * 1_234
        assert sorted(ids(entries)) == [one.id for one in many]

    async def test_nonsense_does_not_hold_up_a_batch(self, tmp_path: Path) -> None:
        """Numbers and text that a database cannot hold do not keep other rows out."""
        nonsense = row(
            "r1",
            error="half a pair: \ud800",
            attempts=[attempt(usage=Usage(input=2**70, output=3, raw=b"\xff not JSON"))],
        )
        odd = row("r3", error="NUL \x00 and \U0001f600 'quotes\" %_")
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write([row("r0"), nonsense, row("r2"), odd])
            entries = {entry["id"]: entry for entry in await ledger_of(store).log(Query())}
            summary = await ledger_of(store).summary(Query())
        assert sorted(entries) == ["r0", "r1", "r2", "r3"]
        assert entries["r3"]["error"] == odd.error
        assert summary["output_tokens"] == 3

    # ------------------------------------------------------------ the log

    async def test_newest_first_in_pages(self, tmp_path: Path) -> None:
        """Pages follow each other without a gap or a row twice, even within one microsecond."""
        rows = [row(f"r{n:02}", started=NOON + n // 3) for n in range(20)]
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write(rows)
            seen: list[Mapping[str, Any]] = []
            after = None
            while page := await ledger.log(Query(limit=4, after=after)):
                assert len(page) <= 4
                seen += page
                after = page[-1]["id"]
        assert sorted(ids(seen)) == [one.id for one in rows]
        times = [entry["started"] for entry in seen]
        assert times == sorted(times, reverse=True)

    async def test_pages_keep_to_the_question(self, tmp_path: Path) -> None:
        """Going on after a row asks the same question again."""
        rows = [row(f"r{n}", started=NOON + n, principal=f"key_{n % 2}") for n in range(8)]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(rows)
            question = Query(principal="key_1", limit=2, after="r5")
            assert ids(await ledger_of(store).log(question)) == ["r3", "r1"]

    async def test_a_page_after_nothing_is_refused(self, tmp_path: Path) -> None:
        """The last page is empty; what is no row, or another tenant's, is no place in the log."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write(
                [row("r1", started=NOON), row("r2", started=NOON + 1, principal="key_b")]
            )
            assert ids(await ledger.log(Query(after="r1"))) == []
            for question in (Query(after="r9"), Query(after="r2", principal="key_a")):
                with pytest.raises(InvalidRequest) as refused:
                    await ledger.log(question)
                assert refused.value.param == "after"

    async def test_attempts_in_order_with_their_sums(self, tmp_path: Path) -> None:
        """A row adds up what its attempts know; nobody knowing is null, not zero."""
        first = Usage(input=10, output=0, cache_write=3, cache_write_1h=2, provenance="estimated")
        second = Usage(input=20, output=7, audio_input=1)
        tried = [
            attempt(id="att_1", provider="acme", status="error", usage=first, input_cost=4),
            attempt(id="att_2", provider="other", usage=second, total_cost=6),
            attempt(id="att_3", provider="third"),
        ]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(
                [row("r1", attempts=tried), row("r0", started=NOON - 1, attempts=[attempt()])]
            )
            entry, unused = await ledger_of(store).log(Query())
        assert [one["id"] for one in entry["attempts"]] == ["att_1", "att_2", "att_3"]
        sums = {
            "input_tokens": 30,
            "output_tokens": 7,
            "total_tokens": 37,
            "cache_read_tokens": None,
            "cache_write_tokens": 3,
            "cache_write_1h_tokens": 2,
            "reasoning_tokens": None,
            "audio_input_tokens": 1,
            "audio_output_tokens": None,
            "input_cost": 4,
            "output_cost": None,
            "total_cost": 6,
        }
        assert picked(entry, *sums) == sums
        assert set(picked(unused, *sums).values()) == {None}
        assert unused["attempts"][0]["provenance"] is None
        assert unused["attempts"][0]["raw_usage"] is None

    # ------------------------------------------------------------ narrowing

    async def test_since_and_until_are_half_open(self, tmp_path: Path) -> None:
        """``since`` is in, ``until`` is out."""
        rows = [row(f"r{n}", started=NOON + n) for n in range(4)]
        question = Query(since=NOON + 1, until=NOON + 3)
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(rows)
            assert ids(await ledger_of(store).log(question)) == ["r2", "r1"]
            assert (await ledger_of(store).summary(question))["requests"] == 2

    async def test_user_path_is_a_subtree(self, tmp_path: Path) -> None:
        """``/team`` is itself and all below it; nothing that merely looks like it."""
        paths = [
            *("/", "/team", "/team/x", "/team/x/y", "/teammate", "/team-x", "/team.x", "/Team"),
            *("/team0", "/te%m", "/te%m/x", "/t_am", "/other/team"),
        ]
        rows = [row(f"r{n}", user_path=path) for n, path in enumerate(paths)]
        expected = {
            "/": set(paths),
            "/team": {"/team", "/team/x", "/team/x/y"},
            "/team/": {"/team", "/team/x", "/team/x/y"},
            "/team/x": {"/team/x", "/team/x/y"},
            "/te%m": {"/te%m", "/te%m/x"},
            "/t_am": {"/t_am"},
            "/nobody": set(),
        }
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write(rows)
            for path, inside in expected.items():
                entries = await ledger.log(Query(user_path=path))
                assert {entry["user_path"] for entry in entries} == inside, path
                summary = await ledger.summary(Query(user_path=path))
                assert summary["requests"] == len(inside), path

    async def test_tenants_see_their_own(self, tmp_path: Path) -> None:
        """``principal`` narrows every report."""
        mine = row("r1", principal="key_a", attempts=[attempt(total_cost=1)])
        theirs = row("r2", principal="key_b", attempts=[attempt(total_cost=2, model="small")])
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write([mine, theirs])
            question = Query(principal="key_b")
            assert ids(await ledger.log(question)) == ["r2"]
            assert (await ledger.summary(question))["total_cost"] == 2
            assert [day["requests"] for day in await ledger.daily(question)] == [1]
            assert [one["model"] for one in await ledger.models(question)] == ["small"]

    async def test_model_provider_and_status(self, tmp_path: Path) -> None:
        """``model`` is a model asked for or served; ``provider`` and ``status`` are the row's."""
        rows = [
            row("r1", model="fast", served_model="small"),
            row("r2", model="small", served_model="small", provider="other"),
            row("r3", model="large", served_model="large", status="error"),
        ]
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write(rows)
            for question, expected in (
                (Query(model="small"), {"r1", "r2"}),
                (Query(model="fast"), {"r1"}),
                (Query(model="nobody"), set()),
                (Query(provider="other"), {"r2"}),
                (Query(status="error"), {"r3"}),
                (Query(model="small", provider="acme", status="ok"), {"r1"}),
            ):
                assert set(ids(await ledger.log(question))) == expected
                assert (await ledger.summary(question))["requests"] == len(expected)
