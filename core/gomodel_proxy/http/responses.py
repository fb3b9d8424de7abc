"""``/v1/responses/{id}``: what was answered earlier, from the gateway's store or the vendor's.

platform.openai.com/docs/api-reference/responses (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from gomodel_proxy.engine.turns import items_of

from .kept import Asking, unsupported
from .pages import PAGE, ItemList, cut, lost, page_of, paged
from .routes import Parameter, Route, answer

if TYPE_CHECKING:
    from gomodel_proxy.api import StoredResponse

__all__ = ["ROUTES"]

_ID = Parameter("response_id", str, "the response's id", "path")
_PROVIDER = Parameter("provider", str, "where to look for what the gateway never saw, for admins")
_JSON = {"Content-Type": "application/json"}


class Deleted(msgspec.Struct, kw_only=True):
    """What was deleted."""

    id: str
    object: str
    deleted: bool


async def _find(asking: Asking) -> StoredResponse | None:
    if asking.responses is None:
        return None
    return await asking.responses.find(asking.request.match_info["response_id"], asking.owner)


async def show_response(request: web.Request) -> web.StreamResponse:
    """Answer with a response, or with its stream where the vendor keeps that."""
    asking = await Asking.of(request)
    id_ = request.match_info["response_id"]
    streamed = request.query.get("stream", "").lower() == "true"
    kept = await _find(asking)
    if kept is None:
        account = await asking.account("response", id_)
        if streamed:
            streaming = await asking.pass_on_stream(account, "responses", id_)
            await asking.meter(account, id_)
            return streaming
        reply = await asking.ask(account, "responses", id_)
        await asking.meter(account, id_, reply)
        return asking.told(reply)
    if streamed:
        raise unsupported("This response is not streamed again; get it without 'stream'.", "stream")
    return web.Response(body=kept.response, headers=_JSON)


async def delete_response(request: web.Request) -> web.Response:
    """Delete a response where it is kept."""
    asking = await Asking.of(request)
    id_ = request.match_info["response_id"]
    if asking.responses is not None and await asking.responses.delete(id_, asking.owner):
        return answer({"id": id_, "object": "response", "deleted": True})
    account = await asking.account("response", id_)
    await asking.meter(account, id_)
    reply = await asking.pass_on(account, "responses", id_)
    await asking.g.books.disown("response", id_)
    return reply


async def cancel_response(request: web.Request) -> web.Response:
    """Cancel a response that a vendor makes in the background."""
    asking = await Asking.of(request)
    id_ = request.match_info["response_id"]
    if await _find(asking) is not None:
        raise unsupported("Only a response made with 'background': true can be cancelled.")
    account = await asking.account("response", id_)
    reply = await asking.ask(account, "responses", id_, "cancel")
    await asking.meter(account, id_, reply)
    return asking.told(reply)


async def list_input_items(request: web.Request) -> web.Response:
    """List what a response was made from, the turns it goes on from included."""
    asking = await Asking.of(request)
    id_ = request.match_info["response_id"]
    page = page_of(request)
    kept = await _find(asking)
    if kept is None:
        account = await asking.account("response", id_)
        return await asking.pass_on(account, "responses", id_, "input_items")
    chain = await asking.needed().chain(id_, asking.owner)
    items = items_of(asking.history, chain, answered=False)
    try:
        return paged(asking.history, cut(items, page))
    except LookupError:
        raise lost(page) from None


ROUTES = (
    Route(
        "GET",
        "/v1/responses/{response_id}",
        show_response,
        "Show a response",
        dict[str, Any],
        (
            _ID,
            _PROVIDER,
            Parameter("stream", str, "true: as a stream, where the vendor keeps it"),
            Parameter("starting_after", int, "the number of the event to go on after", "query", 0),
        ),
    ),
    Route(
        "DELETE",
        "/v1/responses/{response_id}",
        delete_response,
        "Delete a response",
        Deleted,
        (_ID, _PROVIDER),
    ),
    Route(
        "POST",
        "/v1/responses/{response_id}/cancel",
        cancel_response,
        "Cancel a response in the background",
        dict[str, Any],
        (_ID, _PROVIDER),
    ),
    Route(
        "GET",
        "/v1/responses/{response_id}/input_items",
        list_input_items,
        "List the items a response was made from",
        ItemList,
        (_ID, _PROVIDER, *PAGE),
    ),
)
