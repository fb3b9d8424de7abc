"""The gateway as an aiohttp application, to run by itself or under any prefix of a host's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gomodel_proxy.api import GatewayError, InvalidRequest, NotFound, Unauthenticated
from gomodel_proxy.engine.headers import request_id

from . import health, ingress
from .areas import areas
from .gateway import Gateway
from .routes import GENERATION, WATCH, caller, error_answer, require_admin
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from gomodel_proxy.config import Configuration
    from gomodel_proxy.engine.generation import Generation

__all__ = ["GATEWAY", "application", "create_app"]

GATEWAY: web.AppKey[Gateway] = web.AppKey("gomodel.gateway")
"""Where the application made by `create_app` keeps its `Gateway`."""


def create_app(
    config: Path | str | Mapping[str, Any] | Configuration | None = None, **more: Any
) -> web.Application:
    """Return an application that opens the gateway when it starts and closes it when it stops.

    While the host waits for its handlers (``shutdown_timeout``), streams may end by themselves for
    ``server.shutdown_grace``; then they are told why they end.
    Mount it with ``app.add_subapp("/llm", create_app("config.toml"))``. Takes what `Gateway` takes;
    raises `ConfigError`.
    """
    gateway = Gateway(config, **more)
    app = application(lambda: gateway.generation, gateway)
    app[GATEWAY] = gateway

    async def life(_: web.Application) -> AsyncIterator[None]:
        async with gateway:
            yield

    async def stop(_: web.Application) -> None:
        gateway.generation.closing = True
        grace = gateway.configuration.server.shutdown_grace
        asyncio.get_running_loop().call_later(grace, app[WATCH].cut_off)

    app.cleanup_ctx.append(life)
    app.on_shutdown.append(stop)
    return app


def application(generation: Callable[[], Generation], gateway: Gateway) -> web.Application:
    """Return the application that serves a generation opened by somebody else."""
    app = web.Application(middlewares=[_errors])
    app[GENERATION] = generation
    app[WATCH] = watch = Watch()
    dialects = gateway.plugins.objects("gomodel_dialects")
    for dialect in dialects:
        for path in dialect.paths:
            app.router.add_post(path, ingress.handler(lambda request: generation(), dialect, watch))
    for route in health.ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    for area in areas(dialects):
        app.router.register_resource(area)
    for page in gateway.plugins.objects("gomodel_admin_pages"):
        app.router.add_get(f"/admin/{page.path}", _page(page))
    return app


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error in the dialect of its path."""
    try:
        response = await handler(request)
    except GatewayError as error:
        response = error_answer(request, error)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        response = error_answer(request, await _refused(request, refusal))
    except Exception:
        request.app[GENERATION]().log.exception("request.failed", path=request.path)
        fault = GatewayError("The gateway failed at this request.", code="internal_error")
        response = error_answer(request, fault)
    if not response.prepared and "X-Request-ID" not in response.headers:
        headers = {name.lower(): value for name, value in request.headers.items()}
        response.headers["X-Request-ID"] = request_id(headers)
    return response


async def _refused(request: web.Request, refusal: web.HTTPException) -> GatewayError:
    """Return what aiohttp's own refusal means; strangers learn nothing about paths."""
    try:
        await caller(request)
    except Unauthenticated as error:
        return error
    if refusal.status == 404:
        return NotFound(f"There is nothing at {request.path}.", code="unknown_path")
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(refusal.allowed_methods))
        return InvalidRequest(
            f"{request.path} takes {allowed}, not {request.method}.",
            code="method_not_allowed",
            status=405,
            headers=(("Allow", allowed),),
        )
    return InvalidRequest(refusal.reason, status=refusal.status)


def _page(page: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def show(request: web.Request) -> web.Response:
        await require_admin(request)
        kind, body = await page.get(dict(request.query))
        return web.Response(body=body, headers={"Content-Type": kind})

    return show
