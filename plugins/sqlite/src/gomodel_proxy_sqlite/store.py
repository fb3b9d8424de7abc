"""The store: one file, opened once, and its parts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .database import Database
from .ledger import SqliteLedger
from .resources import SqliteResources
from .retention import keep_sweeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        self.responses: None = None

    async def check(self) -> None:
        """Raise `gomodel_proxy.api.Unavailable` unless the file can be written right now."""
        await self._database.check()


@contextlib.asynccontextmanager
async def open_store(config: SqliteConfig, runtime: Runtime) -> AsyncIterator[SqliteStore]:
    """Open the file that the configuration names, creating it if need be; raises `ConfigError`."""
    async with (
        Database(runtime.base / config.path, config.busy_timeout) as database,
        _retention(database, config.retention_days, runtime),
    ):
        yield SqliteStore(database)


@contextlib.asynccontextmanager
async def _retention(database: Database, days: int, runtime: Runtime) -> AsyncIterator[None]:
    if days == 0:
        yield
        return
    sweeping = asyncio.create_task(keep_sweeping(database, days, runtime.log))
    try:
        yield
    finally:
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
