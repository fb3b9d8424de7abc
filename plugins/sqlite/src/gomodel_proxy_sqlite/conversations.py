"""Conversations that the gateway keeps, item by item."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import ItemPage, StoredConversation, StoredItem

from .table import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gomodel_proxy.api import Page

    from .database import Database

_COLUMNS: Final = "id, owner, user_path, created, metadata"
_OWNED: Final = "id = :id AND (:owner IS NULL OR owner = :owner)"


class SqliteConversations:
    """`gomodel_proxy.api.Conversations` over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, conversation: StoredConversation, items: Sequence[StoredItem] = ()
    ) -> StoredConversation:
        """Keep a conversation; one of that id that the owner has already is returned instead."""

        def work(connection: sqlite3.Connection) -> StoredConversation:
            known = find(connection, conversation.id, conversation.owner)
            if known is not None:
                return known
            connection.execute(
                f"INSERT INTO conversations ({_COLUMNS}, used) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    conversation.id,
                    conversation.owner,
                    conversation.user_path,
                    conversation.created,
                    conversation.metadata,
                    conversation.created,
                ),
            )
            append(connection, conversation.id, conversation.owner, items)
            return conversation

        return await self._database.write(work)

    async def find(self, id: str, owner: str | None) -> StoredConversation | None:
        """Return a conversation, None if the owner has none of that id."""
        return await self._database.find(lambda connection: find(connection, id, owner))

    async def update(
        self, id: str, owner: str | None, metadata: bytes
    ) -> StoredConversation | None:
        """Replace the metadata."""

        def work(connection: sqlite3.Connection) -> StoredConversation | None:
            connection.execute(
                f"UPDATE conversations SET metadata = :metadata, used = :now WHERE {_OWNED}",  # noqa: S608
                {"id": storable(id), "owner": owner, "metadata": metadata, "now": _now()},
            )
            return find(connection, id, owner)

        return await self._database.write(work)

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a conversation with its items; False if the owner has none of that id."""
        removed = await self._database.write(
            lambda connection: (
                connection.execute(
                    f"DELETE FROM conversations WHERE {_OWNED}",  # noqa: S608
                    {"id": storable(id), "owner": owner},
                ).rowcount
            )
        )
        return bool(removed)

    async def add(
        self, id: str, owner: str | None, items: Sequence[StoredItem]
    ) -> Sequence[StoredItem] | None:
        """Add items at the end; None if the owner has no such conversation."""
        return await self._database.write(lambda connection: append(connection, id, owner, items))

    async def items(self, id: str, owner: str | None, page: Page | None = None) -> ItemPage | None:
        """Return a page of items, without one all of them, the oldest first."""

        def work(connection: sqlite3.Connection) -> ItemPage | None:
            if find(connection, id, owner) is None:
                return None
            return _all(connection, id) if page is None else _page(connection, id, page)

        return await self._database.find(work)

    async def item(self, id: str, owner: str | None, item: str) -> StoredItem | None:
        """Return one item, None if it is unknown."""

        def work(connection: sqlite3.Connection) -> StoredItem | None:
            if find(connection, id, owner) is None:
                return None
            return _item(connection, id, item)

        return await self._database.find(work)

    async def remove(self, id: str, owner: str | None, item: str) -> bool:
        """Delete one item; False if it is unknown."""

        def work(connection: sqlite3.Connection) -> bool:
            if find(connection, id, owner) is None:
                return False
            _touch(connection, id)
            return bool(
                connection.execute(
                    "DELETE FROM conversation_items WHERE conversation = ? AND id = ?",
                    (id, storable(item)),
                ).rowcount
            )

        return await self._database.write(work)


def find(connection: sqlite3.Connection, id_: str, owner: str | None) -> StoredConversation | None:
    """Return a conversation, within the caller's transaction."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE {_OWNED}",  # noqa: S608 (constants)
        {"id": storable(id_), "owner": owner},
    ).fetchone()
    if row is None:
        return None
    return StoredConversation(**dict(zip(_COLUMNS.split(", "), row, strict=True)))


def append(
    connection: sqlite3.Connection, id_: str, owner: str | None, items: Sequence[StoredItem]
) -> Sequence[StoredItem] | None:
    """Add items, within the caller's transaction; each keeps its id unless another has it."""
    if find(connection, id_, owner) is None:
        return None
    added = [_append(connection, id_, item) for item in items]
    _touch(connection, id_)
    return added


def _append(connection: sqlite3.Connection, conversation: str, item: StoredItem) -> StoredItem:
    taken = _item(connection, conversation, item.id)
    if taken == item:
        return item
    if taken is not None:
        item = StoredItem(_free(connection, conversation, item.id), item.body)
    connection.execute(
        "INSERT INTO conversation_items (conversation, id, body) VALUES (?, ?, ?)",
        (conversation, storable(item.id), item.body),
    )
    return item


def _free(connection: sqlite3.Connection, conversation: str, id_: str) -> str:
    number = 2
    while _item(connection, conversation, f"{id_}_{number}") is not None:
        number += 1
    return f"{id_}_{number}"


def _item(connection: sqlite3.Connection, conversation: str, id_: str) -> StoredItem | None:
    row = connection.execute(
        "SELECT id, body FROM conversation_items WHERE conversation = ? AND id = ?",
        (conversation, storable(id_)),
    ).fetchone()
    return None if row is None else StoredItem(*row)


def _all(connection: sqlite3.Connection, conversation: str) -> ItemPage:
    rows = connection.execute(
        "SELECT id, body FROM conversation_items WHERE conversation = ? ORDER BY place",
        (conversation,),
    )
    return ItemPage([StoredItem(*row) for row in rows])


def _page(connection: sqlite3.Connection, conversation: str, page: Page) -> ItemPage:
    order, sense = ("ASC", ">") if page.ascending else ("DESC", "<")
    bound, values = "", [conversation]
    if page.after is not None:
        bound = f"AND place {sense} ?"
        values.append(_place(connection, conversation, page.after))
    rows = connection.execute(
        f"SELECT id, body FROM conversation_items WHERE conversation = ? {bound} "  # noqa: S608 (constants)
        f"ORDER BY place {order} LIMIT ?",
        (*values, page.limit + 1),
    ).fetchall()
    items = [StoredItem(*row) for row in rows]
    return ItemPage(items[: page.limit], len(items) > page.limit)


def _place(connection: sqlite3.Connection, conversation: str, id_: str) -> str:
    row = connection.execute(
        "SELECT place FROM conversation_items WHERE conversation = ? AND id = ?",
        (conversation, storable(id_)),
    ).fetchone()
    if row is None:
        raise LookupError(id_)
    place: str = row[0]
    return place


def _touch(connection: sqlite3.Connection, id_: str) -> None:
    connection.execute("UPDATE conversations SET used = ? WHERE id = ?", (_now(), id_))


def _now() -> int:
    return time.time_ns() // 1000
