"""Batches: taken in, executed or handed to vendors, settled, ended.

All that works on them is imported when the store says that there is work: most processes never
see a batch.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from gomodel_proxy.engine.ids import now
from gomodel_proxy.wire.later import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Batches
    from gomodel_proxy.engine.generation import Generation

    from . import executor, steward, webhook
else:
    executor, steward, webhook = later(__package__, "executor", "steward", "webhook")

__all__ = ["working"]

_PATIENCE: Final = 2.0  # seconds for lines under way; a server that stops has waited already
_LONGEST: Final = 30.0  # seconds between two looks at a store that fails


@contextlib.asynccontextmanager
async def working(g: Generation) -> AsyncIterator[None]:
    """Work on the store's batches, if this process is to; raises `ConfigError`."""
    if g.configuration.batches.webhook_secret:
        webhook.key(g.configuration.batches.webhook_secret)
    batches = g.store.batches if g.store is not None else None
    if batches is None or not g.configuration.batches.work:
        yield
        return
    work = asyncio.create_task(_work(g, batches), name="batches_work")
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def _work(g: Generation, batches: Batches) -> None:
    """Work from the first that there is, until cancelled: this process's, others' or left over."""
    await _first(g, batches)
    executing, looking_after = executor.Executor(g, batches), steward.Steward(g, batches)
    executing.start()
    looking_after.start()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await looking_after.stop()
        await executing.stop(_PATIENCE)


async def _first(g: Generation, batches: Batches) -> None:
    """Return when there is something to do."""
    failures = 0
    while True:
        try:
            if await batches.look(now()):
                return
            failures = 0
            await batches.wait(g.configuration.batches.look)
        except Exception as error:  # whatever a store raises
            failures += 1
            g.log.error("batches.store_failed", work="look", error=str(error))
            await asyncio.sleep(min(0.1 * 2**failures, _LONGEST))
