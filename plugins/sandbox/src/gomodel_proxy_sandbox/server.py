"""The server: the sandbox over TCP, able to break every rule of HTTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from . import http1, replies
from .faults import parse
from .journal import Journal
from .packing import Packing
from .player import Player
from .sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .journal import Entry
    from .replies import Reply, Request

__all__ = ["Server", "serving"]

_PIPELINED: Final = 64 * 1024


class Server:
    """What the connections of one server share."""

    def __init__(self, *, faults: str = "", record: str | None = None) -> None:
        self.refusing = parse(faults).refuse
        self.sandbox = Sandbox(faults)
        self.journal = Journal(record)
        self.connections: set[_Connection] = set()
        self.accepted = 0
        self.address = ("", 0)

    def control(self, request: Request) -> Reply:
        """Answer a request to ``/_sandbox/``."""
        match request.method, request.path:
            case "GET", "/_sandbox/log":
                return replies.json({"requests": self.journal.entries})
            case "GET", "/_sandbox/stats":
                return replies.json(self._stats())
            case "POST", "/_sandbox/reset":
                self.sandbox.reset()
                self.journal.reset()
                return replies.json({})
            case _:
                return self.sandbox.answer(request)

    def _stats(self) -> dict[str, Any]:
        return {
            "open_connections": len(self.connections),
            "connections": self.accepted,
            "in_flight": sum(connection.busy for connection in self.connections),
            **self.journal.totals,
        }


class _Connection(asyncio.Protocol):
    """One connection: its requests one after the other."""

    _transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._requests = http1.Requests()
        self._entry: Entry | None = None
        self._answering = False
        self._timer: asyncio.Handle | None = None
        self._player: Player | None = None
        self._full = False

    @property
    def busy(self) -> bool:
        """Whether a request that counts is under way."""
        return self._entry is not None

    # ---------------------------------------------------------------- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  TCP gives no other
        self._transport = transport
        self._server.accepted += 1
        self._server.connections.add(self)
        if self._server.refusing:
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._player is not None:
            self._player.stop()
        self._finish("disconnected", None)

    def pause_writing(self) -> None:
        self._full = True
        if self._player is not None:
            self._player.pause()

    def resume_writing(self) -> None:
        self._full = False
        if self._player is not None:
            self._player.resume()

    def data_received(self, data: bytes) -> None:
        self._requests.feed(data)
        if self._answering and self._requests.pending > _PIPELINED:
            self._transport.abort()
        self._next()

    def abort(self) -> None:
        """Drop the connection now."""
        self._transport.abort()

    # ---------------------------------------------------------------- one request

    def _next(self) -> None:
        if self._answering or self._transport.is_closing():
            return
        try:
            received = self._requests.take()
        except http1.Broken as problem:
            self._transport.write(http1.head(400, [("connection", "close")]))
            self._transport.write(f"{problem}\n".encode())
            self._transport.close()
            return
        if received is not None:
            self._answering = True
            self._respond(received)
        elif self._requests.expecting:
            self._transport.write(http1.CONTINUE)

    def _respond(self, received: http1.Received) -> None:
        request = received.request
        if not request.path.startswith("/v1/"):
            reply = self._server.control(request)
        else:
            self._entry = self._server.journal.accept(request)
            reply = self._server.sandbox.answer(request)
        faults = reply.faults
        if faults.hang:
            return
        if faults.refuse or faults.garbage:
            self._transport.write(b"\x16\x03\x01 not HTTP\r\n\r\n" if faults.garbage else b"")
            self._finish("answered", None)
            self._transport.close()
        elif faults.first and not reply.streamed:  # a whole reply is slow from its head on
            self._timer = self._loop.call_later(faults.first, self._send, received, reply)
        else:
            self._send(received, reply)

    def _send(self, received: http1.Received, reply: Reply) -> None:
        packing = Packing(reply, keep_alive=received.keep_alive)
        if packing.at_once:
            self._close(packing, reply, packing.start() + packing.body())
            return
        self._transport.write(packing.start())
        self._player = Player(
            self._loop, packing, self._transport.write, lambda: self._close(packing, reply, b"")
        )
        if self._full:
            self._player.pause()

    def _close(self, packing: Packing, reply: Reply, last: bytes) -> None:
        # Entered before it is written: who has read the reply finds it in the journal.
        self._finish("answered", reply.usage if packing.complete else None)
        self._transport.write(last + packing.end())
        self._player = None
        self._answering = False
        if packing.closing:
            self._transport.close()
        elif self._requests.pending:
            self._loop.call_soon(self._next)

    def _finish(self, state: Any, usage: dict[str, Any] | None) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            self._server.journal.finish(entry, state, usage)


@asynccontextmanager
async def serving(
    *, host: str = "127.0.0.1", port: int = 0, faults: str = "", record: str | None = None
) -> AsyncIterator[Server]:
    """Serve until left, then stop at once. Port 0 takes a free one; see ``address``."""
    server = Server(faults=faults, record=record)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), host, port, backlog=2048)
    server.address = listening.sockets[0].getsockname()[:2]
    try:
        yield server
    finally:
        listening.close()
        for connection in list(server.connections):
            connection.abort()
        await asyncio.sleep(0)  # their connection_lost runs in the next turn
        server.journal.close()
