"""What was noted in the journal is found again, whatever happened to the process or the file."""

from __future__ import annotations

import asyncio
import os
import resource as limits
import shutil
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from gomodel_proxy.api import Attempt, LedgerRow, Resource, Usage
from gomodel_proxy.engine import ids
from gomodel_proxy.engine.journal import SEGMENT_SIZE, Journal, segments, slots
from gomodel_proxy.engine.replay import STOPPED, Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LOG = structlog.get_logger()
SMALL = 4096


def opened(name: str = "") -> LedgerRow:
    row_id = name or ids.new("req_")
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


def settled(row: LedgerRow) -> LedgerRow:
    usage = Usage(input=3, output=4, raw=b'{"prompt_tokens": 3}')
    attempt = msgspec.structs.replace(row.attempts[0], status="ok", usage=usage, total_cost=7)
    return msgspec.structs.replace(row, status="ok", http_status=200, attempts=[attempt])


class Store:
    """What a replay brought: rows by id, as a ledger keeps them."""

    def __init__(self) -> None:
        self.rows: dict[str, LedgerRow] = {}
        self.written: list[str] = []
        self.told: list[str] = []
        self.resources: list[Resource] = []
        self.before_write: Callable[[], None] = lambda: None

    async def write(self, rows: Sequence[LedgerRow]) -> None:
        self.before_write()
        for row in rows:
            self.written.append(row.id)
            if row.id not in self.rows or self.rows[row.id].status == "unknown":
                self.rows[row.id] = row

    async def own(self, resources: Sequence[Resource]) -> None:
        self.resources.extend(resources)

    async def replay(self, folder: Path) -> Store:
        def tell(rows: Sequence[LedgerRow]) -> None:
            self.told.extend(row.id for row in rows)

        await Replay(folder, write=self.write, own=self.own, tell=tell, log=LOG).run()
        return self


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# ------------------------------------------------------------------------------
# What a stopped worker leaves
# ------------------------------------------------------------------------------


async def test_settled_rows_come_back_equal_and_open_ones_unknown(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    done, running = opened(), opened()
    journal.intent(done)
    journal.intent(running)
    journal.settle(settled(done))
    journal.own(Resource(kind="response", id="resp_1", owner="p", provider="a", created=5))
    journal.close()

    store = await Store().replay(tmp_path)

    assert store.rows[done.id] == settled(done)
    assert store.rows[running.id] == msgspec.structs.replace(
        running, status="unknown", error=STOPPED
    )
    assert store.told == [running.id]
    assert [resource.id for resource in store.resources] == ["resp_1"]
    assert left(tmp_path) == []


async def test_the_last_note_of_an_intent_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    row = opened()
    journal.intent(row)
    second = msgspec.structs.replace(row.attempts[0], id=f"{row.id}.1", provider="b")
    journal.intent(msgspec.structs.replace(row, attempts=[*row.attempts, second]))
    journal.close()

    store = await Store().replay(tmp_path)

    assert [attempt.provider for attempt in store.rows[row.id].attempts] == ["a", "b"]


async def test_a_journal_in_use_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    journal.intent(opened())

    assert (await Store().replay(tmp_path)).rows == {}
    journal.close()
    assert len((await Store().replay(tmp_path)).rows) == 1


def test_workers_have_slots_of_their_own_and_do_not_take_one_with_leftovers(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, LOG), Journal(tmp_path, LOG)
    assert slots(tmp_path) == ["0", "1"]
    first.intent(opened())
    first.close()
    second.close()

    third = Journal(tmp_path, LOG)

    assert len(segments(tmp_path, "0")) == 1
    assert len(segments(tmp_path, "1")) == 1
    third.close()
    assert slots(tmp_path) == ["0"]


async def test_two_survivors_share_the_work(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    journal.intent(opened())
    journal.close()
    first, second = Store(), Store()
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(rows: Sequence[LedgerRow]) -> None:
        reached.set()
        await go_on.wait()
        await Store.write(first, rows)

    first.write = slow  # type: ignore[method-assign]
    running = asyncio.create_task(first.replay(tmp_path))
    await reached.wait()
    await second.replay(tmp_path)
    go_on.set()
    await running

    assert len(first.written) == 1
    assert second.written == []
    assert left(tmp_path) == []


async def test_a_replay_stopped_between_commit_and_removal_is_repeated(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", LOG, size=SMALL)
    rows = [opened() for _ in range(30)]
    for row in rows:
        journal.intent(row)
        if row is not rows[7]:
            journal.settle(settled(row))
    journal.close()
    shutil.copytree(tmp_path / "j", tmp_path / "as it was")

    store = await Store().replay(tmp_path / "j")
    once = dict(store.rows)
    await store.replay(tmp_path / "as it was")

    assert store.rows == once
    assert len(once) == 30


async def test_a_failing_store_leaves_the_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    row = opened()
    journal.intent(row)
    journal.close()
    store = Store()

    def fail() -> None:
        raise ConnectionError("away")

    store.before_write = fail
    with pytest.raises(ConnectionError):
        await store.replay(tmp_path)
    store.before_write = lambda: None
    await store.replay(tmp_path)

    assert list(store.rows) == [row.id]


# ------------------------------------------------------------------------------
# Damaged files
# ------------------------------------------------------------------------------


@pytest.fixture
def torn(tmp_path: Path) -> tuple[bytes, int, int, LedgerRow, LedgerRow]:
    """Return a file with two settled rows, and where its last record begins and ends."""
    journal = Journal(tmp_path / "torn", LOG, size=SMALL)
    first, last = settled(opened("req_first")), settled(opened("req_last"))
    _, _ = journal.settle(first)
    _, begin = journal.settle(last)
    journal.close()
    data = segments(tmp_path / "torn", "0")[0].read_bytes()
    return data, begin, len(data.rstrip(b"\0")), first, last


@pytest.mark.parametrize("how", ["cut", "zeroed"])
async def test_a_last_record_torn_at_any_byte(
    torn: tuple[bytes, int, int, LedgerRow, LedgerRow], how: str, tmp_path: Path
) -> None:
    data, begin, end, first, last = torn
    assert data[end:].strip(b"\0") == b""
    for at in range(begin, end + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        rest = b"" if how == "cut" else bytes(len(data) - at)
        (folder / "0-torn-00000001.journal").write_bytes(data[:at] + rest)

        with capture_logs() as logs:
            store = await Store().replay(folder)

        whole = at == end
        expected = {first.id: first, last.id: last} if whole else {first.id: first}
        assert store.rows == expected, at
        # A cut file is short by its own account; in one of zeros, nothing was ever begun.
        clean = how == "zeroed" and at in (begin, end)
        assert left(folder) == ([] if clean else ["0-torn-00000001.journal.bad"]), at
        assert [log["event"] for log in logs].count("journal.damaged") == (not clean)


async def test_a_record_whose_head_was_never_written_is_not_there(
    torn: tuple[bytes, int, int, LedgerRow, LedgerRow], tmp_path: Path
) -> None:
    data, begin, end, first, _ = torn
    for at in range(begin + 12, end):
        folder = tmp_path / str(at)
        folder.mkdir()
        path = folder / "0-torn-00000001.journal"
        path.write_bytes(data[:begin] + bytes(12) + data[begin + 12 : at] + bytes(len(data) - at))

        assert (await Store().replay(folder)).rows == {first.id: first}
        assert left(folder) == []


async def test_behind_a_damaged_place_reading_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)
    rows = [settled(opened()) for _ in range(40)]
    for row in rows:
        journal.settle(row)
    journal.close()
    path = segments(tmp_path, "0")[0]
    data = bytearray(path.read_bytes())
    data[4096:6144] = bytes(2048)
    path.write_bytes(data)

    store = await Store().replay(tmp_path)

    lost = {row.id for row in rows} - set(store.rows)
    assert 0 < len(lost) <= 12
    assert store.rows[rows[0].id] == rows[0]
    assert store.rows[rows[-1].id] == rows[-1]
    assert left(tmp_path) == [f"{path.name}.bad"]


async def test_a_file_that_is_no_journal_is_kept(tmp_path: Path) -> None:
    (tmp_path / "0-x-00000001.journal").write_bytes(b"something else altogether")
    (tmp_path / "1-x-00000001.journal").write_bytes(b"")

    assert (await Store().replay(tmp_path)).rows == {}
    assert left(tmp_path) == ["0-x-00000001.journal.bad"]


# ------------------------------------------------------------------------------
# Segments
# ------------------------------------------------------------------------------


def commit(journal: Journal, row: LedgerRow) -> None:
    """Settle a row and do what the accounts do when the store has it."""
    segment, _ = journal.settle(row)
    segment.waiting -= 1
    journal.collect()


async def test_a_full_segment_rolls_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    rows = [settled(opened()) for _ in range(100)]
    for row in rows:
        journal.settle(row)
    assert len(segments(tmp_path, "0")) > 5
    journal.close()

    store = await Store().replay(tmp_path)

    assert list(store.rows.values()) == rows


async def test_a_record_larger_than_a_segment_has_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    rows = [settled(opened()) for _ in range(3)]
    rows[1].error = "x" * 3 * SMALL
    for row in rows:
        journal.settle(row)
    journal.close()

    assert list((await Store().replay(tmp_path)).rows.values()) == rows


def test_segments_go_when_all_in_them_is_committed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    for _ in range(200):
        row = opened()
        journal.intent(row)
        commit(journal, settled(row))
    journal.close()

    assert left(tmp_path) == []


def test_segments_with_uncommitted_rows_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    journal.settle(settled(opened()))
    for _ in range(100):
        commit(journal, settled(opened()))

    assert segments(tmp_path, "0")[0].name.endswith("-00000001.journal")
    journal.close()


async def test_one_long_stream_does_not_keep_every_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    long = opened()
    journal.intent(long)
    most = 0
    for _ in range(500):
        row = opened()
        journal.intent(row)
        commit(journal, settled(row))
        most = max(most, len(journal._segments))
    journal.close()

    assert most <= 6
    store = await Store().replay(tmp_path)
    assert store.rows[long.id].status == "unknown"
    assert list(store.told) == [long.id]


def test_a_stream_that_was_moved_on_can_be_settled(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    long = opened()
    journal.intent(long)
    for _ in range(200):
        commit(journal, settled(opened()))
    commit(journal, settled(long))
    journal.close()

    assert left(tmp_path) == []


# ------------------------------------------------------------------------------
# The disk
# ------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="counts blocks as Linux does")
def test_the_space_of_a_segment_is_taken_when_it_is_made(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG)

    made = segments(tmp_path, "0")[0].stat()

    assert made.st_blocks * 512 >= made.st_size == SEGMENT_SIZE
    journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are of Unix")
async def test_a_full_disk_is_an_error_of_the_note_and_leaves_the_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path, LOG, size=1 << 16)
    rows = []
    before = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (1 << 12, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            while len(rows) < 10_000:
                row = settled(opened())
                journal.settle(row)
                rows.append(row)
        with pytest.raises(OSError, match="too large"):
            journal.intent(opened("longer than what is left " * 20))
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, before)
    later = settled(opened())
    journal.settle(later)
    journal.close()

    store = await Store().replay(tmp_path)

    assert list(store.rows.values()) == [*rows, later]
    assert left(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts Linux's call")
@pytest.mark.parametrize(("fsync", "synced"), [("always", True), ("off", False)])
async def test_durable_syncs_before_it_returns(
    fsync: str, synced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fdatasync, []

    def spy(fd: int) -> None:
        calls.append(fd)
        real(fd)

    journal = Journal(tmp_path, LOG, fsync=fsync)  # type: ignore[arg-type]
    monkeypatch.setattr(os, "fdatasync", spy)
    journal.intent(opened())
    await asyncio.gather(*(journal.durable() for _ in range(50)))

    assert bool(calls) is synced
    assert len(calls) <= 2
    journal.close()


async def test_a_disk_that_fails_to_sync_fails_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    journal = Journal(tmp_path, LOG, fsync="always")
    monkeypatch.setattr(os, "fdatasync", fail)
    monkeypatch.setattr(os, "fsync", fail)
    journal.intent(opened())
    with pytest.raises(OSError, match="Input/output"):
        await journal.durable()
    monkeypatch.undo()
    journal.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_stays_open(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    journal = Journal(tmp_path, LOG, fsync="off", size=SMALL)
    for _ in range(100):
        commit(journal, settled(opened()))
    journal.close()

    assert descriptors() == before
