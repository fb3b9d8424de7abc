"""``GET /admin/usage/…``: the ledger's reports. Keys see their own rows, admins all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import InvalidRequest

from .routes import GENERATION, Parameter, Route, answer, caller
from .usage import PERIOD, check_names, integer, ledger, scoped, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from gomodel_proxy.api import Ledger, Query

__all__ = ["ROUTES"]

_STATUSES = ("ok", "error", "cancelled", "unknown")
_LOG = (
    *PERIOD,
    Parameter("status", str, f"one of {', '.join(_STATUSES)}"),
    Parameter("limit", int, "rows a page, 50 by default", "query", 1, 200),
    Parameter("after", str, "the last id of the page before"),
)


class Listing(msgspec.Struct, kw_only=True):
    """Rows of a report."""

    object: str = "list"
    data: list[dict[str, Any]]


class Page(msgspec.Struct, kw_only=True):
    """Rows of the log, newest first; ask for the next page with ``after=<last_id>``."""

    object: str = "list"
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


async def _ask(
    request: web.Request, parameters: Sequence[Parameter] = PERIOD, **more: Any
) -> tuple[Ledger, Query]:
    principal = await caller(request)
    check_names(request.query, parameters)
    book = ledger(request)
    await request.app[GENERATION]().books.flush()
    return book, scoped(principal, request.query, **more)


async def summary(request: web.Request) -> web.Response:
    """Answer with the sums of a period."""
    book, query = await _ask(request)
    return answer(shown(await book.summary(query)))


def _listing(rows: Sequence[Any]) -> web.Response:
    return answer({"object": "list", "data": [shown(row) for row in rows]})


async def daily(request: web.Request) -> web.Response:
    """Answer with the sums of each day."""
    book, query = await _ask(request)
    return _listing(await book.daily(query))


async def models(request: web.Request) -> web.Response:
    """Answer with the sums of each model, the dearest first."""
    book, query = await _ask(request)
    return _listing(await book.models(query))


async def log(request: web.Request) -> web.Response:
    """Answer with a page of rows and their attempts."""
    limit = integer(request.query, "limit", 50, 1, 200)
    status = request.query.get("status")
    if status is not None and status not in _STATUSES:
        raise InvalidRequest(f"'status' takes {', '.join(_STATUSES)}.", param="status")
    after = request.query.get("after")
    book, query = await _ask(request, _LOG, status=status, limit=limit + 1, after=after)
    rows = list(await book.log(query))
    data = [shown(row) for row in rows[:limit]]
    return answer(
        {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(rows) > limit,
        }
    )


ROUTES = (
    Route("GET", "/admin/usage/summary", summary, "Sum up usage", dict[str, Any], PERIOD),
    Route("GET", "/admin/usage/daily", daily, "Show usage by day", Listing, PERIOD),
    Route("GET", "/admin/usage/models", models, "Show usage by model", Listing, PERIOD),
    Route("GET", "/admin/usage/log", log, "Show requests, newest first", Page, _LOG),
)
