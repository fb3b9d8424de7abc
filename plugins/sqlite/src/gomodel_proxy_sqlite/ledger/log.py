"""The log: single rows, page by page."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import InvalidRequest

from . import scope
from .rows import ATTEMPTS, COSTS, REQUESTS, TOKENS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import Query

    from .scope import Condition

Entry = dict[str, Any]


def page(connection: sqlite3.Connection, query: Query) -> Sequence[Entry]:
    """Return at most ``limit`` rows, newest first; raises `InvalidRequest` if ``after`` is unknown.

    Rows of the same microsecond come in the order of their arrival, the last one first.
    """
    chosen = scope.of_page(query)
    rows = connection.execute(
        # The inner SELECT needs only an index; whole rows are read for one page, not for all.
        f"SELECT {REQUESTS.select} FROM requests WHERE rowid IN ("  # noqa: S608 (constants)
        f"SELECT r.rowid FROM requests r WHERE {chosen.sql} "
        "ORDER BY r.started DESC, r.rowid DESC LIMIT ?) ORDER BY started DESC, rowid DESC",
        (*chosen.values, max(query.limit, 0)),
    ).fetchall()
    if not rows and query.after is not None and not _exists(connection, scope.of_last(query)):
        raise InvalidRequest("no such row to go on after", param="after")
    attempts = _attempts(connection, [row[0] for row in rows])
    return [_entry(row, attempts[row[0]]) for row in rows]


def _exists(connection: sqlite3.Connection, last: Condition) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM requests r WHERE {last.sql}",  # noqa: S608 (constants)
        last.values,
    )
    return found.fetchone() is not None


def _attempts(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for row in connection.execute(
        f"SELECT {ATTEMPTS.select} FROM attempts WHERE request IN "  # noqa: S608 (constants)
        "(SELECT value FROM json_each(?)) ORDER BY request, ordinal",
        (msgspec.json.encode(ids).decode(),),
    ):
        attempt = dict(zip(ATTEMPTS.columns, row, strict=True))
        del attempt["ordinal"]
        found[attempt.pop("request")].append(attempt)
    return found


def _entry(row: tuple[Any, ...], attempts: list[Entry]) -> Entry:
    entry = dict(zip(REQUESTS.columns, row, strict=True))
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
