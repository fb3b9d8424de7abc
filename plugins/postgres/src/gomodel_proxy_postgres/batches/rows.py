"""Rows of batches: how one is found, kept and discarded, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg
from msgspec.structs import replace

from gomodel_proxy.wire import stored_batches
from gomodel_proxy_postgres.errors import Again
from gomodel_proxy_postgres.text import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection, Record

    from gomodel_proxy.api import Batch, Change

ENDS: Final = {status: f"{status}_at" for status in ("completed", "failed", "expired", "cancelled")}

# Lines leased again are counted where they are leased: their batch is everybody's to write to.
COLUMNS: Final = (
    "b.key, b.data, (SELECT coalesce(sum(resent), 0)::bigint FROM batch_lanes WHERE batch = b.key)"
)
OWNED: Final = "b.id = $1 AND ($2::text IS NULL OR b.owner = $2)"


class Found(NamedTuple):
    """A batch, its key in the tables, and what of its ``resent`` stands elsewhere."""

    key: int
    batch: Batch
    resent: int


def read(row: Record) -> Found:
    """Return the batch of a row of `COLUMNS`."""
    key, data, resent = row
    batch = stored_batches.read(data)
    return Found(key, replace(batch, resent=batch.resent + resent) if resent else batch, resent)


async def find(connection: Connection, id_: str, owner: str | None) -> Batch | None:
    """Return a batch, None if the owner has none of that id."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM batches b WHERE {OWNED}",  # noqa: S608 (constants)
        id_,
        owner,
    )
    return None if row is None else read(row).batch


async def hold(connection: Connection, id_: str, token: int | None) -> Found | None:
    """Return a batch that nobody else changes meanwhile; None if it, or its claim, is lost.

    Everybody takes a batch before its claim, its lanes and its leases.
    """
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM batches b WHERE b.id = $1 FOR UPDATE",  # noqa: S608 (constants)
        id_,
    )
    if row is None:
        return None
    if token is not None:
        held = await connection.fetchval(
            "SELECT true FROM batch_claims WHERE batch = $1 AND token = $2 FOR UPDATE",
            row[0],
            token,
        )
        if not held:
            return None
    return read(row)


async def made(connection: Connection, owner: str, key: str) -> Batch | None:
    """Return the batch that its owner made with an idempotency key."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM batches b WHERE owner = $1 AND idempotency = $2",  # noqa: S608
        owner,
        short(key),
    )
    return None if row is None else read(row).batch


async def create(connection: Connection, batch: Batch, key: str | None) -> Batch:
    """Enter a batch, unless its owner has made one with this idempotency key."""
    known = None if key is None else await made(connection, batch.owner, key)
    if known is not None:
        return known
    try:
        await connection.execute(
            "WITH made AS (INSERT INTO batches "
            "(id, owner, created, status, input, data, idempotency, ended) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING key) "
            "INSERT INTO batch_claims (batch, due) SELECT key, $9 FROM made",
            batch.id,
            batch.owner,
            batch.created,
            batch.status,
            batch.input_file,
            stored_batches.write(batch),
            None if key is None else short(key),
            _end(batch),
            batch.due,
        )
    except asyncpg.UniqueViolationError as error:
        raise Again from error
    return batch


async def change(connection: Connection, found: Found, change: Change) -> tuple[Batch, bool]:
    """Change a batch; return it, and whether somebody may have something new to do."""
    before, after = found.batch, change(found.batch)
    if after == before:
        return after, False
    await connection.execute(
        "UPDATE batches SET status = $2, input = $3, data = $4, ended = $5 WHERE key = $1",
        found.key,
        after.status,
        after.input_file,
        stored_batches.write(replace(after, resent=after.resent - found.resent)),
        _end(after),
    )
    if after.due != before.due:
        await connection.execute(
            "UPDATE batch_claims SET due = $2 WHERE batch = $1", found.key, after.due
        )
    if active(after) != active(before):
        await connection.execute(
            "UPDATE batch_lanes SET active = $2 WHERE batch = $1", found.key, active(after)
        )
    return after, (after.status, after.due) != (before.status, before.due)


async def discard(connection: Connection, keys: Sequence[int]) -> None:
    """Delete batches with the files made of them; lines are left for later."""
    gone = await connection.fetch("DELETE FROM batches WHERE key = ANY($1) RETURNING id", keys)
    for table in ("batch_claims", "batch_lanes", "batch_leases"):
        await connection.execute(f"DELETE FROM {table} WHERE batch = ANY($1)", keys)  # noqa: S608
    await connection.execute("INSERT INTO batches_gone SELECT * FROM unnest($1::bigint[])", keys)
    await connection.executemany("DELETE FROM files WHERE batch = $1", gone)


async def page(
    connection: Connection, owner: str | None, limit: int, after: str | None, before: str | None
) -> Sequence[Batch]:
    """Return batches, newest first; raises LookupError if the one to go on from is unknown."""
    given = after if after is not None else before
    order, sense = ("ASC", ">") if after is None and before is not None else ("DESC", "<")
    bounds, values = ["TRUE"], list[object]()
    if owner is not None:
        values.append(owner)
        bounds.append("owner = $1")
    if given is not None:
        last = await find(connection, given, owner)
        if last is None:
            raise LookupError(given)
        bounds.append(f"(created, id) {sense} (${len(values) + 1}, ${len(values) + 2})")
        values += [last.created, last.id]
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM batches b WHERE {' AND '.join(bounds)} "  # noqa: S608 (constants)
        f"ORDER BY created {order}, id {order} LIMIT ${len(values) + 1}",
        *values,
        limit,
    )
    found = [read(row).batch for row in rows]
    return found if order == "DESC" else found[::-1]


def ended(batch: Batch) -> bool:
    """Return whether nothing can change its results any more."""
    return batch.status in ENDS


def active(batch: Batch) -> bool:
    """Return whether its lines may be leased."""
    return batch.status == "in_progress"


def _end(batch: Batch) -> int | None:
    if not ended(batch):
        return None
    at: int | None = getattr(batch, ENDS[batch.status])
    return batch.created if at is None else at
