"""Where connections lead to, and the idle ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Origin"]


class Origin:
    """A scheme, host and port: its open connections, and the idle ones, the last used on top."""

    __slots__ = ("connections", "host", "idle", "port", "scheme")

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.connections: set[Connection] = set()
        self.idle: dict[Connection, None] = {}  # a set that keeps its order

    def take(self) -> Connection | None:
        """Return the last used idle connection that is still open, None if there is none."""
        while self.idle:
            connection, _ = self.idle.popitem()
            if connection.is_open():
                return connection
            connection.abort()
        return None

    def expire(self, now: float) -> None:
        """Close connections that have been idle for too long."""
        for connection in [idle for idle in self.idle if idle.expires <= now]:
            connection.abort()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
