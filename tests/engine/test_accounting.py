"""Every admitted request has exactly one row, whatever happens to the store and the process."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from gomodel_proxy.api import (
    Attempt,
    ConfigError,
    LedgerRow,
    Resource,
    Unavailable,
    Usage,
)
from gomodel_proxy.engine import ids
from gomodel_proxy.engine.accounting import Accounts

WORKER = Path(__file__).with_name("killed_worker.py")


class Rows:
    """A ledger: rows by id, of which `unknown` ones give way."""

    def __init__(self) -> None:
        self.rows: dict[str, LedgerRow] = {}
        self.written: Counter[str] = Counter()
        self.fails: Exception | None = None
        self.tries = 0
        self.came = asyncio.Event()

    async def write(self, rows: Sequence[LedgerRow]) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        for row in rows:
            self.written[row.id] += 1
            if row.id not in self.rows or self.rows[row.id].status == "unknown":
                self.rows[row.id] = row
        self.came.set()


class Owners:
    """Resources by kind and id."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Resource] = {}
        self.fails: Exception | None = None

    async def add(self, resources: Sequence[Resource]) -> None:
        if self.fails is not None:
            raise self.fails
        for resource in resources:
            self.entries.setdefault((resource.kind, resource.id), resource)

    async def find(self, kind: str, id: str) -> Resource | None:
        return self.entries.get((kind, id))


def opened() -> LedgerRow:
    row_id = ids.new("req_")
    attempt = Attempt(id=f"{row_id}.0", provider="a", type="sandbox", model="m", started=2)
    return LedgerRow(
        id=row_id,
        request_id="r",
        started=1,
        principal="p",
        user_path="/",
        operation="chat",
        dialect="openai.chat",
        model="m",
        provider="a",
        type="sandbox",
        served_model="m",
        attempts=[attempt],
    )


def settled(row: LedgerRow, tokens: int = 3) -> LedgerRow:
    attempt = msgspec.structs.replace(row.attempts[0], status="ok", usage=Usage(input=tokens))
    return msgspec.structs.replace(row, status="ok", attempts=[attempt])


Open = Callable[..., Accounts]


@pytest.fixture
def ledger() -> Rows:
    return Rows()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def books(tmp_path: Path, ledger: Rows, told: list[str]) -> Open:
    """Return what opens accounts on one folder and one ledger."""

    def tell(rows: Sequence[LedgerRow]) -> None:
        told.extend(row.id for row in rows)

    def make(**others: Any) -> Accounts:
        settings: dict[str, Any] = {
            "ledger": ledger,
            "resources": None,
            "journal": tmp_path / "journal",
            "fsync": "off",
            "flush_interval": 0.001,
            "log": structlog.get_logger(),
            "on_rows": tell,
            "segment_size": 8192,
        }
        return Accounts(**(settings | others))

    return make


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.suffix in (".journal", ".bad"))


# ------------------------------------------------------------------------------
# The usual way
# ------------------------------------------------------------------------------


async def test_a_settled_row_is_committed_within_the_interval_and_then_told(
    books: Open, ledger: Rows, told: list[str]
) -> None:
    async with books() as accounts:
        row = opened()
        accounts.intent(row)
        await accounts.durable()
        accounts.settle(settled(row))
        async with asyncio.timeout(5):
            await ledger.came.wait()

    assert ledger.rows == {row.id: settled(row)}
    assert told == [row.id]


async def test_flush_commits_all_before_it(books: Open, ledger: Rows, tmp_path: Path) -> None:
    async with books(flush_interval=3600) as accounts:
        rows = [opened() for _ in range(2500)]
        for row in rows:
            accounts.intent(row)
            accounts.settle(settled(row))
        await accounts.flush()
        assert set(ledger.rows) == {row.id for row in rows}
        assert max(ledger.written.values()) == 1

    assert left(tmp_path) == []


async def test_a_thousand_rows_do_not_wait_for_the_interval(books: Open, ledger: Rows) -> None:
    async with books(flush_interval=3600) as accounts:
        await accounts.flush()
        for _ in range(1000):
            accounts.settle(settled(opened()))
        async with asyncio.timeout(5):
            await ledger.came.wait()


async def test_closing_commits_and_leaves_no_file(
    books: Open, ledger: Rows, tmp_path: Path
) -> None:
    async with books(flush_interval=3600) as accounts:
        accounts.settle(settled(opened()))

    assert len(ledger.rows) == 1
    assert left(tmp_path) == []
    with pytest.raises(Unavailable):
        await accounts.flush()


async def test_without_a_ledger_rows_are_told_and_no_file_is_made(
    books: Open, told: list[str], tmp_path: Path
) -> None:
    async with books(ledger=None) as accounts:
        row = opened()
        accounts.intent(row)
        accounts.settle(settled(row))

    assert told == [row.id]
    assert os.listdir(tmp_path) == []


async def test_a_log_line_that_fails_does_not_stop_the_ledger(books: Open, ledger: Rows) -> None:
    def fail(rows: Sequence[LedgerRow]) -> None:
        raise RuntimeError("no")

    with capture_logs() as logs:
        async with books(on_rows=fail) as accounts:
            for _ in range(2):
                accounts.settle(settled(opened()))
                await accounts.flush()

    assert len(ledger.rows) == 2
    assert [log["event"] for log in logs] == ["ledger.rows_not_logged"] * 2


async def test_a_folder_that_cannot_be_used_is_an_error_of_the_configuration(
    books: Open, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"accounting\.journal: '.*/file' cannot .* name another"):
        await books(journal=tmp_path / "file").__aenter__()


# ------------------------------------------------------------------------------
# The store fails
# ------------------------------------------------------------------------------


async def test_an_outage_loses_and_repeats_nothing_and_is_logged_once(
    books: Open, ledger: Rows, told: list[str]
) -> None:
    rows = []
    with capture_logs() as logs:
        async with books() as accounts:
            await accounts.flush()
            ledger.fails = ConnectionError("away")
            for _ in range(5):
                row = opened()
                accounts.intent(row)
                accounts.settle(settled(row))
                rows.append(row.id)
                with pytest.raises(ConnectionError):
                    await accounts.flush()
            ledger.fails = None
            await accounts.flush()
            await accounts.flush()

    assert ledger.written == dict.fromkeys(rows, 1)
    assert told == rows
    assert [log["event"] for log in logs] == ["store.failing", "store.recovered"]


async def test_it_tries_again_by_itself(books: Open, ledger: Rows) -> None:
    ledger.fails = ConnectionError("away")
    async with books() as accounts:
        accounts.settle(settled(opened()))
        with pytest.raises(ConnectionError):
            await accounts.flush()
        ledger.fails = None
        async with asyncio.timeout(5):
            await ledger.came.wait()


async def test_rows_past_the_memory_limit_come_from_the_journal(
    books: Open, ledger: Rows, told: list[str], tmp_path: Path
) -> None:
    ledger.fails = ConnectionError("away")
    async with books(in_memory=10) as accounts:
        expected = {}
        for number in range(300):
            row = opened()
            accounts.intent(row)
            expected[row.id] = settled(row, number)
            accounts.settle(expected[row.id])
            if number % 100 == 0:
                with pytest.raises(ConnectionError):
                    await accounts.flush()
        assert len(accounts._pending._rows) == 10
        ledger.fails = None
        await accounts.flush()
        assert ledger.rows == expected
        last = settled(opened())
        accounts.settle(last)
        assert len(accounts._pending._rows) == 1

    assert ledger.written == dict.fromkeys([*expected, last.id], 1)
    assert told == [*expected, last.id]
    assert left(tmp_path) == []


async def test_rows_settled_while_spilled_ones_are_read_back_are_not_passed_over(
    books: Open, ledger: Rows
) -> None:
    async with books(in_memory=3, flush_interval=3600) as accounts:
        rows = [settled(opened()) for _ in range(40)]
        write = ledger.write

        async def write_and_settle(batch: Sequence[LedgerRow]) -> None:
            if rows:
                accounts.settle(rows.pop())
            await write(batch)

        ledger.write = write_and_settle  # type: ignore[method-assign]
        expected = {row.id for row in rows}
        for _ in range(10):
            accounts.settle(rows.pop())
        while rows:
            await accounts.flush()
        await accounts.flush()

        assert ledger.written == dict.fromkeys(expected, 1)


async def test_what_the_store_does_not_take_at_the_end_is_there_at_the_next_start(
    books: Open, ledger: Rows, tmp_path: Path
) -> None:
    rows = [settled(opened()) for _ in range(50)]
    with capture_logs() as logs:
        async with books(in_memory=10) as accounts:
            ledger.fails = ConnectionError("away")
            for row in rows:
                accounts.settle(row)
    assert [log["event"] for log in logs if log.get("kept")] == ["ledger.rows_left"]

    ledger.fails = None
    async with books() as accounts:
        await accounts.flush()
        assert ledger.rows == {row.id: row for row in rows}

    assert left(tmp_path) == []


async def test_a_row_that_no_store_can_take_does_not_block_the_others(
    books: Open, ledger: Rows, tmp_path: Path
) -> None:
    def check(row: LedgerRow) -> None:
        usage = row.attempts[0].usage
        if usage and usage.input and usage.input >= 1 << 63:
            raise OverflowError("too large for a column")

    write = ledger.write

    async def strict(rows: Sequence[LedgerRow]) -> None:
        for row in rows:
            check(row)
        await write(rows)

    ledger.write = strict  # type: ignore[method-assign]
    good = [settled(opened()) for _ in range(3)]
    large, larger = settled(opened(), 1 << 63), settled(opened(), 1 << 70)
    with capture_logs() as logs:
        async with books() as accounts:
            for row in (good[0], large, good[1], larger, good[2]):
                accounts.settle(row)
            await accounts.flush()

    assert list(ledger.rows) == [row.id for row in good]
    assert [log["event"] for log in logs] == [
        "journal.settlement_refused",  # larger than its encoding, too
        "store.row_refused",
        "store.row_refused",
    ]
    kept = (tmp_path / "journal" / "refused.bad").read_text()
    assert large.id in kept
    assert larger.id in kept


async def test_a_request_that_cannot_be_recorded_is_not_to_be_sent(books: Open) -> None:
    async with books() as accounts:
        row = opened()
        row.model = "\udcff"
        with pytest.raises(Unavailable, match="cannot be recorded"):
            accounts.intent(row)


# ------------------------------------------------------------------------------
# Ownership
# ------------------------------------------------------------------------------


def response(id_: str) -> Resource:
    return Resource(kind="response", id=id_, owner="p", provider="a", created=1)


async def test_an_owner_is_known_at_once_and_then_from_the_store(
    books: Open, tmp_path: Path
) -> None:
    owners = Owners()
    async with books(resources=owners, flush_interval=3600) as accounts:
        await accounts.flush()
        accounts.own(response("1"))
        assert await accounts.owner("response", "1") == response("1")
        assert await accounts.owner("response", "2") is None
        assert owners.entries == {}
        await accounts.flush()
        assert owners.entries == {("response", "1"): response("1")}
        assert accounts._owned == {}
        assert await accounts.owner("response", "1") == response("1")
    assert left(tmp_path) == []


async def test_an_owner_is_committed_without_waiting_for_the_interval(books: Open) -> None:
    owners = Owners()
    async with books(resources=owners, flush_interval=3600) as accounts:
        await accounts.flush()
        accounts.own(response("1"))
        async with asyncio.timeout(5):
            while not owners.entries:  # noqa: ASYNC110, a store has no event to wait for
                await asyncio.sleep(0.005)


async def test_an_owner_outlives_the_process_and_an_outage(books: Open, tmp_path: Path) -> None:
    owners = Owners()
    owners.fails = ConnectionError("away")
    async with books(resources=owners) as accounts:
        accounts.own(response("1"))
        accounts.own(response("1"))
        with pytest.raises(ConnectionError):
            await accounts.flush()
        assert await accounts.owner("response", "1") == response("1")
    owners.fails = None
    async with books(resources=owners) as accounts:
        await accounts.flush()
        assert await accounts.owner("response", "1") == response("1")

    assert left(tmp_path) == []


# ------------------------------------------------------------------------------
# The process is killed
# ------------------------------------------------------------------------------


class Reports:
    """What killed workers said they had done."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.settled: dict[str, LedgerRow] = {}
        self.committed: list[LedgerRow] = []

    def take(self, line: bytes) -> None:
        kind, _, said = line.partition(b" ")
        if kind == b"i":
            self.opened.add(said.decode())
        elif kind == b"s":
            row = msgspec.json.decode(said, type=LedgerRow)
            self.settled[row.id] = row
        else:
            assert kind == b"c"
            self.committed += msgspec.json.decode(said, type=list[LedgerRow])


class Forker:
    """A process that forks workers, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._say = self._process.stdin
        self._said = self._process.stdout
        self._worker = 0

    def start(self) -> None:
        self._say.write(b"one\n")
        self._say.flush()
        self._worker = int(self._line().removeprefix(b"p "))

    def listen(self, lines: int, reports: Reports) -> None:
        for _ in range(lines):
            reports.take(self._line())

    def kill(self, reports: Reports) -> None:
        os.kill(self._worker, signal.SIGKILL)
        lines = []
        while (line := self._line()) != b"x":
            lines.append(line)
        self._worker = 0
        for line in lines[:-1]:  # the last is empty, or cut
            reports.take(line)

    def close(self) -> None:
        if self._worker:  # a test that failed halfway
            os.kill(self._worker, signal.SIGKILL)
        with self._process:
            self._say.close()

    def _line(self) -> bytes:
        line = self._said.readline()
        assert line, "the workers' parent has ended"
        return line.removesuffix(b"\n")


@pytest.fixture
def forkers(tmp_path: Path) -> Iterator[list[Forker]]:
    made = [Forker(tmp_path / "journal") for _ in range(3)]
    yield made
    for forker in made:
        forker.close()


def run_and_kill(forkers: list[Forker]) -> Reports:
    """Run workers side by side, kill each somewhere, return what they said."""
    reports = Reports()
    for forker in forkers:
        forker.start()
    for forker in forkers:
        forker.listen(random.randint(1, 300), reports)
    for forker in forkers:
        forker.kill(reports)
    return reports


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
async def test_sigkill_loses_nothing_and_invents_nothing(
    books: Open, ledger: Rows, told: list[str], forkers: list[Forker], tmp_path: Path
) -> None:
    for _ in range(10):
        told.clear()
        reports = await asyncio.to_thread(run_and_kill, forkers)
        ledger.rows = {row.id: row for row in reports.committed}
        async with books() as accounts:
            await accounts.flush()

        assert reports.opened <= set(ledger.rows)
        for row in reports.settled.values():
            assert ledger.rows[row.id] == row
        # At the kill, each worker may have done one thing more than it could say.
        unsaid = set(ledger.rows) - reports.opened
        assert len(unsaid) <= len(forkers)
        unknown = {row.id for row in ledger.rows.values() if row.status == "unknown"}
        assert len(unknown) <= 8 * len(forkers)
        assert unknown <= (reports.opened - set(reports.settled)) | unsaid
        assert sorted(told) == sorted(unknown)  # and no settled row was taken for one
        assert left(tmp_path) == []


async def test_a_survivor_replays_while_it_runs(
    books: Open, ledger: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gomodel_proxy.engine.accounting._REPLAY_EVERY", 0.0)
    row = opened()
    async with books() as survivor:
        await survivor.flush()
        async with books() as stopped:
            stopped.intent(row)
        await survivor.flush()

    assert ledger.rows[row.id].status == "unknown"
    assert ledger.written[row.id] == 1
