"""``/v1/conversations``: kept by the gateway, for every provider, unless a vendor is named.

platform.openai.com/docs/api-reference/conversations (2026-11).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, ItemPage, NotFound, StoredConversation
from gomodel_proxy.engine.admission import user_path
from gomodel_proxy.engine.errands import keepers, missing
from gomodel_proxy.engine.ids import new, now
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_metadata import read_metadata

from .conversation_bodies import (
    Conversation,
    NewConversation,
    NewItems,
    NewMetadata,
    read_items,
)
from .kept import Asking, read_object
from .pages import PAGE, ItemList, lost, page_of, paged
from .responses import Deleted
from .routes import Parameter, Route, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from gomodel_proxy.engine.account import Account

__all__ = ["ROUTES"]

_ID: Final = Parameter("conversation_id", str, "the conversation's id", "path")
_ITEM: Final = Parameter("item_id", str, "the item's id", "path")


# ---------------------------------------------------------------- conversations


async def create_conversation(request: web.Request) -> web.Response:
    """Make a conversation: the gateway's, or a named vendor's."""
    asking = await Asking.of(request)
    members = await read_object(request)
    vendor = _vendor(asking, members)
    if vendor is not None:
        return await _make_at(asking, vendor, members)
    conversation = StoredConversation(
        id=_new_id(asking),
        owner=asking.principal.id,
        user_path=user_path(asking.principal, request.headers),
        created=now(),
        metadata=_metadata(members),
    )
    items = read_items(asking, members.get("items", json.NULL))
    return _shown(await asking.needed().conversations.create(conversation, items))


async def _make_at(asking: Asking, vendor: Account, members: dict[str, Raw]) -> web.Response:
    members.pop("provider", None)
    reply = await asking.ask(vendor, "conversations", body=json.encode(members))
    made = json.members(reply.body).get("id", json.NULL)
    if json.kind(made) == "string":
        id_ = json.string(made, "id")
        asking.g.enter_resource("conversation", id_, asking.principal.id, vendor.name)
    return asking.told(reply)


async def show_conversation(request: web.Request) -> web.Response:
    """Answer with a conversation."""
    asking, id_ = await _asked(request)
    if asking.responses is not None:
        found = await asking.responses.conversations.find(id_, asking.owner)
        if found is not None:
            return _shown(found)
    return await asking.pass_on(await asking.account("conversation", id_), "conversations", id_)


async def update_conversation(request: web.Request) -> web.Response:
    """Replace a conversation's metadata."""
    asking, id_ = await _asked(request)
    members = await read_object(request)
    if "metadata" not in members:
        raise InvalidRequest(
            "'metadata' is missing.", code="missing_required_parameter", param="metadata"
        )
    metadata = _metadata(members)
    if asking.responses is not None:
        found = await asking.responses.conversations.update(id_, asking.owner, metadata)
        if found is not None:
            return _shown(found)
    account = await asking.account("conversation", id_)
    return await asking.pass_on(account, "conversations", id_, body=json.encode(members))


async def delete_conversation(request: web.Request) -> web.Response:
    """Delete a conversation with its items."""
    asking, id_ = await _asked(request)
    responses = asking.responses
    if responses is not None and await responses.conversations.delete(id_, asking.owner):
        return answer({"id": id_, "object": "conversation.deleted", "deleted": True})
    account = await asking.account("conversation", id_)
    reply = await asking.pass_on(account, "conversations", id_)
    await asking.g.books.disown("conversation", id_)
    return reply


# ---------------------------------------------------------------- items


async def add_items(request: web.Request) -> web.Response:
    """Add items to a conversation."""
    asking, id_ = await _asked(request)
    members = await read_object(request)
    if "items" not in members:
        raise InvalidRequest(
            "'items' is missing.", code="missing_required_parameter", param="items"
        )
    if await _is_ours(asking, id_):
        items = read_items(asking, members["items"])
        added = await asking.needed().conversations.add(id_, asking.owner, items)
        if added is None:
            raise missing("conversation", id_)
        return paged(asking.history, ItemPage(added))
    account = await asking.account("conversation", id_)
    body = json.encode(members)
    return await asking.pass_on(account, "conversations", id_, "items", body=body)


async def list_items(request: web.Request) -> web.Response:
    """List a conversation's items."""
    asking, id_ = await _asked(request)
    page = page_of(request)
    if asking.responses is not None:
        try:
            found = await asking.responses.conversations.items(id_, asking.owner, page)
        except LookupError:
            raise lost(page) from None
        if found is not None:
            return paged(asking.history, found)
    account = await asking.account("conversation", id_)
    return await asking.pass_on(account, "conversations", id_, "items")


async def show_item(request: web.Request) -> web.Response:
    """Answer with one item."""
    asking, id_ = await _asked(request)
    item = request.match_info["item_id"]
    if await _is_ours(asking, id_):
        found = await asking.needed().conversations.item(id_, asking.owner, item)
        if found is None:
            raise missing("item", item)
        return answer(json.members(asking.history.listed([found])[1:-1]))
    account = await asking.account("conversation", id_)
    return await asking.pass_on(account, "conversations", id_, "items", item)


async def delete_item(request: web.Request) -> web.Response:
    """Delete one item; answer with its conversation."""
    asking, id_ = await _asked(request)
    item = request.match_info["item_id"]
    if asking.responses is not None:
        talks = asking.responses.conversations
        found = await talks.find(id_, asking.owner)
        if found is not None:
            if not await talks.remove(id_, asking.owner, item):
                raise missing("item", item)
            return _shown(found)
    account = await asking.account("conversation", id_)
    return await asking.pass_on(account, "conversations", id_, "items", item)


# ---------------------------------------------------------------- reading


async def _asked(request: web.Request) -> tuple[Asking, str]:
    return await Asking.of(request), request.match_info["conversation_id"]


async def _is_ours(asking: Asking, id_: str) -> bool:
    if asking.responses is None:
        return False
    return await asking.responses.conversations.find(id_, asking.owner) is not None


def _metadata(members: Mapping[str, Raw]) -> bytes:
    return json.encode(read_metadata(members.get("metadata", json.NULL)))


def _vendor(asking: Asking, members: Mapping[str, Raw]) -> Account | None:
    """Return the account that is to keep a conversation: the one named, or the only way left."""
    named = members.get("provider", json.NULL)
    wanted = json.string(named, "provider") if named != json.NULL else None
    wanted = wanted or asking.request.query.get("provider")
    able = {account.name: account for account in keepers(asking.g)}
    if wanted is not None:
        if wanted not in able:
            raise NotFound(
                f"No provider called '{wanted}' keeps conversations.", code="provider_not_found"
            )
        return able[wanted]
    if asking.responses is None and len(able) == 1:
        return next(iter(able.values()))
    return None


def _new_id(asking: Asking) -> str:
    """Return a new id, or that of the conversation made under the same ``Idempotency-Key``."""
    key = asking.request.headers.get("Idempotency-Key")
    if key is None:
        return new("conv_")
    text = f"{asking.principal.id}\0{key}".encode("utf-8", "surrogateescape")
    return f"conv_{blake2b(text, digest_size=16).hexdigest()}"


def _shown(conversation: StoredConversation) -> web.Response:
    return answer(
        {
            "id": conversation.id,
            "object": "conversation",
            "created_at": conversation.created // 1_000_000,
            "metadata": Raw(conversation.metadata),
        }
    )


ROUTES = (
    Route(
        "POST",
        "/v1/conversations",
        create_conversation,
        "Make a conversation",
        Conversation,
        body=NewConversation,
    ),
    Route(
        "GET",
        "/v1/conversations/{conversation_id}",
        show_conversation,
        "Show a conversation",
        Conversation,
        (_ID,),
    ),
    Route(
        "POST",
        "/v1/conversations/{conversation_id}",
        update_conversation,
        "Replace a conversation's metadata",
        Conversation,
        (_ID,),
        body=NewMetadata,
    ),
    Route(
        "DELETE",
        "/v1/conversations/{conversation_id}",
        delete_conversation,
        "Delete a conversation",
        Deleted,
        (_ID,),
    ),
    Route(
        "POST",
        "/v1/conversations/{conversation_id}/items",
        add_items,
        "Add items to a conversation",
        ItemList,
        (_ID,),
        body=NewItems,
    ),
    Route(
        "GET",
        "/v1/conversations/{conversation_id}/items",
        list_items,
        "List a conversation's items",
        ItemList,
        (_ID, *PAGE),
    ),
    Route(
        "GET",
        "/v1/conversations/{conversation_id}/items/{item_id}",
        show_item,
        "Show an item",
        dict[str, Any],
        (_ID, _ITEM),
    ),
    Route(
        "DELETE",
        "/v1/conversations/{conversation_id}/items/{item_id}",
        delete_item,
        "Delete an item",
        Conversation,
        (_ID, _ITEM),
    ),
)
