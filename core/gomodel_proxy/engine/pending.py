"""Settled rows on their way to the store: in memory, and past a limit only in the journal."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gomodel_proxy.api import LedgerRow

    from .journal import Journal, Place
    from .segment import Segment

__all__ = ["Batch", "Pending"]

Entry = tuple["LedgerRow", "Segment | None"]


class Batch(NamedTuple):
    """Rows that go to the store together. ``after`` is the journal's place behind them if they
    were read from there.
    """

    entries: list[Entry]
    after: Place | None


class Pending:
    """A queue of rows. A row leaves it only by `done`, so what fails is taken again.

    From the row that meets the limit, every row is in the journal alone; when those have been
    read back, new ones are kept in memory again.
    """

    def __init__(self, journal: Journal | None, limit: int) -> None:
        self._journal = journal
        self._limit = limit
        self._rows: deque[Entry] = deque()
        self._spill: Place | None = None
        self.count = 0

    def add(self, row: LedgerRow, place: Place | None) -> None:
        """Queue a row; ``place`` is where the journal has it, None if it has not."""
        self.count += 1
        if place is None:
            self._rows.append((row, None))
        elif self._spill is None:
            if len(self._rows) < self._limit:
                self._rows.append((row, place[0]))
            else:
                self._spill = place

    def batch(self, limit: int) -> Batch:
        """Return the next rows and keep them. Call it only when ``count`` is not 0."""
        entries: list[Entry] = list(islice(self._rows, limit))
        after = None
        if not entries and self._spill is not None and self._journal is not None:
            rows, after = self._journal.settled_from(self._spill, limit)
            entries.extend(rows)
        if not entries:
            raise RuntimeError(f"{self.count} settled rows are not in the journal")
        return Batch(entries, after)

    def done(self, batch: Batch) -> None:
        """Forget rows that the store has committed."""
        self.count -= len(batch.entries)
        if batch.after is None:
            for _ in batch.entries:
                self._rows.popleft()
        else:
            everything = self.count == len(self._rows)
            self._spill = None if everything else batch.after
        for _, segment in batch.entries:
            if segment is not None:
                segment.waiting -= 1
