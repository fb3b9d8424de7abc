"""Looking after batches: whoever claims one does its next step, and leaves it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gomodel_proxy.engine.ids import now

from .finishing import finish
from .intake import take_in
from .shipments import advance
from .states import awaiting, ended, ending, left_open, unshipped
from .webhook import tell

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches, Claim
    from gomodel_proxy.engine.generation import Generation

__all__ = ["Steward"]

_AT_ONCE: Final = 8  # batches looked after at once; a vendor may keep one waiting
_SOON: Final = 200_000  # microseconds until lines under way are asked after again
_SECOND: Final = 1_000_000


class Steward:
    """One process's. A batch that it has claimed when it dies is taken over by others."""

    def __init__(self, g: Generation, batches: Batches) -> None:
        self._g = g
        self._batches = batches
        self._settings = g.configuration.batches
        self._busy: dict[asyncio.Task[None], Claim] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._loop_task: asyncio.Task[None] | None = None
        self._claiming: asyncio.Task[bool] | None = None

    def start(self) -> None:
        """Begin."""
        self._loop_task = asyncio.create_task(self._run(), name="batches_steward")

    async def stop(self) -> None:
        """Leave every batch as it stands; all that was done is in the store."""
        if self._loop_task is not None:
            self._loop_task.cancel()
        await asyncio.gather(
            *filter(None, [self._loop_task, self._claiming]), return_exceptions=True
        )
        busy = dict(self._busy)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        for claim in busy.values():
            await self._give_up(claim)

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._places.acquire()
            claimed = False
            try:
                if not self._g.closing:
                    # a store does to its end what it has begun: that claim must be known
                    self._claiming = asyncio.create_task(self._claim())
                    claimed = await asyncio.shield(self._claiming)
                failures = 0
            except Exception as error:  # whatever a store raises
                failures += 1
                self._g.log.error("batches.store_failed", work="claim", error=str(error))
                await asyncio.sleep(min(0.1 * 2**failures, 30.0))
            if not claimed:
                self._places.release()
                with suppress(Exception):
                    await self._batches.wait(self._settings.look)

    async def _claim(self) -> bool:
        time = now()
        if not await self._batches.look(time):
            return False
        claim = await self._batches.claim(time, self._until())
        if claim is None:
            return False
        task = asyncio.create_task(self._look_after(claim))
        self._busy[task] = claim
        task.add_done_callback(self._leave)
        return True

    def _leave(self, task: asyncio.Task[None]) -> None:
        del self._busy[task]
        self._places.release()

    async def _give_up(self, claim: Claim) -> None:
        with suppress(Exception):  # it runs out by itself
            await self._batches.leave(claim.batch.id, claim.token)

    def _until(self) -> int:
        return now() + int(self._settings.lease * _SECOND)

    async def _look_after(self, claim: Claim) -> None:
        batch, token = claim.batch, claim.token
        step = asyncio.create_task(self._step(batch, token))
        holding = asyncio.create_task(self._hold(batch.id, token))
        try:
            await asyncio.wait({step, holding}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (step, holding):
                task.cancel()
            await asyncio.gather(step, holding, return_exceptions=True)
        if not step.cancelled() and (error := step.exception()) is not None:
            self._g.log.error("batch.step_failed", batch=batch.id, exc_info=error)
            with suppress(Exception):  # a store that fails: the claim runs out by itself
                later = now() + 5 * _SECOND
                await self._batches.change(batch.id, lambda it: replace(it, due=later), token)
        await self._give_up(claim)

    async def _hold(self, id_: str, token: int) -> None:
        """Hold the claim; returns when it is lost."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            with suppress(Exception):  # one failure is not yet a loss
                if not await self._batches.keep(id_, token, self._until()):
                    return

    async def _step(self, batch: Batch, token: int) -> None:
        time = now()
        if ended(batch):
            await tell(self._g, self._batches, batch, token)
        elif batch.status == "validating":
            await take_in(self._g, self._batches, batch, token)
        elif batch.status == "in_progress" and (time >= batch.expires or _all_done(batch)):
            await self._batches.change(batch.id, lambda it: ending(it, time), token)
        elif unshipped(batch):
            await advance(self._g, batch, token, time)
        elif batch.status == "in_progress":
            await self._wait_on(batch, token, time)
        elif left_open(batch) and await self._batches.leased(batch.id, time):
            await self._batches.change(batch.id, lambda it: replace(it, due=time + _SOON), token)
        else:
            await self._finish(batch.id, token)

    async def _wait_on(self, batch: Batch, token: int, time: int) -> None:
        """Look again later; a provider that is gone meanwhile is told of, but may come back."""
        gone = [name for name in batch.queues if name not in self._g.accounts]
        if gone:
            self._g.log.error("batch.provider_gone", batch=batch.id, providers=gone)
        due = time + int(self._settings.poll_max * _SECOND)
        await self._batches.change(batch.id, lambda it: awaiting(it, gone, due), token)

    async def _finish(self, id_: str, token: int) -> None:
        batch = await self._batches.find(id_, None)  # the claimed one may be a commit behind
        if batch is None:
            return
        files = self._g.store.files if self._g.store is not None else None
        end = await finish(self._batches, files, batch, token)
        if end is not None and ended(end):
            self._g.log.info(
                "batch.ended",
                batch=id_,
                status=end.status,
                total=end.total,
                completed=end.completed,
                failed=end.failed,
            )


def _all_done(batch: Batch) -> bool:
    return not left_open(batch) and not unshipped(batch)
