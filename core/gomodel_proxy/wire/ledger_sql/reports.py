"""Reports: sums over many rows. Each is a question: the SQL, and how its rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from . import scope
from .columns import COSTS, TOKENS
from .log import total

if TYPE_CHECKING:
    from gomodel_proxy.api import Query

    from .scope import Condition

__all__ = ["Question", "Report", "daily", "models", "summary"]

Report = dict[str, Any]
Row = Sequence[Any]
T = TypeVar("T")


class Question(NamedTuple, Generic[T]):
    """SQL with question marks for ``values``; ``read`` makes the report of its rows."""

    sql: str
    values: tuple[Any, ...]
    read: Callable[[Iterable[Row]], T]


_STATUSES: Final = ("ok", "error", "cancelled", "unknown")
_SUMS: Final = (*TOKENS, *COSTS)
_DAY: Final = 86_400_000_000
_EPOCH: Final = date(1970, 1, 1)

# Requests and attempts are joined, so a request has as many rows as attempts (one, if it has
# none). This picks the one that counts it: its first.
_FIRST: Final = "coalesce(a.ordinal, 0) = 0"

# Per provider and model a request counts once as well, however often it was tried there; the last
# attempt there says how it ended.
_LAST_THERE: Final = (
    "NOT EXISTS (SELECT 1 FROM attempts later WHERE later.request = a.request "
    "AND later.ordinal > a.ordinal AND later.provider = a.provider AND later.model = a.model)"
)

_USED: Final = "coalesce(a.input_tokens, 0) + coalesce(a.output_tokens, 0) > 0"


def summary(query: Query) -> Question[Report]:
    """Ask for the sums over all rows asked for: one `Report`."""

    def read(rows: Iterable[Row]) -> Report:
        ((_, report),) = _reports(rows, 0)
        return report

    sql = _sql((), chosen := scope.of_requests(query), counted=_FIRST, status="r.status")
    return Question(sql, chosen.values, read)


def daily(query: Query) -> Question[Sequence[Report]]:
    """Ask for the sums per UTC day, by the time a request started: a list of `Report`."""

    def read(rows: Iterable[Row]) -> Sequence[Report]:
        return [
            {"date": (_EPOCH + timedelta(days=day)).isoformat(), **report}
            for (day,), report in _reports(rows, 1)
        ]

    keys = (f"r.started / {_DAY}",)
    sql = _sql(keys, chosen := scope.of_requests(query), counted=_FIRST, status="r.status")
    return Question(sql, chosen.values, read)


def models(query: Query) -> Question[Sequence[Report]]:
    """Ask for the sums per provider and model that were tried, as their bills will have them.

    A request that was sent to two of them counts at both. One that was never sent counts where
    it was meant to go.
    """

    def read(rows: Iterable[Row]) -> Sequence[Report]:
        listed = [
            {"provider": key[0], "model": key[1], **report} for key, report in _reports(rows, 2)
        ]
        return sorted(listed, key=_dearest)

    keys = ("coalesce(a.provider, r.provider)", "coalesce(a.model, r.served_model)")
    sql = _sql(
        keys,
        chosen := scope.of_attempts(query),
        counted=_LAST_THERE,
        status="coalesce(a.status, r.status)",
    )
    return Question(sql, chosen.values, read)


def _dearest(report: Report) -> tuple[int, int, int]:
    return -(report["total_cost"] or 0), -report["total_tokens"], -report["requests"]


def _sql(keys: Sequence[str], chosen: Condition, *, counted: str, status: str) -> str:
    """Return SQL for a row per key, in order of the keys; without keys exactly one."""
    columns = [
        *keys,
        f"count(*) FILTER (WHERE {counted})",
        *(f"count(*) FILTER (WHERE {counted} AND {status} = '{name}')" for name in _STATUSES),
        f"count(*) FILTER (WHERE {_USED} AND a.total_cost IS NULL)",
        "count(*) FILTER (WHERE a.provenance <> 'reported')",
        # In halves of 32 bits: a sum of 64 bits ends at 9.2 million USD, and SQLite's fails there.
        *(f"sum(a.{name} >> 32), sum(a.{name} & 4294967295)" for name in _SUMS),
    ]
    numbers = ", ".join(str(index + 1) for index in range(len(keys)))
    return (
        f"SELECT {', '.join(columns)} FROM requests r "  # noqa: S608 (constants)
        f"LEFT JOIN attempts a ON a.request = r.id WHERE {chosen.sql}"
        + (f" GROUP BY {numbers} ORDER BY {numbers}" if keys else "")
    )


def _reports(rows: Iterable[Row], keys: int) -> Iterator[tuple[Row, Report]]:
    for row in rows:
        yield row[:keys], _report(row[keys:])


def _report(row: Row) -> Report:
    requests, *counts = row[: 1 + len(_STATUSES)]
    unpriced, estimated, *halves = row[1 + len(_STATUSES) :]
    sums = {
        # PostgreSQL's sums are decimals
        name: None if high is None or low is None else (int(high) << 32) + int(low)
        for name, high, low in zip(_SUMS, halves[::2], halves[1::2], strict=True)
    }
    return {
        "requests": requests,
        **dict(zip(_STATUSES, counts, strict=True)),
        **{name: sums[name] or 0 for name in TOKENS},
        "total_tokens": total(sums["input_tokens"], sums["output_tokens"]) or 0,
        **{name: sums[name] for name in COSTS},
        "unpriced": unpriced,
        "estimated": estimated,
    }
