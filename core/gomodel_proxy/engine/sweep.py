"""Looking after responses in the background that nobody fetches, for what they took.

Every process looks, without a lease: a row that is entered twice stands once, see `late`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError

from . import late
from .errands import keepers
from .ids import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Resource, Resources

    from .generation import Generation

__all__ = ["Sweep", "sweeping"]

_PAGE: Final = 100
_GROWTH: Final = 1.5  # times as old as at the last look is a response at the next
_KEPT: Final = 31 * 86_400_000_000  # microseconds; no vendor keeps a response for so long


@contextlib.asynccontextmanager
async def sweeping(g: Generation) -> AsyncIterator[None]:
    """Look from time to time, if there is a vendor that keeps responses and a store to know."""
    resources = g.store.resources if g.store is not None else None
    patience = g.configuration.accounting.background_patience
    if resources is None or not patience or not keepers(g):
        yield
        return
    task = asyncio.create_task(_sweep(Sweep(g, resources), patience), name="sweep")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _sweep(sweep: Sweep, patience: float) -> None:
    while True:
        await asyncio.sleep(patience * random.uniform(0.5, 1))  # noqa: S311
        try:
            await sweep.look(now())
        except Exception as error:  # whatever a store raises; the marks are still there
            sweep.log.error("sweep.failed", error=str(error))


class Sweep:
    """One process's looks at what is marked as unmetered."""

    def __init__(self, g: Generation, resources: Resources) -> None:
        self._g = g
        self._resources = resources
        self._patience = int(g.configuration.accounting.background_patience * 1e6)
        self._due: dict[str, int] = {}  # when to look again, by id
        self.log = g.log

    async def look(self, time: int) -> None:
        """Ask for all responses that it is time to ask for; ``time`` is in epoch microseconds."""
        due: dict[str, int] = {}
        before, after = time - self._patience, ""
        while page := await self._resources.list(
            late.UNMETERED, before=before, after=after, limit=_PAGE
        ):
            after = page[-1].id
            for mark in page:
                next_ = self._due.get(mark.id, 0)
                if next_ > time or await self._waits(mark, time):
                    later = mark.created + int((time - mark.created) * _GROWTH)
                    due[mark.id] = next_ if next_ > time else later
        self._due = due

    async def _waits(self, mark: Resource, time: int) -> bool:
        """Ask for a response; return whether it has to be asked for again."""
        account = self._g.accounts.get(mark.provider)
        lost = time - mark.created > _KEPT
        if account is not None and not lost:
            try:
                body = await late.fetch(self._g, account, mark.id, late.row_id(mark))
                return not await late.enter(self._g, account, mark.id, body)
            except UpstreamError as error:
                lost = error.status == 404
        if lost:
            self.log.warning("usage.lost", response=mark.id, provider=mark.provider)
            await self._g.books.disown(late.UNMETERED, mark.id)
        return not lost
