"""The ledger: requests, their attempts, and what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from gomodel_proxy.wire.ledger_sql import reports
from gomodel_proxy.wire.ledger_sql.scope import numbered

from . import log
from .rows import enter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import LedgerRow, Query
    from gomodel_proxy.wire.ledger_sql.reports import Question
    from gomodel_proxy_postgres.database import Database

T = TypeVar("T")

__all__ = ["PostgresLedger", "enter"]


class PostgresLedger:
    """`gomodel_proxy.api.Ledger` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, rows: Sequence[LedgerRow]) -> None:
        """Commit rows; they are visible to queries, of any process, when this returns."""
        if rows:
            await self._database.write(lambda connection: enter(connection, rows))

    async def log(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return rows, newest first, each with its attempts and their sums."""
        return await self._database.report(lambda connection: log.page(connection, query))

    async def summary(self, query: Query) -> Mapping[str, Any]:
        """Return the sums over all rows asked for."""
        return await self._answer(reports.summary(query))

    async def daily(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return the sums per UTC day that has rows, ascending."""
        return await self._answer(reports.daily(query))

    async def models(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return the sums per provider and model that were tried, dearest first."""
        return await self._answer(reports.models(query))

    async def _answer(self, question: Question[T]) -> T:
        async def work(connection: Connection) -> T:
            return question.read(await connection.fetch(numbered(question.sql), *question.values))

        return await self._database.report(work)
