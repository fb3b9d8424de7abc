"""Who owns what at the vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import Resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from .database import Database


class SqliteResources:
    """`gomodel_proxy.api.Resources` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, resources: Sequence[Resource]) -> None:
        """Enter resources; whoever entered an id first stays its owner."""
        if resources:
            await self._database.write(lambda connection: enter(connection, resources))

    async def find(self, kind: str, id: str) -> Resource | None:
        """Return the entry of a vendor id, None if there is none."""
        try:
            row = await self._database.find(
                lambda connection: connection.execute(
                    "SELECT owner, provider, created FROM resources WHERE kind = ? AND id = ?",
                    (kind, id),
                ).fetchone()
            )
        except UnicodeEncodeError:  # half a surrogate pair: an id that cannot have been entered
            return None
        if row is None:
            return None
        owner, provider, created = row
        return Resource(kind=kind, id=id, owner=owner, provider=provider, created=created)

    async def list(self, kind: str, *, before: int, after: str, limit: int) -> Sequence[Resource]:
        """Return entries of a kind made before a time, by id, from the first behind ``after``."""
        rows = await self._database.find(
            lambda connection: connection.execute(
                "SELECT id, owner, provider, created FROM resources "
                "WHERE kind = ? AND id > ? AND created < ? ORDER BY id LIMIT ?",
                (kind, after, before, limit),
            ).fetchall()
        )
        return [
            Resource(kind=kind, id=id_, owner=owner, provider=provider, created=created)
            for id_, owner, provider, created in rows
        ]

    async def remove(self, kind: str, id: str) -> None:
        """Forget an id, known or not."""
        await self._database.write(lambda connection: forget(connection, kind, id))


def enter(connection: sqlite3.Connection, resources: Sequence[Resource]) -> None:
    """Enter resources, within the caller's transaction; those that are there stay as they are."""
    connection.executemany(
        "INSERT OR IGNORE INTO resources (kind, id, owner, provider, created) "
        "VALUES (?, ?, ?, ?, ?)",
        [(one.kind, one.id, one.owner, one.provider, one.created) for one in resources],
    )


def forget(connection: sqlite3.Connection, kind: str, id_: str) -> None:
    """Forget an id, within the caller's transaction."""
    connection.execute("DELETE FROM resources WHERE kind = ? AND id = ?", (kind, id_))
