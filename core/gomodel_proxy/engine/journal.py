"""The journal: what must outlive the process before the store has it.

A folder holds the journals of several workers. Each worker holds the lock of a slot,
``<slot>.lock``, and writes segments ``<slot>-<journal>-<number>.journal``. Lock files stay for
ever; a slot that is not locked and has segments is an orphan that `replay` brings to the store.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Final

from . import ids
from .keeper import Fsync, Keeper
from .lock import lock
from .records import FILE, RECORD, Opened, Owned, Settled, encode
from .segment import Segment, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gomodel_proxy.api import LedgerRow, Resource

__all__ = ["BAD", "SEGMENT_SIZE", "Fsync", "Journal", "Place", "segments", "slots"]

SEGMENT_SIZE: Final = 1 << 20  # some 1,500 requests; all of it counts as resident memory
BAD: Final = ".bad"  # what a damaged segment's name is given, and the file of refused rows
_KEEP: Final = 4  # segments; in older ones, intents that are still open are moved on

Place = tuple[Segment, int]


class Journal:
    """One worker's journal. All methods are for the event loop's thread and do not block.

    ``intent``, ``settle`` and ``own`` raise `OSError` when the disk is full, and `ValueError` or
    `OverflowError` for text and numbers that MessagePack does not have.
    """

    def __init__(
        self,
        folder: Path,
        log: FilteringBoundLogger,
        *,
        fsync: Fsync = "interval",
        size: int = SEGMENT_SIZE,
    ) -> None:
        """Take a free slot of the folder and make the first segment."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fsync = fsync
        self._size = size
        self._slot, self._lock = _take_slot(folder)
        self._name = ids.new("")
        self._numbers = count(1)
        try:
            self._current = self._make(0)
        except BaseException:
            os.close(self._lock)
            raise
        self._segments = deque([self._current])
        self._home: dict[str, Segment] = {}  # of each open intent
        self._prepare_at = self._current.size * 3 // 4
        self._keeper = Keeper(self._make, lambda: self._segments, fsync, log)

    def intent(self, row: LedgerRow) -> None:
        """Note that a request is about to be sent; again, with more attempts, replaces the note."""
        self._open(row.id, encode(Opened(row)))

    def settle(self, row: LedgerRow) -> Place:
        """Note a whole row and return where it stands. Its intent is closed in any case."""
        home = self._home.pop(row.id, None)
        if home is not None:
            del home.open[row.id]
        offset = self._append(encode(Settled(row)))
        self._current.waiting += 1
        return self._current, offset

    def own(self, resource: Resource) -> Segment:
        """Note who owns something and return the segment where that stands."""
        self._append(encode(Owned(resource)))
        self._current.waiting += 1
        return self._current

    async def durable(self) -> None:
        """Wait until all notes are on the disk, if fsync is ``always``."""
        if self._fsync == "always":
            await asyncio.wrap_future(self._keeper.synced())

    def settled_from(
        self, place: Place, limit: int
    ) -> tuple[list[tuple[LedgerRow, Segment]], Place]:
        """Return settled rows from a place on, at most ``limit``, and the place behind them."""
        rows: list[tuple[LedgerRow, Segment]] = []
        segment, offset = place
        for following in [s for s in self._segments if s.path >= segment.path]:
            if following is not segment:
                segment, offset = following, FILE.size
            while offset < segment.used:
                if len(rows) == limit:
                    return rows, (segment, offset)
                record, offset = segment.record(offset)
                if isinstance(record, Settled):
                    rows.append((record.row, segment))
        return rows, (segment, offset)

    def collect(self) -> None:
        """Drop the segments that nobody needs. Call it when the store has committed something.

        They go oldest first, so that a settlement is never gone while its intent is still there.
        """
        oldest = self._segments[0]
        if len(self._segments) > _KEEP and not oldest.waiting:
            self._carry(oldest)
        while len(self._segments) > 1 and self._segments[0].finished:
            self._keeper.discard(self._segments.popleft())

    def close(self) -> None:
        """Free the slot. Segments with something uncommitted stay, for `replay`."""
        self._keeper.stop()
        needed = any(not segment.finished for segment in self._segments)
        for segment in self._segments:
            if not needed:
                segment.delete()
                continue
            if self._fsync != "off":
                segment.sync()
            segment.close()
        os.close(self._lock)

    def _open(self, row_id: str, payload: bytes) -> None:
        offset = self._append(payload)
        if row_id in self._home:
            del self._home[row_id].open[row_id]
        self._current.open[row_id] = offset
        self._home[row_id] = self._current

    def _append(self, payload: bytes) -> int:
        offset = self._current.append(payload)
        while offset < 0:
            self._roll(len(payload))
            offset = self._current.append(payload)
        if offset > self._prepare_at:
            self._prepare_at = self._current.size
            self._keeper.prepare()
        return offset

    def _roll(self, length: int) -> None:
        self._current = self._keeper.take(length)
        self._segments.append(self._current)
        self._prepare_at = self._current.size * 3 // 4

    def _make(self, length: int) -> Segment:
        name = f"{self._slot}-{self._name}-{next(self._numbers):08d}.journal"
        size = max(self._size, FILE.size + RECORD.size + length)
        segment = Segment(self._folder / name, size)
        if self._fsync != "off":
            sync_folder(self._folder)
        return segment

    def _carry(self, oldest: Segment) -> None:
        for row_id, offset in list(oldest.open.items()):
            try:
                self._open(row_id, oldest.payload(offset))
            except OSError:
                return  # the disk is full: the old segment has to stay


def segments(folder: Path, slot: str) -> list[Path]:
    """Return a slot's segments in the order in which they were written."""
    return sorted(folder.glob(f"{slot}-*.journal"))


def slots(folder: Path) -> list[str]:
    """Return the slots that have segments, living owner or not; take the lock to know."""
    return sorted({path.name.partition("-")[0] for path in folder.glob("*-*.journal")})


def _take_slot(folder: Path) -> tuple[str, int]:
    """Lock the first slot that has no owner and nothing left to replay."""
    for slot in map(str, count()):
        held = lock(folder / f"{slot}.lock")
        if held is not None and not segments(folder, slot):
            return slot, held
        if held is not None:
            os.close(held)
    raise AssertionError("unreachable")
