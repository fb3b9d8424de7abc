"""An HTTP server on loopback whose every byte, pause and goodbye a test's coroutine decides."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Asked", "Line", "LineServer"]

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Asked(NamedTuple):
    """One request as it came; ``at`` is the loop's time."""

    head: bytes
    body: bytes
    at: float

    def header(self, name: str) -> str | None:
        """Return a header's value, None if it is not there."""
        found = re.search(rf"(?im)^{re.escape(name)}: *(.*?)\r?$", self.head.decode("latin-1"))
        return None if found is None else found[1]


class Line(asyncio.Protocol):
    """The server's end of one connection. ``left`` has the loop's time when it ended."""

    def __init__(self, server: LineServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport = cast("asyncio.Transport", None)
        self._unread = b""
        self._answering: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.left: asyncio.Future[float] = self._loop.create_future()

    async def send(self, *pieces: bytes) -> None:
        """Send each piece so that the other side, in the same loop, reads it by itself."""
        for piece in pieces:
            self._transport.write(piece)
            # Bytes on loopback are there at once: they are read in the turn after this one.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def flood(self, data: bytes) -> None:
        """Send, and wait for as long as the other side takes no more."""
        await self._writable.wait()
        self._transport.write(data)

    def is_full(self) -> bool:
        """Whether the other side takes no more."""
        return not self._writable.is_set()

    def is_answered(self) -> bool:
        """Whether the last answer has been given."""
        return self._answering is not None and self._answering.done()

    def close(self) -> None:
        """Close in good order once everything has been sent."""
        self._transport.close()

    def reset(self) -> None:
        """Close at once, as a crash would."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.lines.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note when the other side left; an answer under way is of no more use."""
        self._server.lines.discard(self)
        self._writable.set()
        if not self.left.done():
            self.left.set_result(self._loop.time())
        if self._answering is not None:
            self._answering.cancel()

    def pause_writing(self) -> None:
        """Note that the other side takes no more."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._unread += data
        head, blank, rest = self._unread.partition(b"\r\n\r\n")
        if not blank:
            return
        found = _LENGTH.search(head)
        size = int(found[1]) if found else 0
        if len(rest) < size:
            return
        self._unread = rest[size:]
        asked = Asked(head, rest[:size], self._loop.time())
        self._server.asked.append(asked)
        self._answering = self._loop.create_task(self._server.answer(self, asked))
        self._answering.add_done_callback(self._server.answered)


class LineServer:
    """Answers every request with ``answer(line, asked)``; use it with ``async with``.

    ``asked`` lists the requests, ``lines`` holds the open connections. An answer that raises makes
    leaving raise. With ``room`` the system keeps only that many bytes which nobody has read.
    """

    def __init__(
        self,
        answer: Callable[[Line, Asked], Coroutine[Any, Any, None]],
        *,
        room: int | None = None,
    ) -> None:
        self.answer = answer
        self._room = room
        self.asked: list[Asked] = []
        self.lines: set[Line] = set()
        self.faults: list[BaseException] = []
        self._server: asyncio.Server | None = None

    def answered(self, task: asyncio.Task[None]) -> None:
        """Keep what went wrong in an answer."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.faults.append(error)

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
        if self._room is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._room)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self), sock=sock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        open_lines = list(self.lines)
        for line in open_lines:
            line.reset()
        await asyncio.gather(*(line.left for line in open_lines))
        if exc[0] is None and self.faults:
            raise self.faults[0]
