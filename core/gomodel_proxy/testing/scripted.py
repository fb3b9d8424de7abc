"""An upstream whose every byte the test sends itself, and receivers that remember."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Exchange, Headers, UpstreamError

__all__ = ["Clumsy", "Heard", "Leaving", "Peer", "Upstream"]

_PATIENCE: Final = 10.0  # seconds; only what is broken takes that long


class Heard:
    """An `api.Receiver` that remembers, and complains about whatever comes after the end."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.body = bytearray()
        self.framed: bool | None = None
        self.error: UpstreamError | None = None
        self.calls: list[str] = []
        self._changed = asyncio.Event()

    def head(self, status: int, headers: Headers) -> None:
        """Remember the head."""
        self.status, self.headers = status, headers
        self._note("head")

    def data(self, data: bytes) -> None:
        """Remember a piece of the body."""
        self.body += data
        self._note("data")

    def end(self, framed: bool) -> None:
        """Remember the end."""
        self.framed = framed
        self._note("end")

    def failed(self, error: UpstreamError) -> None:
        """Remember the failure."""
        self.error = error
        self._note("failed")

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for something to be true; it is looked at after every call."""
        async with asyncio.timeout(_PATIENCE):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    async def over(self) -> None:
        """Wait for the last call."""
        await self.until(lambda: self.calls[-1:] in (["end"], ["failed"]))

    async def failure(self) -> UpstreamError:
        """Wait for the last call, which must be `failed`, and return its error."""
        await self.over()
        assert self.error is not None, "the exchange should have failed"
        return self.error

    def _note(self, call: str) -> None:
        assert not {"end", "failed"} & set(self.calls), f"{call} after the end"
        self.calls.append(call)
        self._changed.set()


class Clumsy(Heard):
    """A receiver that raises in the method it is made with."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def _note(self, call: str) -> None:
        super()._note(call)
        if call == self._method:
            raise OSError("clumsy")


class Leaving(Heard):
    """A receiver that closes its ``exchange`` in the method it is made with."""

    exchange: Exchange

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def _note(self, call: str) -> None:
        super()._note(call)
        if call == self._method:
            self.exchange.close()


class Peer:
    """The upstream's end of one connection."""

    def __init__(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self._socket = accepted
        self._unread = b""

    async def request(self) -> bytes:
        """Return the next request, head and body; raises `ConnectionError` if there is none."""
        while b"\r\n\r\n" not in self._unread:
            self._unread += await self.read()
        head, blank, body = self._unread.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0
        whole = bytearray(body)
        while len(whole) < size:
            whole += await self.read()
        self._unread = bytes(whole[size:])
        return head + blank + whole[:size]

    async def read(self) -> bytes:
        """Return what comes next; raises `ConnectionError` at the end."""
        async with asyncio.timeout(_PATIENCE):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 16)
        if not data:
            raise ConnectionError("the other side has closed the connection")
        return data

    async def send(self, data: bytes) -> None:
        """Send exactly these bytes."""
        async with asyncio.timeout(_PATIENCE):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def gone(self) -> None:
        """Wait until the other side has closed the connection."""
        try:
            while True:
                await self.read()
        except ConnectionError:
            return

    def close(self) -> None:
        """Close in good order, if everything that came was read."""
        self._socket.close()

    def reset(self) -> None:
        """Close with RST, as after a crash."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class Upstream:
    """A listening socket on loopback; nothing happens on it unless the test says so."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._socket.setblocking(False)
        self._peers: list[Peer] = []
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat"

    async def accept(self) -> Peer:
        """Return the next connection."""
        async with asyncio.timeout(_PATIENCE):
            accepted, _ = await asyncio.get_running_loop().sock_accept(self._socket)
        self._peers.append(Peer(accepted))
        return self._peers[-1]

    async def answer(self, reply: bytes) -> Peer:
        """Accept a connection, read a request, answer it."""
        peer = await self.accept()
        await peer.request()
        await peer.send(reply)
        return peer

    def is_called(self) -> bool:
        """Whether there has been one more connection, which is then closed."""
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Close everything."""
        for peer in self._peers:
            peer.close()
        self._socket.close()
