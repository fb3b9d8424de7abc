"""Accounts: every request's intent and settlement, by way of the journal to the store."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from gomodel_proxy.api import ConfigError, Unavailable

from .delivery import UNWRITABLE, Outage, deliver
from .journal import BAD, SEGMENT_SIZE, Fsync, Journal
from .pending import Pending
from .replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gomodel_proxy.api import Ledger, LedgerRow, Resource, Resources

    from .journal import Place
    from .segment import Segment

__all__ = ["Accounts"]

_BATCH: Final = 1000  # rows in one commit
_IN_MEMORY: Final = 50_000  # rows; more stay in the journal until the store takes them
_REPLAY_EVERY: Final = 5.0  # seconds
_LONGEST_WAIT: Final = 30.0  # seconds between tries while the store fails
_OWNED_WITHIN: Final = 0.02  # seconds until other workers find what a reply created
_LAST_FLUSH: Final = 10.0  # seconds that closing waits for the store


class Accounts:
    """The books of one worker. One task commits in batches; callers never wait for the store.

    Without a ledger there is no journal either, and rows go to ``on_rows`` alone.
    """

    def __init__(
        self,
        *,
        ledger: Ledger | None,
        resources: Resources | None,
        journal: Path,
        fsync: Fsync,
        flush_interval: float,
        log: FilteringBoundLogger,
        on_rows: Callable[[Sequence[LedgerRow]], None],
        segment_size: int = SEGMENT_SIZE,
        in_memory: int = _IN_MEMORY,
    ) -> None:
        self._ledger = ledger
        self._resources = resources
        self._folder = journal
        self._refused = journal / f"refused{BAD}"
        self._fsync = fsync
        self._interval = flush_interval
        self._log = log
        self._on_rows = on_rows
        self._segment_size = segment_size
        self._in_memory = in_memory
        self._journal: Journal | None = None
        self._pending: Pending
        self._flusher: asyncio.Task[None]
        self._wake = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[Exception | None]] = []
        self._owned: dict[tuple[str, str], Resource] = {}
        self._owning: list[tuple[Resource, Segment | None]] = []
        self._replay_at = 0.0
        self._outage = Outage("store", log)
        self._replay_outage = Outage("journal.replay", log)

    async def __aenter__(self) -> Self:
        """Open the journal and start committing; journals left by others are replayed at once."""
        if self._ledger is not None:
            try:
                self._journal = Journal(
                    self._folder, self._log, fsync=self._fsync, size=self._segment_size
                )
            except OSError as error:
                raise ConfigError(
                    f"accounting.journal: '{self._folder}' cannot be the journal's folder: "
                    f"{error.strerror or error}; name another one, or make way for it.",
                    param="accounting.journal",
                ) from error
        self._pending = Pending(self._journal, self._in_memory)
        self._flusher = asyncio.create_task(self._run(), name="ledger")
        self._wake.set()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what is pending. What the store does not take stays in the journal."""
        try:
            async with asyncio.timeout(_LAST_FLUSH):
                await self.flush()
        except Exception as error:  # whatever a store raises
            kept = self._journal is not None
            self._log.error(
                "ledger.rows_left", rows=self._pending.count, kept=kept, error=str(error)
            )
        finally:
            await self._close()

    # ------------------------------------------------------------ hot

    def intent(self, row: LedgerRow) -> None:
        """Note that a request is about to be sent; raises `Unavailable` if that is impossible."""
        if self._journal is not None:
            try:
                self._journal.intent(row)
            except (OSError, *UNWRITABLE) as error:
                self._log.error("journal.intent_refused", row=row.id, error=str(error))
                raise Unavailable(
                    "This request cannot be recorded, so it was not sent.", code="journal_failed"
                ) from error

    def attempt(self, row: LedgerRow) -> None:
        """Note that a further attempt, the row's last, is about to be sent; raises as `intent`."""
        self.intent(row)

    async def durable(self) -> None:
        """Wait, with fsync = "always", until what was noted would survive a power cut."""
        if self._journal is not None:
            try:
                await self._journal.durable()
            except OSError as error:
                raise Unavailable(
                    "This request cannot be recorded, so it was not sent.", code="journal_failed"
                ) from error

    def settle(self, row: LedgerRow) -> None:
        """Note a request's whole row, which must not change any more. Never raises."""
        self.send(row, self.note(row))

    def note(self, row: LedgerRow) -> Place | None:
        """Note a whole row in the journal alone; `send` or `sent` follows. Never raises."""
        if self._journal is not None:
            try:
                return self._journal.settle(row)
            except (OSError, *UNWRITABLE) as error:  # memory has it, the store may take it
                self._log.error("journal.settlement_refused", row=row.id, error=str(error))
        return None

    def send(self, row: LedgerRow, place: Place | None) -> None:
        """Have a noted row brought to the store."""
        self._pending.add(row, place)
        if self._pending.count == _BATCH:
            self._wake.set()

    def sent(self, rows: Sequence[tuple[LedgerRow, Place | None]]) -> None:
        """Forget noted rows that the store has by another way: with the results they belong to."""
        for _, place in rows:
            if place is not None:
                place[0].waiting -= 1
        self._tell([row for row, _ in rows])

    # ------------------------------------------------------------ ownership

    def own(self, resource: Resource) -> None:
        """Enter what a reply created: `owner` knows it at once, other workers within 20 ms."""
        if self._resources is None:
            return
        segment = None
        if self._journal is not None:
            try:
                segment = self._journal.own(resource)
            except (OSError, *UNWRITABLE) as error:
                self._log.error("journal.resource_refused", id=resource.id, error=str(error))
        self._owned[resource.kind, resource.id] = resource
        self._owning.append((resource, segment))
        if self._soon is None and not self._outage.failures:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(min(_OWNED_WITHIN, self._interval), self._wake.set)

    async def owner(self, kind: str, id: str) -> Resource | None:
        """Return the entry of a vendor's id, None if there is none."""
        found = self._owned.get((kind, id))
        if found is None and self._resources is not None:
            found = await self._resources.find(kind, id)
        return found

    async def disown(self, kind: str, id: str) -> None:
        """Forget what has been deleted at its vendor; raises what the store does."""
        if self._owned.pop((kind, id), None) is not None:
            await self.flush()  # it was on its way to the store
        if self._resources is not None:
            await self._resources.remove(kind, id)

    # ------------------------------------------------------------ committing

    async def flush(self) -> None:
        """Return when all that was noted until now is committed; raises what the store does."""
        waiter: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._wake.set()
        either: set[asyncio.Future[Any]] = {waiter, self._flusher}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not waiter.done():
            raise Unavailable("The gateway is shutting down.")
        failure = waiter.result()
        if failure is not None:
            raise failure

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()
            waiters, self._waiters = self._waiters, []
            failure = await self._turn()
            for waiter in waiters:
                waiter.set_result(failure)

    def _pause(self) -> float:
        factor: int = 1 << min(self._outage.failures, 16)
        return min(self._interval * factor, max(self._interval, _LONGEST_WAIT))

    async def _turn(self) -> Exception | None:
        try:
            await self._commit_owned()
            await self._commit_rows()
        except Exception as error:  # whatever a store raises; the items are still there
            self._outage.failed(error)
            return error
        self._outage.over()
        now = asyncio.get_running_loop().time()
        if self._journal is not None and now >= self._replay_at:
            self._replay_at = now + _REPLAY_EVERY
            await self._replay()
        return None

    async def _commit_owned(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        taken = self._owning[:]
        if not taken:
            return
        await self._write_owned([resource for resource, _ in taken])
        del self._owning[: len(taken)]
        for resource, segment in taken:
            key = resource.kind, resource.id
            if self._owned.get(key) is resource:
                del self._owned[key]
            if segment is not None:
                segment.waiting -= 1

    async def _commit_rows(self) -> None:
        left = self._pending.count  # those that come meanwhile have the next turn
        while left > 0:
            batch = self._pending.batch(min(left, _BATCH))
            rows = [row for row, _ in batch.entries]
            await self._write_rows(rows)
            self._pending.done(batch)
            self._tell(rows)
            left -= len(rows)
        if self._journal is not None:
            self._journal.collect()

    async def _replay(self) -> None:
        replay = Replay(
            self._folder,
            write=self._write_rows,
            own=self._write_owned,
            tell=self._tell,
            log=self._log,
        )
        try:
            await replay.run()
        except Exception as error:  # the store's or the disk's; what is left is tried again
            self._replay_outage.failed(error)
        else:
            self._replay_outage.over()

    async def _write_rows(self, rows: Sequence[LedgerRow]) -> None:
        if self._ledger is not None:
            await deliver(self._ledger.write, rows, self._refused, self._log)

    async def _write_owned(self, resources: Sequence[Resource]) -> None:
        if self._resources is not None:
            await deliver(self._resources.add, resources, self._refused, self._log)

    def _tell(self, rows: Sequence[LedgerRow]) -> None:
        try:
            self._on_rows(rows)
        except Exception:  # a log line that fails must not stop the ledger
            self._log.exception("ledger.rows_not_logged")

    async def _close(self) -> None:
        self._flusher.cancel()
        with suppress(asyncio.CancelledError):
            await self._flusher
        if self._soon is not None:
            self._soon.cancel()
        if self._journal is not None:
            self._journal.close()
