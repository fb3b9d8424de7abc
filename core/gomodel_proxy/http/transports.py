"""The transports that the core brings, as the configuration names them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Kind

from .session import SessionConfig, SessionTransport
from .transport import HttpConfig, HttpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gomodel_proxy.api import Runtime, Transport

__all__ = ["KINDS", "open_http", "open_session"]


@asynccontextmanager
async def open_http(config: HttpConfig, runtime: Runtime) -> AsyncIterator[Transport]:
    """Open ``type = "http"``; on leaving, what is under way fails."""
    transport = HttpTransport(config, log=runtime.log)
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def open_session(config: SessionConfig, runtime: Runtime) -> AsyncIterator[Transport]:
    """Open ``type = "session"``; on leaving, what is under way fails."""
    transport = SessionTransport(config, log=runtime.log)
    try:
        yield transport
    finally:
        await transport.close()


KINDS: Final[Sequence[Kind[Any]]] = (
    Kind("http", HttpConfig, open_http),
    Kind("session", SessionConfig, open_session),
)
