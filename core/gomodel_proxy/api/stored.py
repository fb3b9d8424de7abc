"""Responses and conversations that the gateway itself keeps: a part of the store.

``owner`` is a principal's id. Everywhere it narrows what is found to that principal's own; None,
for admins, finds everybody's. Bodies are JSON that the store has no business reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

__all__ = [
    "Conversations",
    "ItemPage",
    "Page",
    "Responses",
    "StoredConversation",
    "StoredItem",
    "StoredResponse",
]


class StoredItem(msgspec.Struct, frozen=True, gc=False):
    """An item of a conversation. ``body`` is its JSON object without the ``id``."""

    id: str
    body: bytes


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A finished response. ``created`` is epoch microseconds.

    ``input`` is a JSON array of the items this turn added, ``response`` the whole object as the
    caller got it, ``previous`` the response it goes on from.
    """

    id: str
    owner: str
    user_path: str
    provider: str
    model: str
    created: int
    input: bytes
    response: bytes
    previous: str | None = None
    conversation: str | None = None


class StoredConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its items. ``metadata`` is a JSON object."""

    id: str
    owner: str
    user_path: str
    created: int
    metadata: bytes = b"{}"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to list: at most ``limit``, behind the item ``after``, newest first or last."""

    limit: int = 20
    after: str | None = None
    ascending: bool = False


class ItemPage(msgspec.Struct, frozen=True):
    """Items in the order asked for, and whether more follow."""

    items: Sequence[StoredItem]
    more: bool = False


class Responses(Protocol):
    """Where responses are kept."""

    @property
    def conversations(self) -> Conversations:
        """Where conversations are kept."""

    async def save(self, response: StoredResponse, items: Sequence[StoredItem] = ()) -> None:
        """Keep a response; ``items`` join its conversation, if that is still there, with it."""

    async def find(self, id: str, owner: str | None) -> StoredResponse | None:
        """Return a response."""

    async def chain(self, id: str, owner: str | None) -> Sequence[StoredResponse]:
        """Return a response and all that it goes on from, the oldest first; empty if unknown.

        What was deleted since is still part of what came after it.
        """

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a response; False if it is unknown."""


class Conversations(Protocol):
    """Where conversations are kept. Their items have unique ids: one that is taken is changed."""

    async def create(
        self, conversation: StoredConversation, items: Sequence[StoredItem] = ()
    ) -> StoredConversation:
        """Keep a conversation; one of that id that the owner has already is returned instead."""

    async def find(self, id: str, owner: str | None) -> StoredConversation | None:
        """Return a conversation."""

    async def update(
        self, id: str, owner: str | None, metadata: bytes
    ) -> StoredConversation | None:
        """Replace the metadata."""

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a conversation with its items; False if it is unknown."""

    async def add(
        self, id: str, owner: str | None, items: Sequence[StoredItem]
    ) -> Sequence[StoredItem] | None:
        """Add items at the end and return them; None if there is no such conversation.

        An item that is there already, with the same id and body, is not added again.
        """

    async def items(self, id: str, owner: str | None, page: Page | None = None) -> ItemPage | None:
        """Return a page of items, without one all of them, the oldest first.

        None if there is no such conversation; raises LookupError for an unknown ``after``.
        """

    async def item(self, id: str, owner: str | None, item: str) -> StoredItem | None:
        """Return one item."""

    async def remove(self, id: str, owner: str | None, item: str) -> bool:
        """Delete one item; False if it is unknown."""
