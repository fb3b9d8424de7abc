"""Results with their charges, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy_postgres import ledger
from gomodel_proxy_postgres.text import all_escaped

from . import rows
from .line_rows import at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import Fold, Outcome

    from .rows import Found

_COLUMNS: Final = ("batch", "index", "failed", "status_code", "provider", "model", "result")

_BATCHES: Final = (
    f"SELECT {rows.COLUMNS} FROM batches b WHERE b.id = ANY($1) "  # noqa: S608 (constants)
    "ORDER BY b.key FOR UPDATE"
)
_LEASED: Final = """
DELETE FROM batch_leases lease USING (
    SELECT w.batch, w.index FROM batch_leases w
    JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (batch, index, token)
    USING (batch, index, token)
    ORDER BY w.batch, w.index FOR UPDATE OF w
) held WHERE lease.batch = held.batch AND lease.index = held.index
RETURNING lease.batch, lease.index, lease.token
"""
_SHIPPED: Final = """
SELECT l.batch, l.index, NULL FROM batch_lines l
JOIN unnest($1::bigint[], $2::bigint[]) AS given (batch, index) USING (batch, index)
WHERE l.shipment IS NOT NULL AND NOT EXISTS (
    SELECT FROM batch_results r WHERE r.batch = l.batch AND r.index = l.index
)
"""


async def commit(
    connection: Connection, outcomes: Sequence[Outcome], fold: Fold
) -> tuple[Sequence[bool], bool]:
    """Keep results; return which, and whether somebody may have something new to do."""
    found = await _hold(connection, {outcome.batch for outcome in outcomes})
    kept = await _acceptable(connection, outcomes, found)
    accepted = [outcome for outcome, mine in zip(outcomes, kept, strict=True) if mine]
    if not accepted:
        return kept, False
    await connection.copy_records_to_table(
        "batch_results",
        records=[_values(found[outcome.batch].key, outcome) for outcome in accepted],
        columns=_COLUMNS,
    )
    if charges := [row for outcome in accepted for row in outcome.rows]:
        await ledger.enter(connection, charges)
    stirred = False
    for id_ in found:
        if mine := [outcome for outcome in accepted if outcome.batch == id_]:
            _, new = await rows.change(connection, found[id_], lambda batch: fold(batch, mine))
            stirred = stirred or new
    return kept, stirred


async def _hold(connection: Connection, ids: set[str]) -> Mapping[str, Found]:
    """Return batches, by id, that take results; nobody else changes them meanwhile."""
    found = map(rows.read, await connection.fetch(_BATCHES, all_escaped(ids)))
    return {one.batch.id: one for one in found if not rows.ended(one.batch)}


async def _acceptable(
    connection: Connection, outcomes: Sequence[Outcome], found: Mapping[str, Found]
) -> list[bool]:
    """Return for each outcome whether its line has no result and is its to settle."""
    asked = [
        (found[outcome.batch].key, at(outcome.index), outcome.token)
        for outcome in outcomes
        if outcome.batch in found
    ]
    leased = [one for one in asked if one[2] is not None]
    shipped = [one for one in asked if one[2] is None]
    open_: set[tuple[int, int, int | None]] = set()
    for sql, group, width in ((_LEASED, leased, 3), (_SHIPPED, shipped, 2)):
        if group:
            columns = [list(column) for column in zip(*group, strict=True)]
            open_.update(map(tuple, await connection.fetch(sql, *columns[:width])))
    kept = []
    for outcome in outcomes:
        one = found.get(outcome.batch)
        line = (0, 0, None) if one is None else (one.key, outcome.index, outcome.token)
        kept.append(line in open_)  # keys begin with 1
        open_.discard(line)
    return kept


def _values(key: int, outcome: Outcome) -> tuple[object, ...]:
    return (key, *(getattr(outcome, name) for name in _COLUMNS[1:]))
