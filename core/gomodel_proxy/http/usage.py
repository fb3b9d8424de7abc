"""``GET /v1/usage``: what the caller has used; admins see everybody's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest, Query, Unavailable

from .routes import GENERATION, Parameter, Route, answer, caller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

    from gomodel_proxy.api import Ledger, Principal

__all__ = ["PERIOD", "ROUTES", "check_names", "integer", "ledger", "period", "scoped", "shown"]

_DAY: Final = 86_400_000_000
_SHOWN: Final = 40  # characters of a name that nobody knows
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
PERIOD: Final = (
    Parameter("days", int, "this many days up to today (UTC), 30 by default", "query", 1, 365),
    Parameter("start_date", str, "first day, YYYY-MM-DD"),
    Parameter("end_date", str, "last day, YYYY-MM-DD"),
    Parameter("user_path", str, "only this path and what is below it"),
    Parameter("model", str, "only this model"),
    Parameter("provider", str, "only this provider"),
)


class UsageReply(msgspec.Struct, kw_only=True):
    """The sums of a period; costs are USD, null where no price is known."""

    user_path: str
    server_time: int
    start_date: str
    end_date: str
    usage: dict[str, Any]


def ledger(request: web.Request) -> Ledger:
    """Return the ledger; raises `Unavailable` where the configuration has no store."""
    store = request.app[GENERATION]().store
    if store is None or store.ledger is None:
        raise Unavailable(
            "Usage needs a store: install gomodel-proxy-sqlite and configure [store].",
            code="no_store",
            status=501,
        )
    return store.ledger


def check_names(query: Mapping[str, str], parameters: Sequence[Parameter]) -> None:
    """Refuse what means nothing in the query: a filter that is misspelt filters nothing."""
    known = [parameter.name for parameter in parameters]
    for name in query:
        if name not in known:
            shown = name[:_SHOWN]
            near = get_close_matches(shown, known, n=1, cutoff=0)
            raise InvalidRequest(
                f"There is no '{shown}' here. Did you mean '{near[0]}'?",
                code="unknown_parameter",
                param=shown,
            )


def integer(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Return a whole number from the query; raises `InvalidRequest`."""
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise InvalidRequest(f"'{name}' takes a whole number from {low} to {high}.", param=name)
    return int(text)


def _day(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        if not _DATE.match(text):
            raise ValueError(text)
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequest(f"'{name}' takes a day as YYYY-MM-DD.", param=name) from None


def period(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    """Return the first day and the day after the last."""
    days = integer(query, "days", 30, 1, 365)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = _day(query, "end_date") or today
    first = _day(query, "start_date")
    try:
        first = first or last - timedelta(days=days - 1)
        end = last + timedelta(days=1)
    except OverflowError:
        raise InvalidRequest("These days are out of range.", param="end_date") from None
    if first > last:
        raise InvalidRequest("'start_date' is after 'end_date'.", param="start_date")
    return first, end


def scoped(principal: Principal, query: Mapping[str, str], **more: Any) -> Query:
    """Return the ledger's question for what this caller may see."""
    first, end = period(query)
    return Query(
        since=int(first.timestamp()) * 1_000_000,
        until=int(end.timestamp()) * 1_000_000,
        principal=None if principal.admin else principal.id,
        user_path=query.get("user_path"),
        model=query.get("model"),
        provider=query.get("provider"),
        **more,
    )


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values as they are answered: costs in USD, times in seconds."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_cost"):
            out[key] = None if value is None else value / 1e12
        elif key == "started":
            out["created_at"] = value // 1_000_000
            out["started_us"] = value
        elif key in ("latency", "first_token"):
            out[f"{key}_ms"] = None if value is None else value / 1000
        elif key == "attempts" and not isinstance(value, int):
            out[key] = [shown(attempt) for attempt in value]
        else:
            out[key] = value
    return out


async def own_usage(request: web.Request) -> web.Response:
    """Answer with the caller's own sums."""
    principal = await caller(request)
    check_names(request.query, PERIOD)
    book = ledger(request)
    await request.app[GENERATION]().books.flush()
    first, end = period(request.query)
    sums = await book.summary(scoped(principal, request.query))
    return answer(
        {
            "user_path": principal.user_path,
            "server_time": int(datetime.now(UTC).timestamp()),
            "start_date": f"{first:%Y-%m-%d}",
            "end_date": f"{end - timedelta(days=1):%Y-%m-%d}",
            "usage": shown(sums),
        }
    )


ROUTES = (Route("GET", "/v1/usage", own_usage, "Show your own usage", UsageReply, PERIOD),)
