"""Responses that the gateway keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import StoredResponse

from .conversations import SqliteConversations, append
from .table import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import StoredItem

    from .database import Database

_COLUMNS: Final = (
    "id, owner, user_path, provider, model, created, input, response, previous, conversation"
)
_CHAIN: Final = """
WITH RECURSIVE chain (id, previous, depth) AS (
    SELECT id, previous, 0 FROM responses
    WHERE id = :id AND NOT deleted AND (:owner IS NULL OR owner = :owner)
    UNION ALL
    SELECT earlier.id, earlier.previous, depth + 1
    FROM responses AS earlier JOIN chain ON earlier.id = chain.previous
)
"""


class SqliteResponses:
    """`gomodel_proxy.api.Responses` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.conversations = SqliteConversations(database)

    async def save(self, response: StoredResponse, items: Sequence[StoredItem] = ()) -> None:
        """Keep a response; its items join its conversation in the same transaction."""

        def work(connection: sqlite3.Connection) -> None:
            insert(connection, response)
            if response.conversation is not None:
                append(connection, response.conversation, None, items)

        await self._database.write(work)

    async def find(self, id: str, owner: str | None) -> StoredResponse | None:
        """Return a response, None if the owner has none of that id."""
        found = await self._database.find(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM responses "  # noqa: S608 (constants)
                "WHERE id = :id AND NOT deleted AND (:owner IS NULL OR owner = :owner)",
                {"id": storable(id), "owner": owner},
            ).fetchone()
        )
        return None if found is None else _response(found)

    async def chain(self, id: str, owner: str | None) -> Sequence[StoredResponse]:
        """Return a response and all that it goes on from, the oldest first."""
        found = await self._database.find(
            lambda connection: connection.execute(
                f"{_CHAIN} SELECT {_COLUMNS} FROM responses "  # noqa: S608 (constants)
                "JOIN (SELECT id AS named, depth FROM chain) ON id = named ORDER BY depth DESC",
                {"id": storable(id), "owner": owner},
            ).fetchall()
        )
        return [_response(row) for row in found]

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a response; False if the owner has none of that id."""

        def work(connection: sqlite3.Connection) -> bool:
            hidden = connection.execute(
                "UPDATE responses SET deleted = 1 "
                "WHERE id = :id AND NOT deleted AND (:owner IS NULL OR owner = :owner)",
                {"id": storable(id), "owner": owner},
            ).rowcount
            if hidden:
                purge(connection, storable(id))
            return bool(hidden)

        return await self._database.write(work)


def insert(connection: sqlite3.Connection, response: StoredResponse) -> None:
    """Enter a response, within the caller's transaction."""
    connection.execute(
        f"INSERT INTO responses ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            response.id,
            response.owner,
            response.user_path,
            response.provider,
            storable(response.model),
            response.created,
            response.input,
            response.response,
            response.previous,
            response.conversation,
        ),
    )


def purge(connection: sqlite3.Connection, id_: str | None) -> None:
    """Remove a hidden response that nothing goes on from, then those before it likewise."""
    while id_ is not None:
        row = connection.execute(
            "SELECT previous FROM responses WHERE id = ? AND deleted AND NOT EXISTS "
            "(SELECT 1 FROM responses AS later WHERE later.previous = responses.id)",
            (id_,),
        ).fetchone()
        if row is None:
            return
        connection.execute("DELETE FROM responses WHERE id = ?", (id_,))
        (id_,) = row


def _response(row: Sequence[object]) -> StoredResponse:
    return StoredResponse(**dict(zip(_COLUMNS.split(", "), row, strict=True)))  # type: ignore[arg-type]
