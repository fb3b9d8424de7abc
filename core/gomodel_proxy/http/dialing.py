"""TCP connections to a name that may have several addresses (RFC 8305, "happy eyeballs").

asyncio can do this too, but loses a connected socket when it is cancelled at the wrong moment
(`create_connection` with ``happy_eyeballs_delay``); the upstream would see it open for long.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Info", "dial", "reach", "resolve"]

_HEAD_START: Final = 0.25  # seconds; what RFC 8305 recommends

Info = tuple[Any, Any, int, str, Any]
"""One address, as `socket.getaddrinfo` gives it."""


async def dial(host: str, port: int) -> socket.socket:
    """Return a socket connected to the address that answers first; raises `OSError`."""
    return await reach(await resolve(host, port))


async def reach(infos: Sequence[Info]) -> socket.socket:
    """Return a socket connected to the one of these addresses that answers first."""
    waiting = deque(_interleaved(infos))
    if len(waiting) == 1:
        return await _attempt(waiting[0])
    attempts: list[asyncio.Task[socket.socket]] = []
    pending: set[asyncio.Task[socket.socket]] = set()
    winner = None
    error: BaseException | None = None
    try:
        while winner is None and (waiting or pending):
            if waiting:
                attempts.append(asyncio.create_task(_attempt(waiting.popleft())))
                pending.add(attempts[-1])
            done, pending = await asyncio.wait(
                pending,
                timeout=_HEAD_START if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            winner = next((attempt for attempt in done if attempt.exception() is None), None)
            error = next((attempt.exception() for attempt in done), error)
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.cancel()
                attempt.add_done_callback(_close)
    if winner is None:
        raise error or OSError("the name has no address")
    return winner.result()


def _close(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _attempt(info: Info) -> socket.socket:
    family, kind, protocol, _, address = info
    connected = socket.socket(family, kind, protocol)
    try:
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, address)
    except BaseException:
        connected.close()
        raise
    return connected


async def resolve(host: str, port: int) -> list[Info]:
    """Return the addresses of a host, at least one; raises `OSError`."""
    try:  # an address needs no thread
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _interleaved(infos: Sequence[Info]) -> list[Info]:
    """Let address families take turns, beginning with the one the system prefers."""
    first = [info for info in infos if info[0] == infos[0][0]]
    others = [info for info in infos if info[0] != infos[0][0]]
    return [info for pair in zip_longest(first, others) for info in pair if info is not None]
