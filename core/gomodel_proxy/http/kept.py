"""Requests about what is kept: by the gateway, or by the vendor they are then passed on to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, urlencode

from aiohttp import web

from gomodel_proxy.api import GatewayError, InvalidRequest, Unavailable, UpstreamError
from gomodel_proxy.engine import late
from gomodel_proxy.engine.errands import Errand, place, run, watch
from gomodel_proxy.engine.headers import request_id
from gomodel_proxy.engine.pipeline import explain, refuse
from gomodel_proxy.engine.turns import UNSUPPORTED
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_reply import name_provider, read_reply

from .ingress import WebSink, check_type, read_body
from .routes import GENERATION, WATCH, caller

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from gomodel_proxy.api import Principal, Responses
    from gomodel_proxy.engine.account import Account
    from gomodel_proxy.engine.replies import Answer

__all__ = ["Asking", "read_object", "unsupported"]

_DIALECT: Final = late.DIALECT


class Asking:
    """One such request: who asks, and where to look. ``owner`` is None for admins."""

    def __init__(self, request: web.Request, principal: Principal) -> None:
        self.request = request
        self.principal = principal
        self.g = request.app[GENERATION]()
        self.owner = None if principal.admin else principal.id
        self.history = self.g.histories[_DIALECT]
        self.codec = self.g.dialects[_DIALECT].codec
        store = self.g.store
        self.responses: Responses | None = None if store is None else store.responses

    @classmethod
    async def of(cls, request: web.Request) -> Self:
        """Return the request as one about what is kept; raises `Unauthenticated`."""
        return cls(request, await caller(request))

    def needed(self) -> Responses:
        """Return the gateway's own store; raises `Unavailable` if there is none."""
        if self.responses is None:
            raise Unavailable(
                "This needs a store: install gomodel-proxy-sqlite and configure [store].",
                code=UNSUPPORTED,
                status=501,
            )
        return self.responses

    async def account(self, kind: str, id_: str) -> Account:
        """Return the account where a vendor keeps this; raises `NotFound`."""
        return await place(self.g, self.principal, kind, id_, self.request.query.get("provider"))

    async def ask(self, account: Account, *path: str, body: bytes = b"") -> Answer:
        """Return what the vendor says, with its name in it."""
        reply = await run(self.g, account, self._errand(path, body))
        if reply.body:
            reply.body = name_provider(reply.body, read_reply(reply.body), account.name)
        return reply

    def told(self, reply: Answer) -> web.Response:
        """Return a vendor's reply as an answer."""
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def pass_on(self, account: Account, *path: str, body: bytes = b"") -> web.Response:
        """Ask the vendor, and answer with what it says."""
        return self.told(await self.ask(account, *path, body=body))

    async def meter(self, account: Account, id_: str, reply: Answer | None = None) -> None:
        """Enter what a response took that was made in the background; see `engine.late`.

        ``reply`` is the vendor's, if it has just been fetched. A vendor who does not give one now
        may be asked again.
        """
        if not await late.waits(self.g, id_):
            return
        body = None if reply is None else reply.body
        if body is None:
            headers = {name.lower(): value for name, value in self.request.headers.items()}
            with suppress(UpstreamError):
                body = await late.fetch(self.g, account, id_, request_id(headers))
        if body is not None:
            await late.enter(self.g, account, id_, body, self.principal)

    async def pass_on_stream(self, account: Account, *path: str) -> web.StreamResponse:
        """Pass the vendor's stream on as it comes."""
        sink = WebSink(self.request)
        work = asyncio.ensure_future(self._watch(account, self._errand(path, b""), sink))
        work.add_done_callback(sink.over)
        patience = self.g.configuration.server.idle_timeout
        try:
            with self.request.app[WATCH].over(self.request, work, sink, patience):
                return await sink.respond()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _watch(self, account: Account, errand: Errand, sink: WebSink) -> None:
        dialect = self.g.dialects[_DIALECT]
        try:
            await watch(self.g, account, errand, dialect, sink)
        except GatewayError as error:
            refuse(errand.request_id, dialect, sink, error)
        except asyncio.CancelledError as error:
            explain(errand.request_id, dialect, sink, error)
            raise

    def _errand(self, path: Sequence[str], body: bytes) -> Errand:
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        query = [pair for pair in self.request.query.items() if pair[0] != "provider"]
        return Errand(
            method=self.request.method,
            path="".join(f"/{quote(segment, safe='')}" for segment in path),
            query=urlencode(query),
            body=body,
            headers=headers,
            allowed=self.g.dialects[_DIALECT].headers,
            request_id=request_id(headers),
        )


def unsupported(message: str, param: str | None = None) -> InvalidRequest:
    """Return the refusal of something that this response cannot have done to it."""
    return InvalidRequest(message, code=UNSUPPORTED, param=param)


async def read_object(request: web.Request) -> dict[str, msgspec.Raw]:
    """Return the members of a body; an empty one has none."""
    body = await read_body(request, request.app[GENERATION]().configuration.server.body_limit)
    if not body:
        return {}
    check_type(request)
    return json.fields(body)
