"""Reports: sums over many rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from . import scope
from .log import total
from .rows import COSTS, TOKENS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from gomodel_proxy.api import Query

    from .scope import Condition

Report = dict[str, Any]

STATUSES: Final = ("ok", "error", "cancelled", "unknown")
SUMS: Final = (*TOKENS, *COSTS)
DAY: Final = 86_400_000_000
EPOCH: Final = date(1970, 1, 1)

# Requests and attempts are joined, so a request has as many rows as attempts (one, if it has
# none). This picks the one that counts it: its first.
FIRST: Final = "coalesce(a.ordinal, 0) = 0"

# Per provider and model a request counts once as well, however often it was tried there; the last
# attempt there says how it ended.
LAST_THERE: Final = (
    "NOT EXISTS (SELECT 1 FROM attempts later WHERE later.request = a.request "
    "AND later.ordinal > a.ordinal AND later.provider = a.provider AND later.model = a.model)"
)

USED: Final = "coalesce(a.input_tokens, 0) + coalesce(a.output_tokens, 0) > 0"


def summary(connection: sqlite3.Connection, query: Query) -> Report:
    """Return the sums over all rows asked for."""
    chosen = scope.of_requests(query)
    ((_, report),) = _reports(connection, (), chosen, counted=FIRST, status="r.status")
    return report


def daily(connection: sqlite3.Connection, query: Query) -> Sequence[Report]:
    """Return the sums per UTC day, by the time a request started."""
    chosen = scope.of_requests(query)
    keys = (f"r.started / {DAY}",)
    found = _reports(connection, keys, chosen, counted=FIRST, status="r.status")
    return [
        {"date": (EPOCH + timedelta(days=day)).isoformat(), **report} for (day,), report in found
    ]


def models(connection: sqlite3.Connection, query: Query) -> Sequence[Report]:
    """Return the sums per provider and model that were tried, as their bills will have them.

    A request that was sent to two of them counts at both. One that was never sent counts where
    it was meant to go.
    """
    keys = ("coalesce(a.provider, r.provider)", "coalesce(a.model, r.served_model)")
    found = _reports(
        connection,
        keys,
        scope.of_attempts(query),
        counted=LAST_THERE,
        status="coalesce(a.status, r.status)",
    )
    listed = [{"provider": key[0], "model": key[1], **report} for key, report in found]
    return sorted(listed, key=_dearest)


def _dearest(report: Report) -> tuple[int, int, int]:
    return -(report["total_cost"] or 0), -report["total_tokens"], -report["requests"]


def _reports(
    connection: sqlite3.Connection,
    keys: Sequence[str],
    chosen: Condition,
    *,
    counted: str,
    status: str,
) -> Iterator[tuple[tuple[Any, ...], Report]]:
    """Yield ``(key, report)`` in order of the keys; without keys exactly one."""
    columns = [
        *keys,
        f"count(*) FILTER (WHERE {counted})",
        *(f"count(*) FILTER (WHERE {counted} AND {status} = '{name}')" for name in STATUSES),
        f"count(*) FILTER (WHERE {USED} AND a.total_cost IS NULL)",
        "count(*) FILTER (WHERE a.provenance <> 'reported')",
        # In halves of 32 bits: SQLite's sum() fails beyond 64 bits, which is 9.2 million USD.
        *(f"sum(a.{name} >> 32), sum(a.{name} & 4294967295)" for name in SUMS),
    ]
    numbers = ", ".join(str(index + 1) for index in range(len(keys)))
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM requests r "  # noqa: S608 (constants)
        f"LEFT JOIN attempts a ON a.request = r.id WHERE {chosen.sql}"
        + (f" GROUP BY {numbers} ORDER BY {numbers}" if keys else ""),
        chosen.values,
    )
    for row in rows:
        yield row[: len(keys)], _report(row[len(keys) :])


def _report(row: Sequence[int | None]) -> Report:
    requests, *counts = row[: 1 + len(STATUSES)]
    unpriced, estimated, *halves = row[1 + len(STATUSES) :]
    sums = {
        name: None if high is None or low is None else (high << 32) + low
        for name, high, low in zip(SUMS, halves[::2], halves[1::2], strict=True)
    }
    return {
        "requests": requests,
        **dict(zip(STATUSES, counts, strict=True)),
        **{name: sums[name] or 0 for name in TOKENS},
        "total_tokens": total(sums["input_tokens"], sums["output_tokens"]) or 0,
        **{name: sums[name] for name in COSTS},
        "unpriced": unpriced,
        "estimated": estimated,
    }
