"""Batches, once for every dialect that has a view of them (`Dialect.batches`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from gomodel_proxy.api import GatewayError, InvalidRequest
from gomodel_proxy.engine.admission import user_path
from gomodel_proxy.engine.batches import desk, states
from gomodel_proxy.engine.batches.contents import results
from gomodel_proxy.engine.batches.creation import Asker, create
from gomodel_proxy.engine.translation import LOSSY, lossy_header, refuse_losses

from .batch_results import ResultList, result_parameters, result_types, tell_results
from .ingress import check_type, read_body
from .routes import GENERATION, Parameter, Route, caller, error_answer
from .schemas import BATCHES
from .usage import integer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gomodel_proxy.api import Batch, BatchView, Dialect, Principal
    from gomodel_proxy.engine.generation import Generation

__all__ = ["batch_routes"]

_ID: Final = Parameter("batch_id", str, "the batch's id", "path")
_LINE: Final = 64 * 1024  # bytes of results that have room in a batch object as one line
_JSON: Final = "application/json"


def batch_routes(dialect: Dialect, view: BatchView) -> list[Route]:
    """Return the routes of a dialect's view of batches."""
    return list(_View(dialect, view).all)


class _Asked:
    """One request about batches."""

    def __init__(self, request: web.Request, view: BatchView, principal: Principal) -> None:
        self.request = request
        self.g: Generation = request.app[GENERATION]()
        self.principal = principal
        # the request's own host, and the prefix under which a host application has the gateway
        told = request.headers.get("X-Forwarded-Proto", request.scheme)
        scheme = "https" if told.partition(",")[0].strip() == "https" else "http"
        prefix = request.path.partition(view.path)[0]
        self.base = f"{scheme}://{request.host}{prefix}"

    @property
    def few(self) -> int:
        """How many results may stand in an answer about batches."""
        return self.g.configuration.batches.inline_results

    async def batch(self, view: BatchView) -> Batch:
        """Return the batch that the path names; raises `NotFound`."""
        id_ = view.id(self.request.match_info["batch_id"])
        return await desk.find(self.g, self.principal, id_)


class _View:
    """The routes of one view; errors are in its dialect."""

    def __init__(self, dialect: Dialect, view: BatchView) -> None:
        self._dialect = dialect
        self._view = view

    async def create_batch(self, request: web.Request) -> web.Response:
        """Make a batch, or return the one that was made under the same ``Idempotency-Key``."""
        asked = await self._asked(request)
        g, headers = asked.g, {name.lower(): value for name, value in request.headers.items()}
        check_type(request)
        ask = self._view.read(await read_body(request, g.configuration.server.body_limit))
        if g.configuration.routing.strict or headers.get("x-gomodel-strict") == "1":
            refuse_losses(ask.ignored)
        asker = Asker(asked.principal, user_path(asked.principal, headers), headers)
        key = headers.get("idempotency-key")
        batch = await create(g, asker, ask, key)
        response = _written(await self._object(asked, batch))
        if ask.ignored:
            response.headers[LOSSY] = lossy_header(ask.ignored)
        return response

    async def list_batches(self, request: web.Request) -> web.Response:
        """List batches, the newest first."""
        asked = await self._asked(request)
        view, query = self._view, request.query
        after_key, before_key = view.cursors
        after = query.get(after_key)
        before = None if before_key is None else query.get(before_key)
        if after is not None and before is not None:
            raise InvalidRequest(
                f"Give '{after_key}' or '{before_key}', not both.", param=after_key
            )
        batches, more = await desk.page(
            asked.g,
            asked.principal,
            limit=integer(query, "limit", view.default_limit, 1, view.max_limit),
            after=None if after is None else view.id(after),
            before=None if before is None else view.id(before),
        )
        room = asked.few  # for the whole page: the newest batches have their results in it
        objects = []
        for batch in batches:
            objects.append(await self._object(asked, batch, room))
            room -= _weight(batch) if _fits(batch, room) else 0
        return _written(view.page(objects, [view.name(batch.id) for batch in batches], more))

    async def show_batch(self, request: web.Request) -> web.Response:
        """Answer with a batch as it stands."""
        asked = await self._asked(request)
        return _written(await self._object(asked, await asked.batch(self._view)))

    async def cancel_batch(self, request: web.Request) -> web.Response:
        """Stop a batch; what it has is kept."""
        asked = await self._asked(request)
        batch = await asked.batch(self._view)
        batch = await desk.cancel(asked.g, asked.principal, batch.id)
        return _written(await self._object(asked, batch))

    async def resend_batch(self, request: web.Request) -> web.Response:
        """Send again what a vendor may have taken already, on an admin's word."""
        asked = await self._asked(request)
        batch = await asked.batch(self._view)
        batch = await desk.resend(asked.g, asked.principal, batch.id)
        return _written(await self._object(asked, batch))

    async def delete_batch(self, request: web.Request) -> web.Response:
        """Delete a batch that has ended."""
        asked = await self._asked(request)
        batch = await asked.batch(self._view)
        await desk.remove(asked.g, asked.principal, batch.id)
        return _written(self._view.deleted(self._view.name(batch.id)))

    async def list_batch_results(self, request: web.Request) -> web.StreamResponse:
        """Answer with the results of a batch that has ended: a page, or all as lines."""
        asked = await self._asked(request)
        return await tell_results(request, self._view, await asked.batch(self._view))

    async def _object(self, asked: _Asked, batch: Batch, room: int | None = None) -> bytes:
        """Return a batch, with its results if it has ended and there is room for them."""
        room = asked.few if room is None else room
        found = None
        if _fits(batch, room):
            found = await results(asked.g, batch, limit=batch.total)
        return self._view.write(batch, found, asked.base)

    async def _asked(self, request: web.Request) -> _Asked:
        return _Asked(request, self._view, await caller(request))

    # ------------------------------------------------------------ routes

    @property
    def all(self) -> Iterable[Route]:
        """Every route of the view."""
        view, one = self._view, f"{self._view.path}/{{batch_id}}"
        body, reply, page = BATCHES.get(self._dialect.name, (dict[str, Any],) * 3)
        after, before = view.cursors
        cursors = [Parameter(after, str, "the last id of the page before")]
        if before is not None:
            cursors.append(Parameter(before, str, "the first id of the page behind"))
        limit = Parameter(
            "limit",
            int,
            f"batches a page, {view.default_limit} by default",
            "query",
            1,
            view.max_limit,
        )
        route = self._route
        yield route("POST", view.path, self.create_batch, "Make a batch", reply, body=body)
        yield route("GET", view.path, self.list_batches, "List batches", page, limit, *cursors)
        yield route("GET", one, self.show_batch, "Show a batch", reply, _ID)
        yield route("POST", f"{one}/cancel", self.cancel_batch, "Stop a batch", reply, _ID)
        yield route(
            "POST", f"{one}/resend", self.resend_batch, "Send uncertain lines again", reply, _ID
        )
        yield self._results(one)
        if view.deletes:
            yield route("DELETE", one, self.delete_batch, "Delete a batch", dict[str, Any], _ID)

    def _results(self, one: str) -> Route:
        return self._route(
            "GET",
            f"{one}/results",
            self.list_batch_results,
            "Read a batch's results",
            ResultList,
            _ID,
            *result_parameters(self._view),
            gives=result_types(self._view),
        )

    def _route(
        self,
        method: str,
        path: str,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        summary: str,
        reply: Any,
        *parameters: Parameter,
        **more: Any,
    ) -> Route:
        async def told(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except GatewayError as error:
                return error_answer(request, error, self._dialect)

        id_ = f"{self._dialect.name.replace('.', '_')}_{handler.__name__}"
        return Route(method, path, told, summary, reply, parameters, id=id_, **more)


def _fits(batch: Batch, room: int) -> bool:
    return states.ended(batch) and 0 < _weight(batch) <= room


def _weight(batch: Batch) -> int:
    """Return how many lines' room a batch's results take: long ones take that of several."""
    return max(batch.total, (batch.output_size + batch.error_size) // _LINE)


def _written(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": _JSON})
