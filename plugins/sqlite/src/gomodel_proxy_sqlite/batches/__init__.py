"""Batches: what they are, the queue of their lines, and their results."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gomodel_proxy.wire.later import later
from gomodel_proxy_sqlite.bell import Bell

from .work import waits

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import (
        Batch,
        BatchLine,
        Change,
        Claim,
        Fold,
        Lease,
        LineResult,
        Outcome,
        Release,
    )
    from gomodel_proxy_sqlite.database import Database

    from . import claims, line_rows, queue, results, rows
else:
    claims, line_rows, queue, results, rows = later(
        __package__, "claims", "line_rows", "queue", "results", "rows"
    )

__all__ = ["SqliteBatches"]

T = TypeVar("T")


class SqliteBatches:
    """`gomodel_proxy.api.Batches` over one database.

    ``discarded`` rings when a batch was deleted whose lines are still to go.
    """

    def __init__(self, database: Database, discarded: Bell) -> None:
        self._database = database
        self._discarded = discarded
        self._work = Bell()

    async def create(self, batch: Batch, key: str | None = None) -> Batch:
        """Keep a new batch, or return the one that its owner made with the same key."""
        made = await self._database.write(partial(rows.create, batch=batch, key=key))
        self._work.ring()
        return made

    async def made(self, owner: str, key: str) -> Batch | None:
        """Return the batch that its owner made with this key."""
        return await self._database.find(partial(rows.made, owner=owner, key=key))

    async def find(self, id: str, owner: str | None) -> Batch | None:
        """Return a batch, None if the owner has none of that id."""
        found = await self._database.find(lambda connection: rows.find(connection, id, owner))
        return found and found.batch

    async def list(
        self, owner: str | None, *, limit: int, after: str | None = None, before: str | None = None
    ) -> Sequence[Batch]:
        """Return batches, newest first."""
        return await self._database.find(
            lambda connection: rows.page(connection, owner, limit, after, before)
        )

    async def change(self, id: str, change: Change, token: int | None = None) -> Batch | None:
        """Change a batch and return it; None if it is unknown, or the claim is lost."""
        return await self._change(id, token, change, lambda connection, key: None)

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a batch; its lines go soon after."""

        def work(connection: sqlite3.Connection) -> bool:
            found = rows.find(connection, id, owner)
            if found is not None:
                rows.discard(connection, [(found.key, id)])
            return found is not None

        deleted = await self._database.write(work)
        self._discarded.ring()
        return deleted

    async def look(self, now: int) -> bool:
        """Return whether there may be something to claim or to lease."""
        return await self._database.find(partial(waits, now=now))

    # ------------------------------------------------------------ batches to look after

    async def claim(self, now: int, until: int) -> Claim | None:
        """Take the batch that is longest due."""
        return await self._database.write(partial(claims.claim, now=now, until=until))

    async def keep(self, id: str, token: int, until: int) -> bool:
        """Hold a claim for longer."""
        return await self._database.write(
            lambda connection: claims.keep(connection, id, token, until)
        )

    async def leave(self, id: str, token: int) -> None:
        """Give a claim up."""
        if await self._database.write(lambda connection: claims.leave(connection, id, token)):
            self._work.ring()

    async def add(
        self, id: str, token: int, lines: Sequence[BatchLine], change: Change
    ) -> Batch | None:
        """Add lines and change the batch."""
        return await self._change(
            id, token, change, lambda connection, key: line_rows.add(connection, key, lines)
        )

    async def repeats(self, id: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return the lines whose ``custom_id`` an earlier line has."""
        return await self._report(id, partial(line_rows.repeats, limit=limit), [])

    # ------------------------------------------------------------ lines to execute

    async def lease(self, room: Mapping[str, int], now: int, until: int) -> Sequence[Lease]:
        """Take open lines of batches in progress."""
        return await self._database.write(partial(queue.lease, room=room, now=now, until=until))

    async def renew(self, leases: Sequence[tuple[str, int, int]], until: int) -> Sequence[bool]:
        """Hold leases for longer."""
        return await self._database.write(partial(queue.renew, leases=leases, until=until))

    async def release(self, releases: Sequence[Release]) -> None:
        """Give lines back."""
        await self._database.write(partial(queue.release, releases=releases))
        self._work.ring()

    async def commit(self, outcomes: Sequence[Outcome], fold: Fold) -> Sequence[bool]:
        """Keep results with their ledger rows, and fold them into their batches."""
        kept, stirred = await self._database.write(
            partial(results.commit, outcomes=outcomes, fold=fold)
        )
        if stirred:
            self._work.ring()
        return kept

    async def leased(self, id: str, now: int) -> int:
        """Return how many lines of a batch are under way."""
        return await self._report(id, partial(queue.leased, now=now), 0)

    async def wait(self, seconds: float) -> None:
        """Return when this process has made something to do, or after ``seconds``."""
        await self._work.wait(seconds)

    # ------------------------------------------------------------ reading

    async def lines(
        self, id: str, *, limit: int, after: int = -1, shipment: int | None = None
    ) -> Sequence[BatchLine]:
        """Return lines in order."""
        return await self._report(
            id, partial(line_rows.page, limit=limit, after=after, shipment=shipment), []
        )

    async def pick(self, id: str, indexes: Sequence[int]) -> Sequence[BatchLine]:
        """Return these lines that have no result yet."""
        return await self._report(id, partial(line_rows.pick, indexes=indexes), [])

    async def results(
        self, id: str, *, limit: int, after: int = -1, failed: bool | None = None
    ) -> Sequence[LineResult]:
        """Return lines with what has become of them, in order."""
        return await self._report(
            id, partial(line_rows.results, limit=limit, after=after, failed=failed), []
        )

    async def _change(
        self,
        id_: str,
        token: int | None,
        change: Change,
        first: Callable[[sqlite3.Connection, int], None],
    ) -> Batch | None:
        def work(connection: sqlite3.Connection) -> tuple[Batch | None, bool]:
            found = (
                rows.find(connection, id_) if token is None else rows.held(connection, id_, token)
            )
            if found is None:
                return None, False
            first(connection, found.key)
            return rows.change(connection, found, change)

        changed, stirred = await self._database.write(work)
        if stirred:
            self._work.ring()
        return changed

    async def _report(
        self, id_: str, read: Callable[[sqlite3.Connection, int], T], unknown: T
    ) -> T:
        def work(connection: sqlite3.Connection) -> T:
            key = rows.key_of(connection, id_)
            return unknown if key is None else read(connection, key)

        return await self._database.report(work)
