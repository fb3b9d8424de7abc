"""Lines: taking them in and reading them, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import BatchLine, LineResult

from .rows import active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import Batch

COLUMNS: Final = BatchLine.__struct_fields__
LIST: Final = ", ".join(f"l.{name}" for name in COLUMNS)

_OF: Final = "FROM batch_lines l WHERE l.batch = (SELECT key FROM batches WHERE id = $1)"
_FAILED: Final = {None: "", True: "AND r.failed IS DISTINCT FROM false", False: "AND NOT r.failed"}
_RESULTS: Final = """
SELECT l.index, l.custom_id, l.url, coalesce(nullif(r.model, ''), l.model) AS model,
    coalesce(nullif(r.provider, ''), l.provider) AS provider,
    coalesce(r.failed, false) AS failed, coalesce(r.status_code, 0) AS status_code, r.result
FROM batch_lines l LEFT JOIN batch_results r ON r.batch = l.batch AND r.index = l.index
WHERE l.batch = (SELECT key FROM batches WHERE id = $1) AND l.index > $2 {}
ORDER BY l.index LIMIT $3
"""
_REPEATS: Final = f"""
SELECT index, custom_id FROM (
    SELECT index, custom_id, row_number() OVER (PARTITION BY custom_id ORDER BY index) AS nth {_OF}
) numbered WHERE nth > 1 ORDER BY index LIMIT $2
"""  # noqa: S608 (constants)


def at(index: int) -> int:
    """Return an index, -1 for one that no line can have."""
    return index if 0 <= index < 2**63 else -1


async def add(connection: Connection, key: int, lines: Sequence[BatchLine]) -> None:
    """Enter lines of a batch that is held; those that are there already stay as they are."""
    known = {
        index
        for (index,) in await connection.fetch(
            "SELECT index FROM batch_lines WHERE batch = $1 AND index = ANY($2)",
            key,
            [line.index for line in lines],
        )
    }
    records = {
        line.index: (key, *(getattr(line, name) for name in COLUMNS))
        for line in lines
        if line.index not in known
    }
    if records:
        await connection.copy_records_to_table(
            "batch_lines", records=records.values(), columns=("batch", *COLUMNS)
        )


async def open_lanes(
    connection: Connection, key: int, lines: Sequence[BatchLine], batch: Batch
) -> None:
    """Have lines that were entered leased, as soon as their batch is in progress."""
    providers = {line.provider for line in lines if line.shipment is None}
    await connection.executemany(
        "INSERT INTO batch_lanes (batch, provider, active) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        [(key, provider, active(batch)) for provider in sorted(providers)],
    )


async def repeats(connection: Connection, id_: str, limit: int) -> Sequence[tuple[int, str]]:
    """Return index and ``custom_id`` of lines whose id an earlier line has, in order."""
    await connection.execute("SET LOCAL work_mem = '64MB'")  # all lines are sorted
    return [tuple(row) for row in await connection.fetch(_REPEATS, id_, limit)]


async def page(
    connection: Connection, id_: str, limit: int, after: int, shipment: int | None
) -> Sequence[BatchLine]:
    """Return lines in order, those of a shipment only if it is given."""
    further, values = ("", ()) if shipment is None else ("AND l.shipment = $4", (shipment,))
    rows = await connection.fetch(
        f"SELECT {LIST} {_OF} AND l.index > $2 {further} ORDER BY l.index LIMIT $3",
        id_,
        after,
        limit,
        *values,
    )
    return [BatchLine(**row) for row in rows]


async def pick(connection: Connection, id_: str, indexes: Sequence[int]) -> Sequence[BatchLine]:
    """Return these lines that have no result yet, in order."""
    rows = await connection.fetch(
        f"SELECT {LIST} {_OF} AND l.index = ANY($2) AND NOT EXISTS "  # noqa: S608 (constants)
        "(SELECT FROM batch_results r WHERE r.batch = l.batch AND r.index = l.index) "
        "ORDER BY l.index",
        id_,
        [at(index) for index in indexes],
    )
    return [BatchLine(**row) for row in rows]


async def results(
    connection: Connection, id_: str, limit: int, after: int, failed: bool | None
) -> Sequence[LineResult]:
    """Return lines with what has become of them, in order."""
    rows: Sequence[Mapping[str, object]] = await connection.fetch(
        _RESULTS.format(_FAILED[failed]), id_, after, limit
    )
    return [LineResult(**row) for row in rows]  # type: ignore[arg-type]
