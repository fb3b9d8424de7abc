"""Forgetting: what is too old, and what was left behind; always in small pieces.

Several processes may do so at the same time: each leaves alone what another is about to delete.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.wire.later import later

from . import files
from .responses import purge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from asyncpg import Connection

    from .batches import rows
    from .bell import Bell
    from .config import PostgresConfig
    from .database import Database

    Piece = Callable[[Connection], Awaitable[int]]
    """Deletes some rows, within the caller's transaction; returns how many, 0 after the last."""

    Sweep = Callable[[int], Awaitable[int]]
    """Deletes what is outdated now (epoch microseconds); returns how much that was."""
else:
    (rows,) = later("gomodel_proxy_postgres.batches", "rows")

PIECE: Final = 500
"""Rows per transaction."""

BYTES: Final = 64
"""Pieces of files per transaction: 16 MiB."""

PAUSE: Final = 3600.0
STRAY: Final = "1 hour"
"""Until bytes that nobody adds to are nobody's."""

DAY: Final = 86_400_000_000

_REQUESTS: Final = """
WITH gone AS (
    DELETE FROM requests WHERE id IN (
        SELECT id FROM requests WHERE started < $1
        ORDER BY started LIMIT $2 FOR UPDATE SKIP LOCKED
    ) RETURNING id
), theirs AS (
    DELETE FROM attempts WHERE request IN (SELECT id FROM gone)
)
SELECT count(*) FROM gone
"""
_RESPONSES: Final = """
UPDATE responses SET deleted = true WHERE id IN (
    SELECT id FROM responses WHERE NOT deleted AND created < $1
    ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_HIDDEN: Final = """
SELECT id FROM responses AS old WHERE deleted AND created < $1
AND NOT EXISTS (SELECT FROM responses AS later WHERE later.previous = old.id)
ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_CONVERSATIONS: Final = """
WITH gone AS (
    DELETE FROM conversations WHERE id IN (
        SELECT id FROM conversations WHERE used < $1
        ORDER BY used LIMIT $2 FOR UPDATE SKIP LOCKED
    ) RETURNING id
)
SELECT count(*) FROM gone
"""
_BATCHES: Final = """
SELECT key FROM batches WHERE ended < $1 ORDER BY ended LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_FILES: Final = """
DELETE FROM files WHERE id IN (
    SELECT id FROM files old WHERE expires <= $1 OR created < $2 AND NOT EXISTS
    (SELECT FROM batches WHERE input = old.id AND ended IS NULL)
    LIMIT $3 FOR UPDATE SKIP LOCKED
) RETURNING content
"""


async def sweep(database: Database, before: int) -> int:
    """Delete requests that started before a time (epoch microseconds); return how many."""
    return await _in_pieces(
        database, lambda connection: connection.fetchval(_REQUESTS, before, PIECE)
    )


async def expire(database: Database, before: int) -> int:
    """Delete responses made, and conversations last written to, before a time; return how many.

    A response that a younger one goes on from is only hidden.
    """

    async def hide(connection: Connection) -> int:
        hidden = await connection.fetch(_RESPONSES, before, PIECE)
        for (id_,) in hidden:
            await purge(connection, id_)
        return len(hidden)

    async def remove(connection: Connection) -> int:
        """Delete what two who deleted at the same time have left to each other."""
        hidden = await connection.fetch(_HIDDEN, before, PIECE)
        for (id_,) in hidden:
            await purge(connection, id_)
        return len(hidden)

    count = await _in_pieces(database, hide)
    await _in_pieces(database, remove)
    return count + await _in_pieces(
        database, lambda connection: connection.fetchval(_CONVERSATIONS, before, PIECE)
    )


async def expire_batches(database: Database, before: int) -> int:
    """Delete batches that ended before a time; return how many."""

    async def piece(connection: Connection) -> int:
        old = [key for (key,) in await connection.fetch(_BATCHES, before, PIECE)]
        if old:
            await rows.discard(connection, old)
        return len(old)

    return await _in_pieces(database, piece)


async def expire_files(database: Database, now: int, before: int | None) -> int:
    """Delete files that have expired, and those made before a time; return how many.

    One that a running batch is read from stays until it has expired.
    """

    async def piece(connection: Connection) -> int:
        old = await connection.fetch(_FILES, now, before, PIECE)
        await files.discard(connection, [content for (content,) in old])
        return len(old)

    return await _in_pieces(database, piece)


async def clear(database: Database) -> int:
    """Delete the lines of deleted batches, and bytes that no file has or will have."""
    lines = await _in_pieces(database, _lines)
    return lines + await _in_pieces(database, _bytes)


def sweeps(config: PostgresConfig, database: Database) -> Iterator[Sweep]:
    """Yield what is to be done every hour."""
    old: tuple[tuple[int, Callable[[Database, int], Awaitable[int]]], ...] = (
        (config.retention_days, sweep),
        (config.responses_days, expire),
        (config.batches_days, expire_batches),
    )
    for days, delete in old:
        if days:
            yield lambda now, days=days, delete=delete: delete(database, now - days * DAY)  # type: ignore[misc]
    days_ = config.files_days
    yield lambda now: expire_files(database, now, now - days_ * DAY if days_ else None)
    yield lambda now: clear(database)


async def keep_sweeping(
    config: PostgresConfig, database: Database, discarded: Bell, log: Any
) -> None:
    """Sweep now and every hour, and clear whenever it rings, until cancelled."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        todo: list[Sweep] = [lambda now: clear(database)]
        if loop.time() >= due:
            due = loop.time() + PAUSE
            todo = [*sweeps(config, database)]
        for one in todo:
            try:
                count = await one(time.time_ns() // 1000)
            except Exception as error:  # tried again in an hour
                log.warning("postgres.not_swept", error=str(error))
            else:
                log.debug("postgres.swept", count=count)
        await discarded.wait(max(0.0, due - loop.time()))


async def _in_pieces(database: Database, piece: Piece) -> int:
    count = 0
    while removed := await database.write(piece):
        count += removed
    return count


async def _lines(connection: Connection) -> int:
    key = await connection.fetchval("SELECT key FROM batches_gone LIMIT 1 FOR UPDATE SKIP LOCKED")
    if key is None:
        return 0
    last = await connection.fetchval(
        "SELECT max(index) FROM (SELECT index FROM batch_lines WHERE batch = $1 "
        "ORDER BY index LIMIT $2) piece",
        key,
        PIECE,
    )
    if last is None:
        await connection.execute("DELETE FROM batches_gone WHERE key = $1", key)
        return 1
    for table in ("batch_results", "batch_lines"):
        await connection.execute(
            f"DELETE FROM {table} WHERE batch = $1 AND index <= $2",  # noqa: S608 (constants)
            key,
            last,
        )
    return 1


async def _bytes(connection: Connection) -> int:
    content = await connection.fetchval(
        f"SELECT content FROM file_strays WHERE touched < now() - interval '{STRAY}' "  # noqa: S608
        "LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    if content is None:
        return 0
    deleted = await connection.execute(
        "DELETE FROM file_pieces WHERE content = $1 AND number IN "
        "(SELECT number FROM file_pieces WHERE content = $1 ORDER BY number LIMIT $2)",
        content,
        BYTES,
    )
    if deleted == "DELETE 0":
        await connection.execute("DELETE FROM file_strays WHERE content = $1", content)
    return 1
