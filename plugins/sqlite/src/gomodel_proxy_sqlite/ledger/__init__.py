"""The ledger: requests, their attempts, and what they add up to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from gomodel_proxy.wire.later import later

from .rows import enter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import LedgerRow, Query
    from gomodel_proxy.wire.ledger_sql import reports
    from gomodel_proxy.wire.ledger_sql.reports import Question
    from gomodel_proxy_sqlite.database import Database

    from . import log
else:
    (log,) = later(__package__, "log")
    (reports,) = later("gomodel_proxy.wire.ledger_sql", "reports")

T = TypeVar("T")

__all__ = ["SqliteLedger", "enter"]


class SqliteLedger:
    """`gomodel_proxy.api.Ledger` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, rows: Sequence[LedgerRow]) -> None:
        """Commit rows; they are visible to queries, of any process, when this returns."""
        if rows:
            await self._database.write(lambda connection: enter(connection, rows))

    async def log(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return rows, newest first, each with its attempts and their sums."""
        return await self._database.report(partial(log.page, query=query))

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
        return await self._database.report(
            lambda connection: question.read(connection.execute(question.sql, question.values))
        )
