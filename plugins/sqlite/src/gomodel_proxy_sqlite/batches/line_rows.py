"""Lines: taking them in and reading them, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import BatchLine, LineResult
from gomodel_proxy_sqlite.table import Table

from .rows import INDEXES, place

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

LINES: Final = Table(
    "batch_lines",
    required=("place", "batch", "custom_id", "url", "model", "provider"),
    optional=("shipment",),
    ignore=True,
)
BODIES: Final = Table("batch_bodies", required=("place", "body"), ignore=True)

COLUMNS: Final = "place, custom_id, url, model, provider, body, shipment"
WHOLE: Final = "batch_lines JOIN batch_bodies USING (place)"
CHOSEN: Final = "place IN (SELECT value FROM json_each(?))"

_FAILED: Final = {
    None: "",
    True: "AND failed IS NOT 0",
    False: "AND failed = 0",
}
# A row number within each id, because a sort takes the same memory however many lines there are.
_REPEATS: Final = """
SELECT place, custom_id FROM (
    SELECT place, custom_id, row_number() OVER (PARTITION BY custom_id ORDER BY place) AS nth
    FROM batch_lines WHERE place BETWEEN ? AND ?
) WHERE nth > 1 ORDER BY place LIMIT ?
"""


def chosen(places: Iterable[int]) -> str:
    """Return places as the value of `CHOSEN`."""
    return msgspec.json.encode(list(places)).decode()


def add(connection: sqlite3.Connection, key: int, lines: Sequence[BatchLine]) -> None:
    """Enter lines; those that are there already stay as they are."""
    places = [key * INDEXES + line.index for line in lines]
    LINES.insert(
        connection,
        [
            (at, key, line.custom_id, line.url, line.model, line.provider, line.shipment)
            for at, line in zip(places, lines, strict=True)
        ],
    )
    BODIES.insert(connection, [(at, line.body) for at, line in zip(places, lines, strict=True)])


def repeats(connection: sqlite3.Connection, key: int, limit: int) -> Sequence[tuple[int, str]]:
    """Return index and ``custom_id`` of lines whose id an earlier line has, in order."""
    rows = connection.execute(_REPEATS, (place(key, 0), place(key, INDEXES - 1), limit))
    return [(at % INDEXES, custom_id) for at, custom_id in rows]


def page(
    connection: sqlite3.Connection, key: int, limit: int, after: int, shipment: int | None
) -> Sequence[BatchLine]:
    """Return lines in order, those of a shipment only if it is given."""
    bounds, values = "place > ? AND place < ?", [key * INDEXES + after, (key + 1) * INDEXES]
    if shipment is not None:
        bounds = f"batch = ? AND shipment = ? AND {bounds}"
        values = [key, shipment, *values]
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM {WHOLE} WHERE {bounds} ORDER BY place LIMIT ?",  # noqa: S608
        (*values, limit),
    )
    return [line(*row) for row in rows]


def pick(connection: sqlite3.Connection, key: int, indexes: Sequence[int]) -> Sequence[BatchLine]:
    """Return these lines that have no result yet, in order."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM {WHOLE} WHERE {CHOSEN} AND failed IS NULL ORDER BY place",  # noqa: S608
        (chosen(place(key, index) for index in indexes),),
    )
    return [line(*row) for row in rows]


def results(
    connection: sqlite3.Connection, key: int, limit: int, after: int, failed: bool | None
) -> Sequence[LineResult]:
    """Return lines with what has become of them, in order."""
    rows = connection.execute(
        "SELECT l.place, custom_id, url, ifnull(nullif(r.model, ''), l.model), "  # noqa: S608
        "ifnull(nullif(r.provider, ''), l.provider), failed, status_code, result "
        "FROM batch_lines AS l LEFT JOIN batch_results AS r ON r.place = l.place "
        f"WHERE l.place > ? AND l.place < ? {_FAILED[failed]} ORDER BY l.place LIMIT ?",
        (key * INDEXES + after, (key + 1) * INDEXES, limit),
    )
    return [_result(*row) for row in rows]


def line(
    at: int, custom_id: str, url: str, model: str, provider: str, body: bytes, shipment: int | None
) -> BatchLine:
    """Return the line of a row of `COLUMNS`."""
    return BatchLine(
        index=at % INDEXES,
        custom_id=custom_id,
        url=url,
        model=model,
        provider=provider,
        body=body,
        shipment=shipment,
    )


def _result(
    at: int,
    custom_id: str,
    url: str,
    model: str,
    provider: str,
    failed: Any,
    status_code: int | None,
    result: bytes | None,
) -> LineResult:
    return LineResult(
        index=at % INDEXES,
        custom_id=custom_id,
        url=url,
        model=model,
        provider=provider,
        failed=bool(failed),
        status_code=status_code or 0,
        result=result,
    )
