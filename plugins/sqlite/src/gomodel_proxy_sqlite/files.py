"""Files: what is known of them here, their bytes in a folder."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import astuple, replace

from gomodel_proxy.api import StoredFile

from .table import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterable, AsyncIterator, Sequence

    from .database import Database
    from .folder import Folder

COLUMNS: Final = StoredFile.__struct_fields__
_LIST: Final = ", ".join(COLUMNS)
_ENTER: Final = (
    f"INSERT INTO files ({_LIST}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608 (constants)
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"
)
_MINE: Final = "(:owner IS NULL OR owner = :owner) AND (expires IS NULL OR expires > :now)"


class SqliteFiles:
    """`gomodel_proxy.api.Files` over one database and one folder."""

    def __init__(self, database: Database, folder: Folder) -> None:
        self._database = database
        self._folder = folder

    async def save(self, file: StoredFile, content: AsyncIterable[bytes]) -> StoredFile:
        """Keep a file; its bytes are there before anybody can find it.

        Bytes that are never entered, because the process dies or gives up, are swept up later.
        """
        kept = replace(file, size=await self._folder.receive(file.id, content))
        await self._database.write(partial(enter, file=kept))
        return kept

    async def enter(self, file: StoredFile) -> None:
        """Keep what is known of a file."""
        await self._database.write(partial(enter, file=file))

    async def find(self, id: str, owner: str | None) -> StoredFile | None:
        """Return a file, None if the owner has none of that id."""
        return await self._database.find(partial(find, id_=id, owner=owner))

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

        def work(connection: sqlite3.Connection) -> Sequence[StoredFile]:
            bounds = ["1"]
            values: dict[str, object] = {"now": _now(), "limit": limit}
            for name, value in (("owner", owner), ("purpose", purpose)):
                if value is not None:
                    bounds.append(f"{name} = :{name}")
                    values[name] = storable(value)
            if after is not None:
                last = find(connection, after, owner)
                if last is None:
                    raise LookupError(after)
                bounds.append(f"(created, id) {sense} (:created, :id)")
                values |= {"created": last.created, "id": last.id}
            return [
                StoredFile(**dict(zip(COLUMNS, row, strict=True)))
                for row in connection.execute(
                    f"SELECT {_LIST} FROM files WHERE {' AND '.join(bounds)} "  # noqa: S608
                    "AND (expires IS NULL OR expires > :now) "
                    f"ORDER BY created {order}, id {order} LIMIT :limit",
                    values,
                )
            ]

        return await self._database.find(work)

    async def read(self, id: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` on; raises LookupError for an unknown file."""
        file = await self.find(id, None)
        if file is None:
            raise LookupError(id)
        if file.batch is None:
            async for piece in self._folder.read(id, start):
                yield piece

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a file, then its bytes; False if the owner has none of that id."""
        deleted = await self._database.write(
            lambda connection: (
                connection.execute(
                    f"DELETE FROM files WHERE id = :id AND {_MINE}",  # noqa: S608 (constants)
                    {"id": storable(id), "owner": owner, "now": _now()},
                ).rowcount
            )
        )
        if deleted:
            await self._folder.remove([id])
        return bool(deleted)


def enter(connection: sqlite3.Connection, file: StoredFile) -> None:
    """Enter what is known of a file over what was, within the caller's transaction."""
    connection.execute(_ENTER, [storable(value) for value in astuple(file)])


def find(connection: sqlite3.Connection, id_: str, owner: str | None) -> StoredFile | None:
    """Return a file that has not expired, within the caller's transaction."""
    row = connection.execute(
        f"SELECT {_LIST} FROM files WHERE id = :id AND {_MINE}",  # noqa: S608 (constants)
        {"id": storable(id_), "owner": owner, "now": _now()},
    ).fetchone()
    return None if row is None else StoredFile(**dict(zip(COLUMNS, row, strict=True)))


def _now() -> int:
    return time.time_ns() // 1000
