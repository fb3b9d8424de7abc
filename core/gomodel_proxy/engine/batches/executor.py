"""Executing lines: leased from the store, run side by side, committed together."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from gomodel_proxy.api import Batch, Outcome, Release
from gomodel_proxy.engine.ids import now

from .lines import PutOff, execute_line
from .room import Room, pause
from .states import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gomodel_proxy.api import Batches, Lease
    from gomodel_proxy.engine.generation import Generation

    from .lines import Executed

__all__ = ["Executor"]

_TOGETHER: Final = 500  # lines in one commit
_KNOWN: Final = 1000  # batches whose owner and headers are remembered
_SECOND: Final = 1_000_000

_Key = tuple[str, int]


class Executor:
    """One process's. Work that it holds when the process dies is taken over when its leases end."""

    def __init__(self, g: Generation, batches: Batches) -> None:
        self._g = g
        self._batches = batches
        self._settings = g.configuration.batches
        self._loop = asyncio.get_running_loop()
        self._rooms = {name: Room(account) for name, account in g.accounts.items()}
        self._ready: dict[str, deque[Lease]] = {name: deque() for name in g.accounts}
        self._running: dict[_Key, asyncio.Task[None]] = {}
        self._tokens: dict[_Key, int] = {}  # of all that is held: ready, running, uncommitted
        self._renewed = now()  # when all that was held was still had
        self._done: list[tuple[Executed, Room]] = []  # until they are committed
        self._known: dict[str, Batch] = {}
        self._dry: set[str] = set()  # providers for which the store had no more lines
        self._wake = asyncio.Event()
        self._finished = asyncio.Event()
        self._taking: asyncio.Task[None] | None = None
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        for work in (self._lease, self._watch, self._renew, self._commit):
            self._loops.append(
                asyncio.create_task(self._again(work), name=f"batches{work.__name__}")
            )

    async def stop(self, grace: float) -> None:
        """Lease nothing more, let what runs end within ``grace`` seconds, give back the rest."""
        leasing, watching, renewing, committing = self._loops
        await _end(leasing, watching)
        if self._taking is not None:
            await asyncio.gather(self._taking, return_exceptions=True)
        await self._give_back([lease for ready in self._ready.values() for lease in ready])
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace)
        cut = [key for key, task in self._running.items() if task.cancel()]
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await _end(renewing, committing)
        with suppress(Exception):  # the leases run out, and others do it again
            while self._done:
                await self._commit_some()
            await self._give_up(cut)

    async def _again(self, work: Any) -> None:
        """Run a loop again when the store has failed it."""
        failures = 0
        while True:
            began = self._loop.time()
            try:
                await work()
            except Exception as error:  # whatever a store raises
                failures = 0 if self._loop.time() - began > 60 else failures + 1
                self._g.log.error("batches.store_failed", work=work.__name__, error=str(error))
                # not so long that a store that is back finds the leases run out
                await asyncio.sleep(min(0.1 * 2**failures, self._settings.lease / 6))

    # ------------------------------------------------------------ leasing

    async def _lease(self) -> None:
        while True:
            self._wake.clear()
            self._begin()
            wanted = self._wanted()
            if not wanted:
                await self._rest()
                continue
            # a store does to its end what it has begun: those leases must be known to be given back
            self._taking = asyncio.create_task(self._take(wanted))
            await asyncio.shield(self._taking)

    async def _take(self, wanted: dict[str, int]) -> None:
        if now() - self._renewed > self._settings.lease * _SECOND / 2:
            await self._hold()  # lest it takes its own lines, whose leases have run out
        for lease in await self._batches.lease(wanted, now(), self._until()):
            name = lease.line.provider
            self._tokens[lease.batch, lease.line.index] = lease.token
            self._ready[name].append(lease)
            self._rooms[name].held += 1
            wanted[name] -= 1
        self._dry.update(name for name, left in wanted.items() if left > 0)

    def _wanted(self) -> dict[str, int]:
        if self._g.closing:
            return {}
        time = self._loop.time()
        wanted = {}
        for name, room in self._rooms.items():
            count = 0 if name in self._dry else room.wanted(time)
            # a trip to the store pays from half a room on
            if count and (2 * count >= room.width or not room.held):
                wanted[name] = count
        return wanted

    async def _rest(self) -> None:
        """Wait until something has changed, or a provider may be asked again."""
        time = self._loop.time()
        waits = [wait for room in self._rooms.values() if (wait := room.opens(time)) > 0]
        with suppress(TimeoutError):
            async with asyncio.timeout(min(waits, default=None)):
                await self._wake.wait()

    async def _watch(self) -> None:
        """Look again when the store may have new lines."""
        while True:
            await self._batches.wait(self._settings.look)
            if self._dry and await self._batches.look(now()):
                self._dry.clear()
                self._wake.set()

    def _begin(self) -> None:
        """Begin as many of the ready lines as there is room for."""
        if self._g.closing:
            return
        time = self._loop.time()
        for name, ready in self._ready.items():
            room = self._rooms[name]
            while ready and room.enter(time):
                lease = ready.popleft()
                room.held -= 1
                key = lease.batch, lease.line.index
                if self._tokens.get(key) != lease.token:
                    room.leave()  # lost while it was waiting
                    continue
                self._running[key] = asyncio.create_task(self._execute(lease, room))

    def _until(self) -> int:
        return now() + int(self._settings.lease * _SECOND)

    # ------------------------------------------------------------ executing

    async def _execute(self, lease: Lease, room: Room) -> None:
        """Execute a line. It keeps its room until its result is committed.

        So a process that dies leaves no more lines to be sent again than it may have under way.
        """
        key = lease.batch, lease.line.index
        done: Executed | None = None
        try:
            batch = await self._owner(lease.batch)
            last = lease.tries + 1 >= self._settings.tries
            done = await execute_line(self._g, batch, lease, last=last)
        except PutOff as put_off:
            await self._put_off(lease, put_off, room)
        except Exception as error:  # the store's: the lease runs out, and the line is tried again
            self._tokens.pop(key, None)
            self._g.log.warning("batches.line_left", batch=key[0], index=key[1], error=str(error))
        else:
            room.calm()
            self._done.append((done, room))
            self._finished.set()
        finally:
            self._running.pop(key, None)
            if done is None:
                room.leave()
                self._wake.set()

    async def _owner(self, id_: str) -> Batch:
        known = self._known.get(id_)
        if known is None:
            known = await self._batches.find(id_, None)
            if known is None:
                raise LookupError("the batch is gone")
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[id_] = known
        return known

    async def _put_off(self, lease: Lease, put_off: PutOff, room: Room) -> None:
        times = room.refused() if put_off.busy else lease.tries
        wait = pause(put_off.wait, times, self._settings)
        if put_off.busy:
            room.close(self._loop.time() + wait)
        key = lease.batch, lease.line.index
        self._tokens.pop(key, None)
        due = now() + int(wait * _SECOND)
        release = Release(
            batch=key[0], index=key[1], token=lease.token, due=due, tried=not put_off.busy
        )
        with suppress(Exception):  # a store that is away: the lease runs out by itself
            await self._batches.release([release])
        self._dry.discard(lease.line.provider)
        self._loop.call_later(wait, self._look_again, lease.line.provider)

    def _look_again(self, provider: str) -> None:
        self._dry.discard(provider)
        self._wake.set()

    # ------------------------------------------------------------ holding

    async def _renew(self) -> None:
        """Hold what is held; what is lost, or whose batch was cancelled, is dropped at once."""
        every = min(self._settings.lease / 3, self._settings.look)
        while True:
            await asyncio.sleep(every)
            await self._hold()

    async def _hold(self) -> None:
        time = now()
        held = [(*key, token) for key, token in self._tokens.items()]
        kept = await self._batches.renew(held, self._until()) if held else ()
        self._renewed = time
        done = {(one.outcome.batch, one.outcome.index) for one, _ in self._done}
        dropped = []
        for (batch, index, token), good in zip(held, kept, strict=True):
            key = batch, index
            if good or self._tokens.get(key) != token:
                continue
            self._drop(key)
            if key not in done:  # a batch that is cancelled still takes what is done
                dropped.append(Release(batch=batch, index=index, token=token))
        if dropped:  # a batch that is cancelled ends when nothing of it is under way
            await self._batches.release(dropped)

    def _drop(self, key: _Key) -> None:
        self._tokens.pop(key)
        task = self._running.get(key)
        if task is not None:
            task.cancel()

    # ------------------------------------------------------------ committing

    async def _commit(self) -> None:
        while True:
            if not self._done:
                self._finished.clear()
                await self._finished.wait()
            await self._commit_some()

    async def _commit_some(self) -> None:
        some = self._done[:_TOGETHER]
        time = now()

        def fold(batch: Batch, outcomes: Sequence[Outcome]) -> Batch:
            return counted(batch, outcomes, time)

        kept = await self._batches.commit([done.outcome for done, _ in some], fold)
        del self._done[: len(some)]
        self._wake.set()
        for (done, room), good in zip(some, kept, strict=True):
            room.leave()
            self._tokens.pop((done.outcome.batch, done.outcome.index), None)
            if good:
                self._g.books.sent(done.noted)
            else:  # somebody else had the line meanwhile, but this was paid for too
                for row, place in done.noted:
                    self._g.books.send(row, place)

    # ------------------------------------------------------------ stopping

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        for ready in self._ready.values():
            ready.clear()
        for lease in leases:
            self._tokens.pop((lease.batch, lease.line.index), None)
        with suppress(Exception):  # they run out by themselves
            await self._batches.release(
                [
                    Release(batch=lease.batch, index=lease.line.index, token=lease.token)
                    for lease in leases
                ]
            )

    async def _give_up(self, keys: Sequence[_Key]) -> None:
        """Give back what was cut off; it has been sent, so it counts as sent again."""
        cut = [(key, self._tokens.pop(key)) for key in keys if key in self._tokens]
        if not cut:
            return
        await self._batches.release(
            [Release(batch=batch, index=index, token=token) for (batch, index), token in cut]
        )
        for id_ in {batch for (batch, _), _ in cut}:
            times = sum(batch == id_ for (batch, _), _ in cut)
            await self._batches.change(id_, _resent(times))


def _resent(times: int) -> Callable[[Batch], Batch]:
    return lambda batch: replace(batch, resent=batch.resent + times)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
