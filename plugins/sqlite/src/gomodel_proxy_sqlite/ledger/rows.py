"""Ledger rows into their two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy_sqlite.table import Table

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import Attempt, LedgerRow, Usage

Values = tuple[Any, ...]

TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
)
COSTS: Final = ("input_cost", "output_cost", "total_cost")

REQUESTS: Final = Table(
    "requests",
    required=(
        *("id", "request_id", "started", "principal", "user_path", "operation", "dialect"),
        *("model", "provider", "type", "served_model", "stream", "status", "losses"),
    ),
    optional=("batch", "http_status", "error", "latency", "first_token"),
)
ATTEMPTS: Final = Table(
    "attempts",
    required=("request", "ordinal", "id", "provider", "type", "model", "started", "status"),
    optional=(
        *("http_status", "error", "latency", "first_token"),
        *TOKENS,
        "provenance",
        *COSTS,
        *("price_version", "raw_usage"),
    ),
)

NO_USAGE: Final = (None,) * (len(TOKENS) + 1)


def enter(connection: sqlite3.Connection, rows: Sequence[LedgerRow]) -> None:
    """Enter rows, within the caller's transaction.

    A row that is there stays as it is, unless its status is ``unknown`` and the new one's is not:
    then the new one takes its place, attempts included.
    """
    known = statuses(connection, [row.id for row in rows])
    chosen: dict[str, LedgerRow] = {}
    outdated: list[str] = []
    for row in rows:
        status = known.get(row.id)
        if status is None or (status == "unknown" and row.status != "unknown"):
            if status is not None and row.id not in chosen:
                outdated.append(row.id)
            known[row.id] = row.status
            chosen[row.id] = row
    forget(connection, outdated)
    REQUESTS.insert(connection, [request_values(row) for row in chosen.values()])
    ATTEMPTS.insert(
        connection,
        [
            attempt_values(row.id, ordinal, attempt)
            for row in chosen.values()
            for ordinal, attempt in enumerate(row.attempts)
        ],
    )


def statuses(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the status of those ids that are in the ledger."""
    return dict(
        connection.execute(
            "SELECT id, status FROM requests WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(ids).decode(),),
        ).fetchall()
    )


def forget(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Remove requests and, with them, their attempts."""
    connection.executemany("DELETE FROM requests WHERE id = ?", [(id_,) for id_ in ids])


def request_values(row: LedgerRow) -> Values:
    """Return a row's values in the order of `REQUESTS`."""
    return (
        row.id,
        row.request_id,
        row.started,
        row.principal,
        row.user_path,
        row.operation,
        row.dialect,
        row.model,
        row.provider,
        row.type,
        row.served_model,
        int(row.stream),
        row.status,
        msgspec.json.encode(row.losses).decode() if row.losses else "[]",
        row.batch,
        row.http_status,
        row.error,
        row.latency,
        row.first_token,
    )


def attempt_values(request: str, ordinal: int, attempt: Attempt) -> Values:
    """Return an attempt's values in the order of `ATTEMPTS`."""
    usage = attempt.usage
    return (
        request,
        ordinal,
        attempt.id,
        attempt.provider,
        attempt.type,
        attempt.model,
        attempt.started,
        attempt.status,
        attempt.http_status,
        attempt.error,
        attempt.latency,
        attempt.first_token,
        *(NO_USAGE if usage is None else usage_values(usage)),
        attempt.input_cost,
        attempt.output_cost,
        attempt.total_cost,
        attempt.price_version,
        usage.raw.decode("utf-8", "replace") if usage and usage.raw else None,
    )


def usage_values(usage: Usage) -> Values:
    """Return token classes and provenance in the order of `TOKENS`."""
    return (
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.reasoning,
        usage.audio_input,
        usage.audio_output,
        usage.provenance,
    )
