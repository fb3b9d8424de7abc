"""Files: what is known of them, and their bytes in pieces."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import astuple, replace

from gomodel_proxy.api import StoredFile, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence

    from asyncpg import Connection

    from .bell import Bell
    from .database import Database

PIECE: Final = 256 * 1024
TOGETHER: Final = 8
"""Pieces of one write, and of one look at those to read."""

COLUMNS: Final = StoredFile.__struct_fields__
_LIST: Final = ", ".join(COLUMNS)
_MINE: Final = "id = $1 AND ($2::text IS NULL OR owner = $2) AND (expires IS NULL OR expires > $3)"
_ENTER: Final = (
    f"INSERT INTO files ({_LIST}) "  # noqa: S608 (constants)
    f"VALUES ({', '.join(f'${number}' for number in range(1, len(COLUMNS) + 1))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"
)


class PostgresFiles:
    """`gomodel_proxy.api.Files` over one database.

    Bytes come in under a number that no file has, so nobody finds them before the last is there.
    ``discarded`` rings when there are bytes that no file will have.
    """

    def __init__(self, database: Database, discarded: Bell) -> None:
        self._database = database
        self._discarded = discarded

    async def save(self, file: StoredFile, content: AsyncIterable[bytes]) -> StoredFile:
        """Keep a file; its bytes are there before anybody can find it.

        Bytes that are never entered, because the process dies or gives up, are swept up later.
        """
        number = await self._database.once(
            lambda connection: connection.fetchval(
                "INSERT INTO file_strays DEFAULT VALUES RETURNING content"
            )
        )
        try:
            kept = replace(file, size=await self._receive(number, content))
            await self._database.write(lambda connection: _adopt(connection, kept, number))
        except BaseException:
            with contextlib.suppress(Exception):
                await self._database.once(lambda connection: _abandon(connection, [number]))
            self._discarded.ring()
            raise
        return kept

    async def enter(self, file: StoredFile) -> None:
        """Keep what is known of a file."""
        await self._database.once(lambda connection: connection.execute(_ENTER, *astuple(file)))

    async def find(self, id: str, owner: str | None) -> StoredFile | None:
        """Return a file, None if the owner has none of that id."""
        return await self._database.once(lambda connection: _find(connection, id, owner))

    async def list(
        self,
        owner: str | None,
        *,
        limit: int,
        after: str | None = None,
        purpose: str | None = None,
        ascending: bool = False,
    ) -> Sequence[StoredFile]:
        """Return files, newest first or last, behind the file ``after``."""
        order, sense = ("ASC", ">") if ascending else ("DESC", "<")
        values: list[object] = [_now(), limit]
        bounds = ["(expires IS NULL OR expires > $1)"]

        def narrow(condition: str, *given: object) -> None:
            names = [f"${len(values) + number}" for number in range(1, len(given) + 1)]
            bounds.append(condition.format(*names))
            values.extend(given)

        async def work(connection: Connection) -> Sequence[StoredFile]:
            if after is not None:
                last = await _find(connection, after, owner)
                if last is None:
                    raise LookupError(after)
                narrow(f"(created, id) {sense} ({{}}, {{}})", last.created, last.id)
            rows = await connection.fetch(
                f"SELECT {_LIST} FROM files WHERE {' AND '.join(bounds)} "  # noqa: S608
                f"ORDER BY created {order}, id {order} LIMIT $2",
                *values,
            )
            return [StoredFile(**row) for row in rows]

        if owner is not None:
            narrow("owner = {}", owner)
        if purpose is not None:
            narrow("purpose = {}", purpose)
        return await self._database.once(work)

    async def read(self, id: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` on; raises LookupError for an unknown file."""
        found = await self._database.once(
            lambda connection: connection.fetchrow(
                f"SELECT content, size FROM files WHERE {_MINE}",  # noqa: S608 (constants)
                id,
                None,
                _now(),
            )
        )
        if found is None:
            raise LookupError(id)
        content, size = found
        if content is None:
            return
        place, skipped = divmod(start, PIECE)
        while place * PIECE + skipped < size:
            for piece in await self._pieces(id, content, place):
                yield piece[skipped:] if skipped else piece
                place, skipped = place + 1, 0

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a file; its bytes go soon after. False if the owner has none of that id."""

        async def work(connection: Connection) -> bool:
            rows = await connection.fetch(
                f"DELETE FROM files WHERE {_MINE} RETURNING content",  # noqa: S608 (constants)
                id,
                owner,
                _now(),
            )
            await discard(connection, [content for (content,) in rows])
            return bool(rows)

        deleted = await self._database.write(work)
        self._discarded.ring()
        return deleted

    async def _receive(self, number: int, content: AsyncIterable[bytes]) -> int:
        """Write pieces as they are full; return how many bytes there were."""
        most = PIECE * TOGETHER
        pending = bytearray()
        place = size = 0
        async for data in content:
            pending += data
            size += len(data)
            while len(pending) >= most:
                await self._write(number, place, bytes(pending[:most]))
                del pending[:most]
                place += TOGETHER
        if pending:
            await self._write(number, place, bytes(pending))
        return size

    async def _write(self, number: int, place: int, data: bytes) -> None:
        pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]

        async def work(connection: Connection) -> None:
            touched = await connection.fetchval(
                "UPDATE file_strays SET touched = now() WHERE content = $1 RETURNING true", number
            )
            if not touched:
                raise Unavailable("the upload took too long: its first bytes have been swept up")
            await connection.copy_records_to_table(
                "file_pieces",
                records=[(number, place + n, piece) for n, piece in enumerate(pieces)],
                columns=("content", "number", "bytes"),
            )

        await self._database.write(work)

    async def _pieces(self, id_: str, content: int, place: int) -> Sequence[bytes]:
        rows = await self._database.once(
            lambda connection: connection.fetch(
                "SELECT number, bytes FROM file_pieces WHERE content = $1 AND number >= $2 "
                "ORDER BY number LIMIT $3",
                content,
                place,
                TOGETHER,
            )
        )
        if not rows or [number for number, _ in rows] != list(range(place, place + len(rows))):
            raise LookupError(id_)  # deleted meanwhile
        return [data for _, data in rows]


async def discard(connection: Connection, contents: Sequence[int | None]) -> None:
    """Note bytes that are no file's any more, within the caller's transaction."""
    await connection.execute(
        "INSERT INTO file_strays (content, touched) OVERRIDING SYSTEM VALUE "
        "SELECT content, '-infinity' FROM unnest($1::bigint[]) AS given (content) "
        "WHERE content IS NOT NULL",
        contents,
    )


async def _abandon(connection: Connection, contents: Sequence[int]) -> None:
    await connection.execute(
        "UPDATE file_strays SET touched = '-infinity' WHERE content = ANY($1)", contents
    )


async def _adopt(connection: Connection, file: StoredFile, number: int) -> None:
    """Enter a file with bytes that have come in; those of a file that was there go."""
    mine = await connection.fetchval(
        "DELETE FROM file_strays WHERE content = $1 RETURNING true", number
    )
    if not mine:
        raise Unavailable("the upload took too long: its bytes have been swept up")
    old = await connection.fetch("SELECT content FROM files WHERE id = $1 FOR UPDATE", file.id)
    await discard(connection, [content for (content,) in old])
    await connection.execute(_ENTER, *astuple(file))
    await connection.execute("UPDATE files SET content = $2 WHERE id = $1", file.id, number)


async def _find(connection: Connection, id_: str, owner: str | None) -> StoredFile | None:
    row = await connection.fetchrow(
        f"SELECT {_LIST} FROM files WHERE {_MINE}",  # noqa: S608 (constants)
        id_,
        owner,
        _now(),
    )
    return None if row is None else StoredFile(**row)


def _now() -> int:
    return time.time_ns() // 1000
