"""The store: one file, opened once, and its parts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .database import Database
from .ledger import SqliteLedger
from .resources import SqliteResources
from .responses import SqliteResponses
from .retention import expire, keep_sweeping, sweep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gomodel_proxy.api import Runtime

    from .config import SqliteConfig


class SqliteStore:
    """`gomodel_proxy.api.Store` over one database; its parts share the writer's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ledger = SqliteLedger(database)
        self.resources = SqliteResources(database)
        self.batches: None = None
        self.files: None = None
        self.responses = SqliteResponses(database)

    async def check(self) -> None:
        """Raise `gomodel_proxy.api.Unavailable` unless the file can be written right now."""
        await self._database.check()


@contextlib.asynccontextmanager
async def open_store(config: SqliteConfig, runtime: Runtime) -> AsyncIterator[SqliteStore]:
    """Open the file that the configuration names, creating it if need be; raises `ConfigError`."""
    async with (
        Database(runtime.base / config.path, config.busy_timeout) as database,
        _retention(database, config.retention_days, runtime, sweep),
        _retention(database, config.responses_days, runtime, expire),
    ):
        yield SqliteStore(database)


@contextlib.asynccontextmanager
async def _retention(
    database: Database,
    days: int,
    runtime: Runtime,
    clear: Callable[[Database, int], Awaitable[int]],
) -> AsyncIterator[None]:
    if days == 0:
        yield
        return
    sweeping = asyncio.create_task(keep_sweeping(database, days, runtime.log, clear))
    try:
        yield
    finally:
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
