"""The results of a batch: a page of JSON, or all of them as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from gomodel_proxy.api import Conflict, InvalidRequest
from gomodel_proxy.engine.batches import states
from gomodel_proxy.engine.batches.contents import results

from .routes import GENERATION, Parameter
from .streaming import stream
from .usage import integer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gomodel_proxy.api import Batch, BatchView, LineResult
    from gomodel_proxy.engine.generation import Generation

__all__ = ["ResultList", "result_parameters", "result_types", "tell_results"]

_JSON: Final = "application/json"
_JSONL: Final = ("application/jsonl", "application/x-jsonl", "application/x-ndjson")
_MOST: Final = 1000
_TOGETHER: Final = 100  # lines that are read from the store at a time
_FAILED: Final = {None: None, "true": True, "false": False}


class ResultList(msgspec.Struct, kw_only=True):
    """A page of results; ask for the next with ``after=<next>``."""

    object: str = "list"
    batch_id: str
    data: list[dict[str, Any]]
    has_more: bool
    first_index: int | None
    last_index: int | None
    next: int | None


def result_parameters(view: BatchView) -> list[Parameter]:
    """Return what can be asked of the results that a view shows."""
    parameters = [
        Parameter("after", int, "only lines behind this index", "query", -1),
        Parameter("failed", str, "true: only lines that failed; false: only the others"),
    ]
    if view.jsonl:
        return parameters
    told = "most results a page, 1,000 by default; there are fewer where they are long"
    limit = Parameter("limit", int, told, "query", 1, _MOST)
    return [*parameters, limit, Parameter("format", str, "json or jsonl")]


def result_types(view: BatchView) -> tuple[str, ...]:
    """Return the content types that its results can have."""
    return ("application/x-jsonl",) if view.jsonl else (_JSON, *_JSONL)


async def tell_results(request: web.Request, view: BatchView, batch: Batch) -> web.StreamResponse:
    """Answer with results; raises `Conflict` for a batch that has not ended."""
    if not states.ended(batch):
        raise Conflict(
            f"This batch is {batch.status}: there are results when it has ended.",
            code="batch_not_ended",
        )
    g, query = request.app[GENERATION](), request.query
    if query.get("failed") not in _FAILED:
        raise InvalidRequest("'failed' takes 'true' or 'false'.", param="failed")
    failed = _FAILED[query.get("failed")]
    after = integer(query, "after", -1, -1, 999_999_999)
    jsonl = _jsonl(request, view)
    if jsonl is not None:
        lines = _lines(g, view, batch, after, failed)
        return await stream(request, lines, {"Content-Type": jsonl})
    limit = min(integer(query, "limit", _MOST, 1, _MOST), states.at_once(batch, failed))
    found = await results(g, batch, limit=limit + 1, after=after, failed=failed)
    body = _page(view, batch, found[:limit], more=len(found) > limit)
    return web.Response(body=body, headers={"Content-Type": _JSON})


def _jsonl(request: web.Request, view: BatchView) -> str | None:
    """Return the content type if lines are asked for, None for a page."""
    if view.jsonl:
        return "application/x-jsonl"
    given = request.query.get("format")
    if given not in (None, "json", "jsonl"):
        raise InvalidRequest("'format' takes 'json' or 'jsonl'.", param="format")
    if given is not None:
        return _JSONL[0] if given == "jsonl" else None
    accepted = request.headers.get("Accept", "")
    return next((type_ for type_ in _JSONL if type_ in accepted), None)


def _page(view: BatchView, batch: Batch, found: Sequence[LineResult], *, more: bool) -> bytes:
    last = found[-1].index if found else None
    return msgspec.json.encode(
        {
            "object": "list",
            "batch_id": view.name(batch.id),
            "data": [msgspec.Raw(view.result(batch, one)) for one in found],
            "has_more": more,
            "first_index": found[0].index if found else None,
            "last_index": last,
            "next": last if more else None,
        }
    )


async def _lines(
    g: Generation, view: BatchView, batch: Batch, after: int, failed: bool | None
) -> AsyncIterator[bytes]:
    limit = min(_TOGETHER, states.at_once(batch, failed))
    while found := await results(g, batch, limit=limit, after=after, failed=failed):
        yield b"".join(b"%b\n" % view.result(batch, one) for one in found)
        after = found[-1].index
