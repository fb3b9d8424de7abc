"""Whether there is work: a read, where to claim or to lease is to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncpg import Connection

_WORK: Final = """
SELECT EXISTS (SELECT FROM batch_claims WHERE due <= $1 AND until <= $1)
OR EXISTS (SELECT FROM batch_lanes WHERE active)
"""


async def waits(connection: Connection, now: int) -> bool:
    """Return whether a batch is due that nobody has claimed, or one is in progress."""
    return bool(await connection.fetchval(_WORK, now))
