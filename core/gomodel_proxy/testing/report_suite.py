"""What a store's ledger adds up; part of `StoreSuite`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query, Usage

from .store_case import HOUR, NOON, StoreCase, attempt, ledger_of, picked, row

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.asyncio
class ReportSuite(StoreCase):
    """Summary, daily and models."""

    async def test_summary(self, tmp_path: Path) -> None:
        """Requests count once, attempts all add up, and what has no price is counted apart."""
        priced = attempt(usage=Usage(input=100, output=20, cache_read=60), total_cost=50)
        unpriced = attempt(usage=Usage(input=1, output=0, provenance="partial"))
        unused = attempt(status="error")
        rows = [
            row("r1", attempts=[priced, unpriced]),
            row("r2", status="error", attempts=[unused, unused]),
            row("r3", status="cancelled", attempts=[unpriced]),
            row("r4", status="unknown"),
        ]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(rows)
            summary = await ledger_of(store).summary(Query())
        expected = {
            "requests": 4,
            "ok": 1,
            "error": 1,
            "cancelled": 1,
            "unknown": 1,
            "input_tokens": 102,
            "output_tokens": 20,
            "total_tokens": 122,
            "cache_read_tokens": 60,
            "cache_write_tokens": 0,
            "cache_write_1h_tokens": 0,
            "reasoning_tokens": 0,
            "audio_input_tokens": 0,
            "audio_output_tokens": 0,
            "input_cost": None,
            "output_cost": None,
            "total_cost": 50,
            "unpriced": 2,
            "estimated": 2,
        }
        assert picked(summary, *expected) == expected

    async def test_summary_of_nothing(self, tmp_path: Path) -> None:
        """No rows are no error: no requests, no tokens, no known cost."""
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            summary = await ledger.summary(Query())
            assert picked(summary, "requests", "ok", "total_tokens", "total_cost", "unpriced") == {
                "requests": 0,
                "ok": 0,
                "total_tokens": 0,
                "total_cost": None,
                "unpriced": 0,
            }
            assert list(await ledger.log(Query())) == []
            assert list(await ledger.daily(Query())) == []
            assert list(await ledger.models(Query())) == []

    async def test_money_is_exact_beyond_64_bits(self, tmp_path: Path) -> None:
        """Sums have no upper end: 64 bits of pico-USD are only 9.2 million USD."""
        cost = 2**63 - 1
        rows = [row(f"r{n}", attempts=[attempt(total_cost=cost)]) for n in range(5)]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(rows)
            assert (await ledger_of(store).summary(Query()))["total_cost"] == 5 * cost

    async def test_daily(self, tmp_path: Path) -> None:
        """Days are UTC, ascending, and only those with rows; ``limit`` is for the log."""
        tried = [attempt(usage=Usage(input=1, output=1), total_cost=5)] * 2
        rows = [
            row("r1", started=NOON + 12 * HOUR, attempts=tried),
            row("r2", started=NOON + 12 * HOUR - 1, status="error"),
            row("r3", started=NOON - 12 * HOUR, attempts=tried),
            row("r4", started=NOON - 60 * HOUR),
        ]
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write(rows)
            days = await ledger_of(store).daily(Query(limit=1))
        assert [picked(day, "date", "requests", "error", "total_cost") for day in days] == [
            {"date": "2026-09-19", "requests": 1, "error": 0, "total_cost": None},
            {"date": "2026-09-21", "requests": 2, "error": 1, "total_cost": 10},
            {"date": "2026-09-22", "requests": 1, "error": 0, "total_cost": 10},
        ]

    async def test_models(self, tmp_path: Path) -> None:
        """Tokens and money stand where they were spent, a failed-over request at both places."""
        failed = attempt(provider="acme", model="large", status="error", total_cost=1)
        served = attempt(provider="other", model="huge", total_cost=90)
        rows = [
            row("r1", provider="other", served_model="huge", attempts=[failed, served]),
            row("r2", attempts=[failed, attempt(total_cost=4)]),
            row("r3", provider="third", served_model="none", status="error"),
        ]
        async with self.open_store(tmp_path) as store:
            ledger = ledger_of(store)
            await ledger.write(rows)
            names = ("provider", "model", "requests", "ok", "error", "total_cost")
            found = [tuple(picked(one, *names).values()) for one in await ledger.models(Query())]
            assert found == [
                ("other", "huge", 1, 1, 0, 90),
                ("acme", "large", 2, 1, 1, 6),
                ("third", "none", 1, 0, 1, None),
            ]
            (only,) = await ledger.models(Query(provider="acme"))
            assert tuple(picked(only, *names).values()) == found[1]
