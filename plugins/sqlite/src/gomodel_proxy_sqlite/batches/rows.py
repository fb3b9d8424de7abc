"""Rows of batches: how one is found, kept and discarded, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gomodel_proxy.wire import stored_batches
from gomodel_proxy_sqlite.table import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Batch, Change

OWNED: Final = "id = :id AND (:owner IS NULL OR owner = :owner)"
ENDS: Final = {status: f"{status}_at" for status in ("completed", "failed", "expired", "cancelled")}
INDEXES: Final = 2**32
"""Indexes that a batch has room for."""


class Found(NamedTuple):
    """A batch and its key in the tables."""

    key: int
    batch: Batch


def place(key: int, index: int) -> int:
    """Return where a line is, -1 for an index that no line can have."""
    return key * INDEXES + index if 0 <= index < INDEXES else -1


def find(connection: sqlite3.Connection, id_: str, owner: str | None = None) -> Found | None:
    """Return a batch, None if the owner has none of that id."""
    row = connection.execute(
        f"SELECT key, data FROM batches WHERE {OWNED}",  # noqa: S608 (constants)
        {"id": storable(id_), "owner": owner},
    ).fetchone()
    return None if row is None else Found(row[0], stored_batches.read(row[1]))


def held(connection: sqlite3.Connection, id_: str, token: int) -> Found | None:
    """Return a batch whose claim has this token."""
    row = connection.execute(
        "SELECT key, data FROM batches WHERE id = ? AND token = ?", (storable(id_), token)
    ).fetchone()
    return None if row is None else Found(row[0], stored_batches.read(row[1]))


def key_of(connection: sqlite3.Connection, id_: str) -> int | None:
    """Return a batch's key."""
    row = connection.execute("SELECT key FROM batches WHERE id = ?", (storable(id_),)).fetchone()
    return None if row is None else row[0]


def made(connection: sqlite3.Connection, owner: str, key: str) -> Batch | None:
    """Return the batch that its owner made with this idempotency key."""
    row = connection.execute(
        "SELECT data FROM batches WHERE owner = ? AND idempotency = ?", (owner, storable(key))
    ).fetchone()
    return None if row is None else stored_batches.read(row[0])


def create(connection: sqlite3.Connection, batch: Batch, key: str | None) -> Batch:
    """Enter a batch, unless its owner has made one with this idempotency key."""
    known = None if key is None else made(connection, batch.owner, key)
    if known is not None:
        return known
    connection.execute(
        "INSERT INTO batches (id, owner, created, status, input, data, idempotency, due, ended) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch.id,
            batch.owner,
            batch.created,
            batch.status,
            storable(batch.input_file),
            stored_batches.write(batch),
            storable(key),
            batch.due,
            _end(batch),
        ),
    )
    return batch


def change(connection: sqlite3.Connection, found: Found, change: Change) -> tuple[Batch, bool]:
    """Change a batch; return it, and whether somebody may have something new to do."""
    before, after = found.batch, change(found.batch)
    if after == before:
        return after, False
    connection.execute(
        "UPDATE batches SET status = ?, input = ?, data = ?, due = ?, ended = ? WHERE key = ?",
        (
            after.status,
            storable(after.input_file),
            stored_batches.write(after),
            after.due,
            _end(after),
            found.key,
        ),
    )
    return after, (after.status, after.due) != (before.status, before.due)


def discard(connection: sqlite3.Connection, found: Iterable[tuple[int, str]]) -> None:
    """Delete batches, by key and id, with the files made of them; lines are left for later."""
    batches = list(found)
    connection.executemany("DELETE FROM batches WHERE key = ?", [(key,) for key, _ in batches])
    connection.executemany("INSERT INTO batches_gone VALUES (?)", [(key,) for key, _ in batches])
    connection.executemany("DELETE FROM files WHERE batch = ?", [(id_,) for _, id_ in batches])


def page(
    connection: sqlite3.Connection,
    owner: str | None,
    limit: int,
    after: str | None,
    before: str | None,
) -> Sequence[Batch]:
    """Return batches, newest first; raises LookupError if the one to go on from is unknown."""
    given = after if after is not None else before
    order, sense = ("ASC", ">") if after is None and before is not None else ("DESC", "<")
    bounds, values = _bounds(connection, owner, given, sense)
    rows = connection.execute(
        f"SELECT data FROM batches WHERE {bounds} "  # noqa: S608 (constants)
        f"ORDER BY created {order}, id {order} LIMIT ?",
        (*values, limit),
    ).fetchall()
    found = [stored_batches.read(data) for (data,) in rows]
    return found if order == "DESC" else found[::-1]


def _bounds(
    connection: sqlite3.Connection, owner: str | None, id_: str | None, sense: str
) -> tuple[str, list[object]]:
    bounds, values = ["1"], list[object]()
    if owner is not None:
        bounds.append("owner = ?")
        values.append(owner)
    if id_ is not None:
        found = find(connection, id_, owner)
        if found is None:
            raise LookupError(id_)
        bounds.append(f"(created, id) {sense} (?, ?)")
        values += [found.batch.created, found.batch.id]
    return " AND ".join(bounds), values


def ended(batch: Batch) -> bool:
    """Return whether nothing can change its results any more."""
    return batch.status in ENDS


def _end(batch: Batch) -> int | None:
    if batch.status not in ENDS:
        return None
    at: int | None = getattr(batch, ENDS[batch.status])
    return batch.created if at is None else at
