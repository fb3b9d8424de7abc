"""The columns of the two tables, and a row's values for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Attempt, LedgerRow, Usage

__all__ = [
    "ATTEMPT",
    "COSTS",
    "REQUEST",
    "TOKENS",
    "Columns",
    "attempt_values",
    "choose",
    "request_values",
]

Values = tuple[Any, ...]


class Columns(NamedTuple):
    """A table's columns in the order of its values: those that are never NULL, then the others."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.required, *self.optional)


TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
)
COSTS: Final = ("input_cost", "output_cost", "total_cost")

REQUEST: Final = Columns(
    required=(
        *("id", "request_id", "started", "principal", "user_path", "operation", "dialect"),
        *("model", "provider", "type", "served_model", "stream", "status", "losses"),
    ),
    optional=("batch", "http_status", "error", "latency", "first_token"),
)
ATTEMPT: Final = Columns(
    required=("request", "ordinal", "id", "provider", "type", "model", "started", "status"),
    optional=(
        *("http_status", "error", "latency", "first_token"),
        *TOKENS,
        "provenance",
        *COSTS,
        *("price_version", "raw_usage"),
    ),
)

_NO_USAGE: Final = (None,) * (len(TOKENS) + 1)


def choose(
    rows: Sequence[LedgerRow], known: Mapping[str, str]
) -> tuple[dict[str, LedgerRow], list[str]]:
    """Return which rows to enter, by id, and the ids of those that have to go before.

    ``known`` is the status of those that are there. A row that is there stays as it is, unless its
    status is ``unknown`` and the new one's is not: then the new one takes its place, attempts
    included.
    """
    statuses = dict(known)
    chosen: dict[str, LedgerRow] = {}
    outdated: list[str] = []
    for row in rows:
        status = statuses.get(row.id)
        if status is None or (status == "unknown" and row.status != "unknown"):
            if status is not None and row.id not in chosen:
                outdated.append(row.id)
            statuses[row.id] = row.status
            chosen[row.id] = row
    return chosen, outdated


def request_values(row: LedgerRow) -> Values:
    """Return a row's values in the order of `REQUEST`."""
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
    """Return an attempt's values in the order of `ATTEMPT`."""
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
        *(_NO_USAGE if usage is None else _usage_values(usage)),
        attempt.input_cost,
        attempt.output_cost,
        attempt.total_cost,
        attempt.price_version,
        usage.raw.decode("utf-8", "replace") if usage and usage.raw else None,
    )


def _usage_values(usage: Usage) -> Values:
    """Return token classes and provenance in the order of `TOKENS`."""
    return (
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.cache_write_1h,
        usage.reasoning,
        usage.audio_input,
        usage.audio_output,
        usage.provenance,
    )
