"""Bodies of ``/v1/conversations``, with the limits that OpenAI has.

platform.openai.com/docs/api-reference/conversations/create (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.engine.ids import new
from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import StoredItem

    from .kept import Asking

__all__ = [
    "Conversation",
    "NewConversation",
    "NewItems",
    "NewMetadata",
    "read_items",
]

_MOST_ITEMS: Final = 20
_array = msgspec.json.Decoder(list[Raw]).decode


class Conversation(msgspec.Struct, kw_only=True):
    """A conversation; its items are listed by themselves."""

    id: str
    object: str = "conversation"
    created_at: int
    metadata: dict[str, str]


class NewConversation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a conversation begins with. ``provider`` has it kept by that vendor."""

    items: list[dict[str, Any]] | None = None
    metadata: dict[str, str] | None = None
    provider: str | None = None


class NewMetadata(msgspec.Struct, kw_only=True):
    """What replaces a conversation's metadata."""

    metadata: dict[str, str] | None


class NewItems(msgspec.Struct, kw_only=True):
    """What a conversation gains."""

    items: list[dict[str, Any]]


def read_items(asking: Asking, raw: Raw) -> Sequence[StoredItem]:
    """Return items to keep; raises `InvalidRequest` naming the one at fault."""
    if raw == json.NULL:
        return ()
    if json.kind(raw) != "array":
        raise json.wrong_type("items", "an array", raw)
    if len(_array(raw)) > _MOST_ITEMS:
        raise InvalidRequest(
            f"'items' takes at most {_MOST_ITEMS} items at a time.",
            code="array_above_max_length",
            param="items",
        )
    body = b'{"model":"","input":%b}' % raw
    try:
        items = asking.history.input(body, new)
        if asking.codec is not None:
            asking.codec.read_request(body)  # what no turn could use is refused here already
    except InvalidRequest as error:
        error.message = error.message.replace("input[", "items[")
        error.param = error.param and error.param.replace("input[", "items[")
        raise
    return items
