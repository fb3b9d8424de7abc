"""Batches: what they are, the queue of their lines, and their results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from gomodel_proxy.wire.later import later

from .work import waits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from asyncpg import Connection

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
    from gomodel_proxy_postgres.bell import Bell, Tower
    from gomodel_proxy_postgres.database import Database

    from . import claims, line_rows, queue, results, rows
else:
    claims, line_rows, queue, results, rows = later(
        __package__, "claims", "line_rows", "queue", "results", "rows"
    )

__all__ = ["PostgresBatches"]

T = TypeVar("T")


class PostgresBatches:
    """`gomodel_proxy.api.Batches` over one database.

    ``work`` rings when there is something to do, ``discarded`` when a batch was deleted whose
    lines are still to go.
    """

    def __init__(self, database: Database, work: Tower, discarded: Bell) -> None:
        self._database = database
        self._work = work
        self._discarded = discarded

    async def create(self, batch: Batch, key: str | None = None) -> Batch:
        """Keep a new batch, or return the one that its owner made with the same key."""

        async def work(connection: Connection) -> tuple[Batch, bool]:
            return await rows.create(connection, batch, key), True

        return await self._stirring(work)

    async def made(self, owner: str, key: str) -> Batch | None:
        """Return the batch that its owner made with a key."""
        return await self._database.once(lambda connection: rows.made(connection, owner, key))

    async def find(self, id: str, owner: str | None) -> Batch | None:
        """Return a batch, None if the owner has none of that id."""
        return await self._database.once(lambda connection: rows.find(connection, id, owner))

    async def list(
        self, owner: str | None, *, limit: int, after: str | None = None, before: str | None = None
    ) -> Sequence[Batch]:
        """Return batches, newest first."""
        return await self._database.once(
            lambda connection: rows.page(connection, owner, limit, after, before)
        )

    async def change(self, id: str, change: Change, token: int | None = None) -> Batch | None:
        """Change a batch and return it; None if it is unknown, or the claim is lost."""

        async def work(connection: Connection) -> tuple[Batch | None, bool]:
            found = await rows.hold(connection, id, token)
            return (None, False) if found is None else await rows.change(connection, found, change)

        return await self._stirring(work)

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a batch; its lines go soon after."""

        async def work(connection: Connection) -> bool:
            key = await connection.fetchval(
                f"SELECT b.key FROM batches b WHERE {rows.OWNED} FOR UPDATE",  # noqa: S608
                id,
                owner,
            )
            if key is not None:
                await rows.discard(connection, [key])
            return key is not None

        deleted = await self._database.write(work)
        self._discarded.ring()
        return deleted

    async def look(self, now: int) -> bool:
        """Return whether there may be something to claim or to lease."""
        return await self._database.once(lambda connection: waits(connection, now))

    # ------------------------------------------------------------ batches to look after

    async def claim(self, now: int, until: int) -> Claim | None:
        """Take the batch that is longest due."""
        return await self._database.once(lambda connection: claims.claim(connection, now, until))

    async def keep(self, id: str, token: int, until: int) -> bool:
        """Hold a claim for longer."""
        return await self._database.once(
            lambda connection: claims.keep(connection, id, token, until)
        )

    async def leave(self, id: str, token: int) -> None:
        """Give a claim up."""

        async def work(connection: Connection) -> tuple[None, bool]:
            return None, await claims.leave(connection, id, token)

        await self._stirring(work)

    async def add(
        self, id: str, token: int, lines: Sequence[BatchLine], change: Change
    ) -> Batch | None:
        """Add lines and change the batch."""

        async def work(connection: Connection) -> tuple[Batch | None, bool]:
            found = await rows.hold(connection, id, token)
            if found is None:
                return None, False
            await line_rows.add(connection, found.key, lines)
            after, stirred = await rows.change(connection, found, change)
            await line_rows.open_lanes(connection, found.key, lines, after)
            return after, stirred

        return await self._stirring(work)

    async def repeats(self, id: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return the lines whose ``custom_id`` an earlier line has."""
        return await self._database.report(
            lambda connection: line_rows.repeats(connection, id, limit)
        )

    # ------------------------------------------------------------ lines to execute

    async def lease(self, room: Mapping[str, int], now: int, until: int) -> Sequence[Lease]:
        """Take open lines of batches in progress."""
        return await self._database.once(
            lambda connection: queue.lease(connection, room, now, until)
        )

    async def renew(self, leases: Sequence[tuple[str, int, int]], until: int) -> Sequence[bool]:
        """Hold leases for longer."""
        return await self._database.once(lambda connection: queue.renew(connection, leases, until))

    async def release(self, releases: Sequence[Release]) -> None:
        """Give lines back."""

        async def work(connection: Connection) -> tuple[None, bool]:
            await queue.release(connection, releases)
            # what is to wait is found by those who look from time to time
            return None, any(one.due <= time.time_ns() // 1000 for one in releases)

        await self._stirring(work)

    async def commit(self, outcomes: Sequence[Outcome], fold: Fold) -> Sequence[bool]:
        """Keep results with their ledger rows, and fold them into their batches."""
        return await self._stirring(lambda connection: results.commit(connection, outcomes, fold))

    async def leased(self, id: str, now: int) -> int:
        """Return how many lines of a batch are under way."""
        return await self._database.once(lambda connection: queue.leased(connection, id, now))

    async def wait(self, seconds: float) -> None:
        """Return when some process has made something to do, or after ``seconds``."""
        await self._work.wait(seconds)

    # ------------------------------------------------------------ reading

    async def lines(
        self, id: str, *, limit: int, after: int = -1, shipment: int | None = None
    ) -> Sequence[BatchLine]:
        """Return lines in order."""
        return await self._database.once(
            lambda connection: line_rows.page(connection, id, limit, after, shipment)
        )

    async def pick(self, id: str, indexes: Sequence[int]) -> Sequence[BatchLine]:
        """Return these lines that have no result yet."""
        return await self._database.once(lambda connection: line_rows.pick(connection, id, indexes))

    async def results(
        self, id: str, *, limit: int, after: int = -1, failed: bool | None = None
    ) -> Sequence[LineResult]:
        """Return lines with what has become of them, in order."""
        return await self._database.once(
            lambda connection: line_rows.results(connection, id, limit, after, failed)
        )

    async def _stirring(self, work: Callable[[Connection], Awaitable[tuple[T, bool]]]) -> T:
        """Commit ``work``, and wake everybody if it says that there may be something to do."""

        async def told(connection: Connection) -> tuple[T, bool]:
            result, stirred = await work(connection)
            if stirred:
                await self._work.tell(connection)
            return result, stirred

        result, stirred = await self._database.write(told)
        if stirred:
            self._work.ring()
        return result
