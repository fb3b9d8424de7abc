"""Who owns what at the vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import Resource

from .text import all_escaped, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from .database import Database


class PostgresResources:
    """`gomodel_proxy.api.Resources` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, resources: Sequence[Resource]) -> None:
        """Enter resources; whoever entered an id first stays its owner."""
        if resources:
            await self._database.once(lambda connection: enter(connection, resources))

    async def find(self, kind: str, id: str) -> Resource | None:
        """Return the entry of a vendor id, None if there is none."""
        row = await self._database.once(
            lambda connection: connection.fetchrow(
                "SELECT owner, provider, created FROM resources WHERE kind = $1 AND id = $2",
                kind,
                short(id),
            )
        )
        if row is None:
            return None
        owner, provider, created = row
        return Resource(kind=kind, id=id, owner=owner, provider=provider, created=created)

    async def list(self, kind: str, *, before: int, after: str, limit: int) -> Sequence[Resource]:
        """Return entries of a kind made before a time, by id, from the first behind ``after``."""
        rows = await self._database.once(
            lambda connection: connection.fetch(
                "SELECT id, owner, provider, created FROM resources "
                "WHERE kind = $1 AND id > $2 AND created < $3 ORDER BY id LIMIT $4",
                kind,
                after,
                before,
                limit,
            )
        )
        return [
            Resource(kind=kind, id=id_, owner=owner, provider=provider, created=created)
            for id_, owner, provider, created in rows
        ]

    async def remove(self, kind: str, id: str) -> None:
        """Forget an id, known or not."""
        await self._database.once(
            lambda connection: connection.execute(
                "DELETE FROM resources WHERE kind = $1 AND id = $2", kind, short(id)
            )
        )


async def enter(connection: Connection, resources: Sequence[Resource]) -> None:
    """Enter resources in one statement; those that are there stay as they are."""
    # Everybody enters in the same order, so nobody waits for somebody who waits for him.
    ordered = sorted(resources, key=lambda one: (one.kind, short(one.id)))
    await connection.execute(
        "INSERT INTO resources (kind, id, owner, provider, created) "
        "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) "
        "ON CONFLICT DO NOTHING",
        all_escaped(one.kind for one in ordered),
        all_escaped(short(one.id) for one in ordered),
        all_escaped(one.owner for one in ordered),
        all_escaped(one.provider for one in ordered),
        [one.created for one in ordered],
    )
