"""Conversations that the gateway keeps, item by item."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import asyncpg

from gomodel_proxy.api import ItemPage, StoredConversation, StoredItem

from .errors import Again
from .text import all_escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import Page

    from .database import Database

_COLUMNS: Final = ", ".join(StoredConversation.__struct_fields__)
_OWNED: Final = "id = $1 AND ($2::text IS NULL OR owner = $2)"
# An id is its caller's, of any length: its hash is in the index.
_ITEM: Final = (
    "FROM conversation_items WHERE conversation = $1 "
    "AND hashtextextended(id, 0) = hashtextextended($2, 0) AND id = $2"
)


class PostgresConversations:
    """`gomodel_proxy.api.Conversations` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, conversation: StoredConversation, items: Sequence[StoredItem] = ()
    ) -> StoredConversation:
        """Keep a conversation; one of that id that the owner has already is returned instead."""

        async def work(connection: Connection) -> StoredConversation:
            known = await find(connection, conversation.id, conversation.owner)
            if known is not None:
                return known
            try:
                await connection.execute(
                    f"INSERT INTO conversations ({_COLUMNS}, used) "  # noqa: S608 (constants)
                    "VALUES ($1, $2, $3, $4, $5, $4)",
                    conversation.id,
                    conversation.owner,
                    conversation.user_path,
                    conversation.created,
                    conversation.metadata,
                )
            except asyncpg.UniqueViolationError as error:
                raise Again from error
            await append(connection, conversation.id, conversation.owner, items)
            return conversation

        return await self._database.write(work)

    async def find(self, id: str, owner: str | None) -> StoredConversation | None:
        """Return a conversation, None if the owner has none of that id."""
        return await self._database.once(lambda connection: find(connection, id, owner))

    async def update(
        self, id: str, owner: str | None, metadata: bytes
    ) -> StoredConversation | None:
        """Replace the metadata."""
        row = await self._database.once(
            lambda connection: connection.fetchrow(
                f"UPDATE conversations SET metadata = $3, used = $4 WHERE {_OWNED} "  # noqa: S608
                f"RETURNING {_COLUMNS}",
                id,
                owner,
                metadata,
                _now(),
            )
        )
        return None if row is None else StoredConversation(**row)

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a conversation with its items; False if the owner has none of that id."""
        return (
            await self._database.once(
                lambda connection: connection.fetchval(
                    f"DELETE FROM conversations WHERE {_OWNED} RETURNING true",  # noqa: S608
                    id,
                    owner,
                )
            )
            or False
        )

    async def add(
        self, id: str, owner: str | None, items: Sequence[StoredItem]
    ) -> Sequence[StoredItem] | None:
        """Add items at the end; None if the owner has no such conversation."""
        return await self._database.write(lambda connection: append(connection, id, owner, items))

    async def items(self, id: str, owner: str | None, page: Page | None = None) -> ItemPage | None:
        """Return a page of items, without one all of them, the oldest first."""

        async def work(connection: Connection) -> ItemPage | None:
            if await find(connection, id, owner) is None:
                return None
            return await (_all(connection, id) if page is None else _page(connection, id, page))

        return await self._database.once(work)

    async def item(self, id: str, owner: str | None, item: str) -> StoredItem | None:
        """Return one item, None if it is unknown."""

        async def work(connection: Connection) -> StoredItem | None:
            if await find(connection, id, owner) is None:
                return None
            row = await connection.fetchrow(f"SELECT id, body {_ITEM}", id, item)
            return None if row is None else StoredItem(*row)

        return await self._database.once(work)

    async def remove(self, id: str, owner: str | None, item: str) -> bool:
        """Delete one item; False if it is unknown."""

        async def work(connection: Connection) -> bool:
            if not await _touch(connection, id, owner):
                return False
            removed = await connection.fetchval(f"DELETE {_ITEM} RETURNING true", id, item)
            return bool(removed)

        return await self._database.write(work)


async def find(connection: Connection, id_: str, owner: str | None) -> StoredConversation | None:
    """Return a conversation, within the caller's transaction."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM conversations WHERE {_OWNED}",  # noqa: S608 (constants)
        id_,
        owner,
    )
    return None if row is None else StoredConversation(**row)


async def append(
    connection: Connection, id_: str, owner: str | None, items: Sequence[StoredItem]
) -> Sequence[StoredItem] | None:
    """Add items, within the caller's transaction; each keeps its id unless another has it."""
    if not await _touch(connection, id_, owner):  # from here on nobody else adds to it
        return None
    known = await _known(connection, id_, [item.id for item in items])
    added: list[StoredItem] = []
    new: list[StoredItem] = []
    for item in items:
        if known.get(item.id) != item.body:
            if item.id in known:
                item = StoredItem(await _free(connection, id_, item.id, known), item.body)
            known[item.id] = item.body
            new.append(item)
        added.append(item)
    if new:
        await connection.execute(
            "INSERT INTO conversation_items (conversation, id, body) "
            "SELECT $1, new.id, new.body FROM unnest($2::text[], $3::bytea[]) "
            "WITH ORDINALITY AS new (id, body, place) ORDER BY new.place",
            id_,
            all_escaped(item.id for item in new),
            [item.body for item in new],
        )
    return added


async def _known(connection: Connection, conversation: str, ids: Sequence[str]) -> dict[str, bytes]:
    rows = await connection.fetch(
        "SELECT id, body FROM conversation_items WHERE conversation = $1 AND id = ANY($2) "
        "AND hashtextextended(id, 0) IN (SELECT hashtextextended(x, 0) FROM unnest($2) AS x)",
        conversation,
        all_escaped(ids),
    )
    return {row["id"]: row["body"] for row in rows}


async def _free(
    connection: Connection, conversation: str, id_: str, taken: dict[str, bytes]
) -> str:
    number = 2
    while (name := f"{id_}_{number}") in taken or await _known(connection, conversation, [name]):
        number += 1
    return name


async def _all(connection: Connection, conversation: str) -> ItemPage:
    rows = await connection.fetch(
        "SELECT id, body FROM conversation_items WHERE conversation = $1 ORDER BY place",
        conversation,
    )
    return ItemPage([StoredItem(*row) for row in rows])


async def _page(connection: Connection, conversation: str, page: Page) -> ItemPage:
    order, sense = ("ASC", ">") if page.ascending else ("DESC", "<")
    place = None
    if page.after is not None:
        place = await connection.fetchval(f"SELECT place {_ITEM}", conversation, page.after)
        if place is None:
            raise LookupError(page.after)
    rows = await connection.fetch(
        "SELECT id, body FROM conversation_items WHERE conversation = $1 "  # noqa: S608 (constants)
        f"AND ($2::bigint IS NULL OR place {sense} $2) ORDER BY place {order} LIMIT $3",
        conversation,
        place,
        page.limit + 1,
    )
    items = [StoredItem(*row) for row in rows]
    return ItemPage(items[: page.limit], len(items) > page.limit)


async def _touch(connection: Connection, id_: str, owner: str | None) -> bool:
    """Note that a conversation is written to, and hold it; False if the owner has no such one."""
    touched = await connection.fetchval(
        f"UPDATE conversations SET used = $3 WHERE {_OWNED} RETURNING true",  # noqa: S608
        id_,
        owner,
        _now(),
    )
    return bool(touched)


def _now() -> int:
    return time.time_ns() // 1000
