"""The store: one schema, opened once, and its parts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .batches import PostgresBatches
from .bell import Bell, Tower
from .database import Database
from .files import PostgresFiles
from .ledger import PostgresLedger
from .resources import PostgresResources
from .responses import PostgresResponses
from .retention import keep_sweeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime

    from .config import PostgresConfig


class PostgresStore:
    """`gomodel_proxy.api.Store` over one database; its parts share the writer's transactions."""

    def __init__(self, database: Database, work: Tower, discarded: Bell) -> None:
        self._database = database
        self.ledger = PostgresLedger(database)
        self.resources = PostgresResources(database)
        self.batches = PostgresBatches(database, work, discarded)
        self.files = PostgresFiles(database, discarded)
        self.responses = PostgresResponses(database)

    async def check(self) -> None:
        """Raise `gomodel_proxy.api.Unavailable` unless the database can be written right now."""
        await self._database.check()


@contextlib.asynccontextmanager
async def open_store(config: PostgresConfig, runtime: Runtime) -> AsyncIterator[PostgresStore]:
    """Open the schema that the configuration names, making it if need be; raises `ConfigError`."""
    discarded = Bell()
    async with Database(config) as database, Tower(database, runtime.log) as work:
        sweeping = asyncio.create_task(keep_sweeping(config, database, discarded, runtime.log))
        try:
            yield PostgresStore(database, work, discarded)
        finally:
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping
