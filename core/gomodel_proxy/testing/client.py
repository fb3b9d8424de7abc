"""A client that checks HTTP's framing to the byte, and can leave at any moment."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any, NamedTuple, Self, cast

__all__ = ["Client", "Reply", "post"]

_PATIENCE = 30.0  # seconds; only what is broken takes that long


class Reply(NamedTuple):
    """One whole answer; ``chunks`` are the pieces its body came in."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: tuple[bytes, ...]

    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.body)


def post(path: str, body: Any, *lines: str) -> bytes:
    """Return a POST of JSON, with further header lines."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [
        f"POST {path} HTTP/1.1",
        "Host: test",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


class Client(asyncio.Protocol):
    """One connection. `ask` for whole replies, or `send`, look at ``heard``, and leave.

    ``left`` has the loop's time when the connection ended.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = cast("asyncio.Transport", None)
        self._waiting: asyncio.Future[None] | None = None
        self.heard = bytearray()
        self.left: asyncio.Future[float] = self._loop.create_future()

    @classmethod
    async def to(cls, port: int, *, room: int | None = None) -> Self:
        """Connect to a port of this machine.

        With ``room`` it reads nothing before `read_on`, and its system keeps that many bytes.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        if room is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        _, client = await loop.create_connection(cls, sock=sock)
        if room is not None:
            client.stop_reading()
        return client

    async def ask(self, message: bytes) -> Reply:
        """Send a request and return its whole answer; raises ConnectionError if it is cut."""
        assert not self.heard, "bytes that no request asked for"
        self.send(message)
        return await self.reply()

    async def reply(self) -> Reply:
        """Return the next whole answer."""
        found = _reply(self.heard)
        while found is None:
            await self.more()
            found = _reply(self.heard)
        reply, size = found
        del self.heard[:size]
        return reply

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    async def more(self) -> None:
        """Wait until something comes; raises ConnectionError if nothing will."""
        if self.left.done():
            raise ConnectionError(f"closed after {bytes(self.heard)!r}")
        waiting = self._waiting = self._loop.create_future()
        timer = self._loop.call_later(_PATIENCE, _late, waiting)
        try:
            await waiting
        finally:
            timer.cancel()

    async def until(self, words: bytes) -> None:
        """Wait until these bytes have come."""
        while words not in self.heard:
            await self.more()

    def stop_reading(self) -> None:
        """Take nothing more."""
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Take what comes again."""
        self._transport.resume_reading()

    def leave(self) -> float:
        """Close the connection now; return the loop's time."""
        self._transport.abort()
        return self._loop.time()

    def finish(self) -> float:
        """Say goodbye in good order, as a client that closes its socket does."""
        self._transport.close()
        return self._loop.time()

    def half_close(self) -> float:
        """Say that nothing more will be sent; return the loop's time."""
        self._transport.write_eof()
        return self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what comes."""
        self.heard += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.left.set_result(self._loop.time())
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


def _late(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError(f"nothing came for {_PATIENCE:g} s"))


def _reply(data: bytearray) -> tuple[Reply, int] | None:
    """Return the answer at the beginning and its length, None while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    line, *fields = data[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    status = int(line.split(" ")[1])
    if headers.get("transfer-encoding") != "chunked":
        size = end + 4 + int(headers["content-length"])
        if len(data) < size:
            return None
        body = bytes(data[end + 4 : size])
        return Reply(status, headers, body, (body,)), size
    if not data.endswith(b"0\r\n\r\n"):
        return None
    chunks, size = _chunks(data, end + 4)
    return None if size < 0 else (Reply(status, headers, b"".join(chunks), tuple(chunks)), size)


def _chunks(data: bytearray, at: int) -> tuple[list[bytes], int]:
    """Undo chunked coding, strictly; return the place behind it, -1 while it is not whole."""
    chunks: list[bytes] = []
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            break
        assert data[at - 2 : at] == b"\r\n", "a chunk is longer than it says"
        if size == 0:
            return chunks, at
        chunks.append(bytes(data[at - 2 - size : at - 2]))
    return chunks, -1
