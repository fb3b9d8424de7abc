"""The log: single rows with their attempts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from .columns import ATTEMPT, COSTS, REQUEST, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Entry", "entries", "total"]

Entry = dict[str, Any]


def entries(requests: Iterable[Sequence[Any]], attempts: Iterable[Sequence[Any]]) -> list[Entry]:
    """Return what `Ledger.log` returns, from rows of both tables, attempts in their order."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for row in attempts:
        attempt = dict(zip(ATTEMPT.names, row, strict=True))
        del attempt["ordinal"]
        found[attempt.pop("request")].append(attempt)
    return [_entry(row, found[row[0]]) for row in requests]


def _entry(row: Sequence[Any], attempts: list[Entry]) -> Entry:
    entry = dict(zip(REQUEST.names, row, strict=True))
    entry["stream"] = bool(entry["stream"])
    entry["losses"] = msgspec.json.decode(entry["losses"])
    for attempt in attempts:
        attempt["total_tokens"] = total(attempt["input_tokens"], attempt["output_tokens"])
        attempt["raw_usage"] = _decoded(attempt["raw_usage"])
    for name in (*TOKENS, "total_tokens", *COSTS):
        entry[name] = total(*(attempt[name] for attempt in attempts))
    entry["attempts"] = attempts
    return entry


def total(*numbers: int | None) -> int | None:
    """Return the sum of what is known, None if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _decoded(raw: str | None) -> Any:
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw
