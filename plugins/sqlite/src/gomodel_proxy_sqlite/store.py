"""The store: one file, opened once, and its parts."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from .batches import SqliteBatches
from .bell import Bell
from .database import Database
from .files import SqliteFiles
from .folder import Folder
from .ledger import SqliteLedger
from .resources import SqliteResources
from .responses import SqliteResponses
from .retention import (
    STRAY,
    expire,
    expire_batches,
    expire_files,
    keep_clearing,
    keep_sweeping,
    sweep,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

    from gomodel_proxy.api import Runtime

    from .config import SqliteConfig
    from .retention import Sweep

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND


class SqliteStore:
    """`gomodel_proxy.api.Store` over one database; its parts share the writer's transactions."""

    def __init__(self, database: Database, folder: Folder, discarded: Bell) -> None:
        self._database = database
        self.ledger = SqliteLedger(database)
        self.resources = SqliteResources(database)
        self.batches = SqliteBatches(database, discarded)
        self.files = SqliteFiles(database, folder)
        self.responses = SqliteResponses(database)

    async def check(self) -> None:
        """Raise `gomodel_proxy.api.Unavailable` unless the file can be written right now."""
        await self._database.check()


@contextlib.asynccontextmanager
async def open_store(config: SqliteConfig, runtime: Runtime) -> AsyncIterator[SqliteStore]:
    """Open the file that the configuration names, creating it if need be; raises `ConfigError`."""
    discarded = Bell()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database(runtime.base / config.path, config.busy_timeout)
        )
        folder = await stack.enter_async_context(
            Folder(runtime.base / (config.files or f"{config.path}.files"))
        )
        for sweeping in _sweeps(config, database, folder):
            await stack.enter_async_context(_beside(keep_sweeping(sweeping, runtime.log)))
        await stack.enter_async_context(_beside(keep_clearing(database, discarded, runtime.log)))
        yield SqliteStore(database, folder, discarded)


def _sweeps(config: SqliteConfig, database: Database, folder: Folder) -> Iterator[Sweep]:
    for days, delete in (
        (config.retention_days, sweep),
        (config.responses_days, expire),
        (config.batches_days, expire_batches),
    ):
        if days:
            yield _older_than(days, partial(delete, database))
    yield _files(config.files_days, database, folder)
    yield lambda now: tidy(database, folder, now / SECOND - STRAY)


def _older_than(days: int, delete: Sweep) -> Sweep:
    return lambda now: delete(now - days * DAY)


def _files(days: int, database: Database, folder: Folder) -> Sweep:
    return lambda now: expire_files(database, folder, now, now - days * DAY if days else None)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run something beside the store, for as long as it is open."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
