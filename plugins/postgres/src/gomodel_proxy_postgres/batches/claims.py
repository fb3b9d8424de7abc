"""Claims: who looks after a batch. Each is one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Claim

from . import rows

if TYPE_CHECKING:
    from asyncpg import Connection

_CLAIM: Final = """
UPDATE batch_claims SET token = nextval('batch_tokens'), until = $2 WHERE batch = (
    SELECT batch FROM batch_claims WHERE due <= $1 AND until <= $1
    ORDER BY due, batch LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING batch, token
"""
_MINE: Final = "batch = (SELECT key FROM batches WHERE id = $1) AND token = $2"


async def claim(connection: Connection, now: int, until: int) -> Claim | None:
    """Take the batch that is longest due and that nobody has claimed."""
    while True:
        taken = await connection.fetchrow(_CLAIM, now, until)
        if taken is None:
            return None
        key, token = taken
        # Read when it is ours: until then it may still have changed.
        row = await connection.fetchrow(
            f"SELECT {rows.COLUMNS} FROM batches b WHERE key = $1",  # noqa: S608 (constants)
            key,
        )
        if row is not None:
            return Claim(rows.read(row).batch, token)


async def keep(connection: Connection, id_: str, token: int, until: int) -> bool:
    """Hold a claim for longer; False if it is lost."""
    kept = await connection.fetchval(
        f"UPDATE batch_claims SET until = $3 WHERE {_MINE} RETURNING true",  # noqa: S608 (constants)
        id_,
        token,
        until,
    )
    return bool(kept)


async def leave(connection: Connection, id_: str, token: int) -> bool:
    """Give a claim up; return whether another may take it."""
    left = await connection.fetchval(
        f"UPDATE batch_claims SET until = 0, token = NULL WHERE {_MINE} "  # noqa: S608 (constants)
        "RETURNING due IS NOT NULL",
        id_,
        token,
    )
    return bool(left)
