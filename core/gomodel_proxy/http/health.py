"""``GET /health`` says that the process lives, ``/health/ready`` that it can serve."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .routes import GENERATION, Route, answer

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["ROUTES"]


async def health(request: web.Request) -> web.Response:
    """Answer as long as the process does."""
    return answer({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 if the store works and at least one provider is configured, else 503."""
    g = request.app[GENERATION]()
    checks = {"providers": "ok" if g.accounts else "none configured", "store": "none"}
    if g.store is not None:
        try:
            async with asyncio.timeout(5):
                await g.store.check()
            checks["store"] = "ok"
        except Exception as error:
            g.log.warning("store.unready", error=str(error))
            checks["store"] = "unavailable"
    if g.closing:
        checks["gateway"] = "shutting down"
    good = bool(g.accounts) and checks["store"] != "unavailable" and not g.closing
    return answer(
        {"status": "ok" if good else "unavailable", "checks": checks}, status=200 if good else 503
    )


ROUTES = (
    Route("GET", "/health", health, "Say that the process lives", open=True),
    Route("GET", "/health/ready", ready, "Say whether requests can be served", open=True),
)
