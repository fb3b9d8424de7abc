"""A route of the gateway that is not a dialect's: what `app` serves and `openapi` describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from gomodel_proxy.api import Forbidden, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gomodel_proxy.api import Dialect, GatewayError, Principal
    from gomodel_proxy.engine.generation import Generation

    from .watch import Watch

__all__ = [
    "GENERATION",
    "WATCH",
    "Parameter",
    "Route",
    "answer",
    "caller",
    "error_answer",
    "listing",
    "require_admin",
]

GENERATION: web.AppKey[Callable[[], Generation]] = web.AppKey("gomodel.generation")
"""Where an application keeps the way to what serves it now."""

WATCH: web.AppKey[Watch] = web.AppKey("gomodel.watch")
"""Where an application keeps what sees clients leave."""

_HEADERS = {"Content-Type": "application/json"}


class Parameter(msgspec.Struct, frozen=True):
    """A query or path parameter, for the description."""

    name: str
    type: type
    description: str
    where: str = "query"
    minimum: int | None = None
    maximum: int | None = None


class Route(msgspec.Struct, frozen=True):
    """One method and path, its handler, and its description.

    ``takes`` is the content type of the ``body``, ``gives`` those of the reply. ``id`` is told from
    the handler's name if there is none.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    reply: Any = dict
    parameters: tuple[Parameter, ...] = ()
    open: bool = False
    admin: bool = False
    body: Any = None
    takes: str = "application/json"
    gives: tuple[str, ...] = ("application/json",)
    id: str = ""


def answer(value: Any, *, status: int = 200) -> web.Response:
    """Return a JSON response."""
    return web.Response(status=status, body=msgspec.json.encode(value), headers=_HEADERS)


def error_answer(
    request: web.Request, error: GatewayError, dialect: Dialect | None = None
) -> web.Response:
    """Return an error in this dialect, else in that of the path, OpenAI's by default."""
    g = request.app[GENERATION]()
    dialect = dialect or g.dialect_at(request.path) or listing(request)
    dialect = dialect or g.default
    told = error.body if isinstance(error, UpstreamError) else b""
    return web.Response(
        status=error.status,
        body=told or dialect.error(error),
        headers=[*_HEADERS.items(), *error.headers],
    )


def listing(request: web.Request) -> Any:
    """Return the dialect whose header asks for its own shape of lists, None for OpenAI's."""
    for dialect in request.app[GENERATION]().dialects.values():
        header = getattr(dialect, "models_header", None)
        if header is not None and header in request.headers:
            return dialect
    return None


async def caller(request: web.Request) -> Principal:
    """Return who asks; raises `Unauthenticated`."""
    g = request.app[GENERATION]()
    headers = {name.lower(): value for name, value in request.headers.items()}
    return g.door.recall(headers) or await g.door.identify(headers)


async def require_admin(request: web.Request) -> Principal:
    """Return who asks if that is an admin; raises `Unauthenticated` or `Forbidden`."""
    principal = await caller(request)
    if not principal.admin:
        raise Forbidden("Only the master key and admin keys may do this.", code="admin_only")
    return principal
