"""Responses that the gateway keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import StoredResponse

from .conversations import PostgresConversations, append

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import StoredItem

    from .database import Database

_NAMES: Final = StoredResponse.__struct_fields__
_COLUMNS: Final = ", ".join(_NAMES)
_OWNED: Final = "id = $1 AND NOT deleted AND ($2::text IS NULL OR owner = $2)"
_INSERT: Final = (
    f"INSERT INTO responses ({_COLUMNS}) "  # noqa: S608 (constants)
    f"VALUES ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
)
_CHAIN: Final = f"""
WITH RECURSIVE chain (named, earlier, depth) AS (
    SELECT id, previous, 0 FROM responses WHERE {_OWNED}
    UNION ALL
    SELECT before.id, before.previous, depth + 1
    FROM responses AS before JOIN chain ON before.id = chain.earlier
)
SELECT {_COLUMNS} FROM responses JOIN chain ON id = named ORDER BY depth DESC
"""  # noqa: S608 (constants)


class PostgresResponses:
    """`gomodel_proxy.api.Responses` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.conversations = PostgresConversations(database)

    async def save(self, response: StoredResponse, items: Sequence[StoredItem] = ()) -> None:
        """Keep a response; its items join its conversation in the same transaction."""

        async def work(connection: Connection) -> None:
            await connection.execute(_INSERT, *(getattr(response, name) for name in _NAMES))
            if response.conversation is not None:
                await append(connection, response.conversation, None, items)

        await self._database.write(work)

    async def find(self, id: str, owner: str | None) -> StoredResponse | None:
        """Return a response, None if the owner has none of that id."""
        row = await self._database.once(
            lambda connection: connection.fetchrow(
                f"SELECT {_COLUMNS} FROM responses WHERE {_OWNED}",  # noqa: S608 (constants)
                id,
                owner,
            )
        )
        return None if row is None else StoredResponse(**row)

    async def chain(self, id: str, owner: str | None) -> Sequence[StoredResponse]:
        """Return a response and all that it goes on from, the oldest first."""
        rows = await self._database.once(lambda connection: connection.fetch(_CHAIN, id, owner))
        return [StoredResponse(**row) for row in rows]

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a response; False if the owner has none of that id."""

        async def work(connection: Connection) -> bool:
            hidden = await connection.fetchval(
                f"UPDATE responses SET deleted = true WHERE {_OWNED} RETURNING true",  # noqa: S608
                id,
                owner,
            )
            if hidden:
                await purge(connection, id)
            return bool(hidden)

        return await self._database.write(work)


async def purge(connection: Connection, id_: str | None) -> None:
    """Remove a hidden response that nothing goes on from, then those before it likewise."""
    while id_ is not None:
        row = await connection.fetchrow(
            "DELETE FROM responses WHERE id = $1 AND deleted AND NOT EXISTS "
            "(SELECT FROM responses AS later WHERE later.previous = $1) RETURNING previous",
            id_,
        )
        id_ = None if row is None else row["previous"]
