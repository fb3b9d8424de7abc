"""Lists of items, a page at a time, as OpenAI's clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest, ItemPage, Page
from gomodel_proxy.engine.errands import missing

from .routes import Parameter, answer
from .usage import integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from gomodel_proxy.api import History, NotFound, StoredItem

__all__ = ["PAGE", "ItemList", "cut", "lost", "page_of", "paged"]

PAGE: Final = (
    Parameter("limit", int, "items a page, 20 by default", "query", 1, 100),
    Parameter("order", str, "asc or desc, which is the default"),
    Parameter("after", str, "the last id of the page before"),
)


class ItemList(msgspec.Struct, kw_only=True):
    """A page of items; ask for the next with ``after=<last_id>``."""

    object: str = "list"
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


def page_of(request: web.Request) -> Page:
    """Return the page that the query asks for; raises `InvalidRequest`."""
    order = request.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest("'order' takes 'asc' or 'desc'.", param="order")
    return Page(
        limit=integer(request.query, "limit", 20, 1, 100),
        after=request.query.get("after"),
        ascending=order == "asc",
    )


def cut(items: Sequence[StoredItem], page: Page) -> ItemPage:
    """Return a page of these items, the oldest first; raises LookupError as a store does."""
    ordered = list(items) if page.ascending else list(reversed(items))
    if page.after is not None:
        places = [number for number, item in enumerate(ordered) if item.id == page.after]
        if not places:
            raise LookupError(page.after)
        ordered = ordered[places[0] + 1 :]
    return ItemPage(ordered[: page.limit], len(ordered) > page.limit)


def lost(page: Page) -> NotFound:
    """Return the refusal of a page behind an item that there is not."""
    error = missing("item", page.after or "")
    error.param = "after"
    return error


def paged(history: History, page: ItemPage) -> web.Response:
    """Answer with a page."""
    ids = [item.id for item in page.items]
    return answer(
        {
            "object": "list",
            "data": msgspec.Raw(history.listed(page.items)),
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": page.more,
        }
    )
