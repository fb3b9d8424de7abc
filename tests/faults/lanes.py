"""The three ways into a gateway: the fast lane, aiohttp behind the same door, a host's own app."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gomodel_proxy.http.app import GATEWAY, create_app
from gomodel_proxy.testing.client import Client, post
from gomodel_proxy.testing.served import Served, completed

from .conftest import CHAT, asking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gomodel_proxy.http.gateway import Gateway

ROOM = 16 * 1024  # what systems keep between two ends of a connection
LANES = ("fast", "slow", "embedded")


class Way:
    """One way in: where to connect, which path to use, and the gateway behind it."""

    def __init__(self, gateway: Gateway, port: int, prefix: str = "", query: str = "") -> None:
        self.gateway = gateway
        self.port = port
        self.prefix = prefix
        self.query = query

    async def ask(self, name: str, *, stream: bool = True, room: int | None = None) -> Client:
        """Send a chat request whose id is ``name`` over a connection of its own."""
        client = await Client.to(self.port, room=room)
        client.send(self.request(name, stream=stream))
        return client

    def request(self, name: str, *, stream: bool = True) -> bytes:
        """Return a chat request whose id is ``name``."""
        body = asking(stream=True) if stream else asking()
        return post(f"{self.prefix}{CHAT}{self.query}", body, f"X-Request-ID: {name}")


def _shrink(server: Any) -> None:
    """Let the system keep little of what clients do not read, and not megabytes of it."""
    for listening in server.sockets:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)


@asynccontextmanager
async def entered(lane: str, config: dict[str, Any], folder: Path) -> AsyncIterator[Way]:
    """Serve a gateway that is reached by a lane. The host's app cancels no handler by itself."""
    if lane != "embedded":
        async with Served(config, folder) as served:
            _shrink(served._server._server)
            yield Way(served.gateway, served.port, query="?slow=1" if lane == "slow" else "")
        return
    inner = create_app(completed(config, folder))
    host = web.Application()
    host.add_subapp("/llm", inner)
    runner = web.AppRunner(host, access_log=None, handler_cancellation=False, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    _shrink(site._server)
    try:
        yield Way(inner[GATEWAY], runner.addresses[0][1], prefix="/llm")
    finally:
        await runner.cleanup()
