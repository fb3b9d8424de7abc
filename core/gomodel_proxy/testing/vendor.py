"""Vendors that take batches, played on loopback: what all have in common."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Batch", "Vendor"]


class _Refused(Exception):
    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


class Batch:
    """A batch that was accepted. ``lines`` are the requests in it, read."""

    def __init__(self, id: str, asked: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        self.id = id
        self.asked = asked
        self.lines = lines
        self.cancelled = False


class Vendor:
    """A server. These say how it behaves; they may be changed at any time:

    * ``ended``: whether batches have ended when they are asked about;
    * ``refuse``: the status and body with which the next submissions are refused;
    * ``retry_after``: when those who were refused may come again, as the header says it;
    * ``drop``: how many submissions to accept and then to leave without an answer;
    * ``accepted``: called when a batch is accepted, before anybody is told;
    * ``forgetful``: whether the list of batches is always empty;
    * ``unlisted``: the status with which the list of batches is refused, 0 if it is not;
    * ``spoil``: makes other result lines of those that there are.
    """

    def __init__(self) -> None:
        self.batches: dict[str, Batch] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.ended = True
        self.refuse: list[tuple[int, dict[str, Any]]] = []
        self.retry_after = "0"
        self.drop = 0
        self.accepted: Callable[[], Awaitable[None] | None] | None = None
        self.forgetful = False
        self.unlisted = 0
        self.spoil: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
        self.url = ""
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the vendor's API."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        @web.middleware
        async def note(request: web.Request, handler: Any) -> web.StreamResponse:
            self.asked.append((request.method, request.path))
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            try:
                response: web.StreamResponse = await handler(request)
            except _Refused as refused:
                return refused.response
            return response

        app = web.Application(middlewares=[note], client_max_size=1 << 28)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def count(self, method: str, ending: str) -> int:
        """Return how often something was asked for."""
        return sum(one == method and path.endswith(ending) for one, path in self.asked)

    async def accept(
        self, request: web.Request, batch: Batch, told: dict[str, Any]
    ) -> web.StreamResponse:
        """Accept a batch, or do with it what was said; ``told`` is the answer."""
        if self.refuse:
            status, body = self.refuse.pop(0)
            headers = {"Retry-After": self.retry_after}
            return web.json_response(body, status=status, headers=headers)
        self.batches[batch.id] = batch
        if self.accepted is not None:
            waiting = self.accepted()
            if inspect.isawaitable(waiting):
                await waiting
        if self.drop > 0:
            self.drop -= 1
            if request.transport is not None:
                request.transport.abort()
        return web.json_response(told)

    def find(self, request: web.Request) -> Batch:
        """Return the batch that a path names."""
        try:
            return self.batches[request.match_info["id"]]
        except KeyError:
            raise web.HTTPNotFound(text='{"error":{"message":"no such batch"}}') from None

    def now(self, batch: Batch) -> dict[str, Any]:
        """Return what is told of a batch that is asked about."""
        raise NotImplementedError

    async def get(self, request: web.Request) -> web.Response:
        """Answer what has become of a batch."""
        return web.json_response(self.now(self.find(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a batch."""
        batch = self.find(request)
        batch.cancelled = True
        return web.json_response(self.now(batch))

    def page(self, after: str | None) -> tuple[list[Batch], bool]:
        """Return two batches, behind the one of that id if it is given, and whether more follow."""
        batches = self.listed()
        start = 0 if after is None else [batch.id for batch in batches].index(after) + 1
        return batches[start : start + 2], len(batches) > start + 2

    def listed(self) -> list[Batch]:
        """Return all batches, newest first."""
        if self.unlisted:
            refusal = web.json_response({"error": {"message": "no list"}}, status=self.unlisted)
            raise _Refused(refusal)
        return [] if self.forgetful else list(reversed(self.batches.values()))
