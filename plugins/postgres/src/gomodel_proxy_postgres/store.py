"""The store: one schema, opened once, and its parts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .database import Database
from .ledger import PostgresLedger
from .resources import PostgresResources
from .responses import PostgresResponses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime

    from .config import PostgresConfig


class PostgresStore:
    """`gomodel_proxy.api.Store` over one database; its parts share the writer's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ledger = PostgresLedger(database)
        self.resources = PostgresResources(database)
        self.batches: None = None
        self.files: None = None
        self.responses = PostgresResponses(database)

    async def check(self) -> None:
        """Raise `gomodel_proxy.api.Unavailable` unless the database can be written right now."""
        await self._database.check()


@contextlib.asynccontextmanager
async def open_store(config: PostgresConfig, runtime: Runtime) -> AsyncIterator[PostgresStore]:
    """Open the schema that the configuration names, making it if need be; raises `ConfigError`."""
    async with Database(config) as database:
        yield PostgresStore(database)
