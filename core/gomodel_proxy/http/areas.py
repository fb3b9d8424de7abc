"""Areas: parts of the API whose handlers are imported when somebody first asks below their path.

A start imports none of them, and few processes ever need all.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn

from aiohttp import web

from gomodel_proxy.wire.later import later

from . import health

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gomodel_proxy.api import Dialect

    from . import admin, batches, conversations, files, models, openapi, responses, usage
    from .routes import Route
else:
    admin, batches, conversations, files, models, openapi, responses, usage = later(
        __package__,
        "admin",
        "batches",
        "conversations",
        "files",
        "models",
        "openapi",
        "responses",
        "usage",
    )

__all__ = ["Area", "areas", "routes"]


def areas(dialects: Iterable[Dialect]) -> list[Area]:
    """Return all areas of a gateway that speaks these dialects."""
    views = [(dialect, getattr(dialect, "batches", None)) for dialect in dialects]
    return [
        Area("/admin/usage", lambda: admin.ROUTES),
        Area("/openapi.json", lambda: openapi.ROUTES),
        Area("/v1/conversations", lambda: conversations.ROUTES),
        Area("/v1/files", lambda: files.ROUTES),
        Area("/v1/models", lambda: models.ROUTES),
        Area("/v1/responses", lambda: responses.ROUTES),
        Area("/v1/usage", lambda: usage.ROUTES),
        *(
            Area(view.path, partial(_batch_routes, dialect, view))
            for dialect, view in views
            if view is not None
        ),
    ]


def routes(dialects: Iterable[Dialect]) -> list[Route]:
    """Return every route that is no dialect's POST; this imports all handlers."""
    return [*health.ROUTES, *(route for area in areas(dialects) for route in area.routes())]


def _batch_routes(dialect: Dialect, view: Any) -> Iterable[Route]:
    return batches.batch_routes(dialect, view)


class Area(web.AbstractResource):
    """All routes below one path, which are made when one of them is first asked for."""

    def __init__(self, path: str, routes: Callable[[], Iterable[Route]]) -> None:
        super().__init__()
        self._prefix = ""  # under which a host application has the gateway
        self._path = path
        self.routes = routes

    @cached_property
    def _router(self) -> web.UrlDispatcher:
        router = web.UrlDispatcher()
        for route in self.routes():
            path = route.path.replace("{id}", "{id:.+}")
            router.add_route(route.method, f"{self._prefix}{path}", route.handler)
        return router

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Return the route of a request, or the methods that its path takes instead."""
        found = await self._router.resolve(request)
        refusal = found.http_exception
        if refusal is None:
            return found, set()
        if isinstance(refusal, web.HTTPMethodNotAllowed):
            return None, refusal.allowed_methods
        return None, set()

    # ------------------------------------------------------------ what aiohttp asks of a resource

    @property
    def canonical(self) -> str:
        """The path, by which aiohttp finds what is below it."""
        return f"{self._prefix}{self._path}"

    def add_prefix(self, prefix: str) -> None:
        """Move below a host's path, before anything is asked for."""
        self._prefix = f"{prefix}{self._prefix}"

    def get_info(self) -> Any:
        """Return the path."""
        return {"prefix": self.canonical}

    def raw_match(self, path: str) -> bool:
        """Return that no further route may join."""
        return False

    def url_for(self, **kwargs: str) -> NoReturn:
        """Raise: there is no one URL."""
        raise NotImplementedError("an area has many URLs")

    def __len__(self) -> int:
        return len(self._router.routes())

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(self._router.routes())
