"""An upstream whose every byte the test sends itself, and a receiver that remembers."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Exchange, Headers, UpstreamError

PATIENCE = 10.0  # seconds; nothing waits that long unless it is broken

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Heard:
    """A receiver that remembers, and complains about whatever comes after the end."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.body = bytearray()
        self.size = 0
        self.framed: bool | None = None
        self.error: UpstreamError | None = None
        self.calls: list[str] = []
        self._changed = asyncio.Event()

    def head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self._note("head")

    def data(self, data: bytes) -> None:
        self.body += data
        self._note("data")

    def end(self, framed: bool) -> None:
        self.framed = framed
        self._note("end")

    def failed(self, error: UpstreamError) -> None:
        self.error = error
        self._note("failed")

    def _note(self, call: str) -> None:
        assert not {"end", "failed"} & set(self.calls)
        self.calls.append(call)
        self._changed.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    async def over(self) -> Heard:
        await self.until(lambda: "end" in self.calls or "failed" in self.calls)
        return self

    async def failure(self) -> UpstreamError:
        await self.over()
        assert self.error is not None
        return self.error


class Upstream:
    """A listening socket."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat"
        self.peers: list[Peer] = []

    async def accept(self) -> Peer:
        async with asyncio.timeout(PATIENCE):
            accepted, _ = await asyncio.get_running_loop().sock_accept(self._socket)
        peer = Peer(accepted)
        self.peers.append(peer)
        return peer

    async def answer(self, reply: bytes, *, close: bool = False) -> Peer:
        """Accept, read a request, answer it."""
        peer = await self.accept()
        await peer.request()
        await peer.send(reply)
        if close:
            peer.close()
        return peer

    def has_caller(self) -> bool:
        """Whether somebody waits to be accepted."""
        try:
            accepted, _ = self._socket.accept()
        except BlockingIOError:
            return False
        accepted.close()
        return True

    def close(self) -> None:
        self._socket.close()
        for peer in self.peers:
            peer.close()


class Peer:
    """The upstream's end of a connection."""

    def __init__(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self._socket = accepted
        self._read = b""

    async def request(self) -> bytes:
        """Return the next request, head and body."""
        while b"\r\n\r\n" not in self._read:
            await self._more()
        head, _, rest = self._read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0
        while len(rest) < size:
            await self._more()
            rest = self._read[len(head) + 4 :]
        self._read = rest[size:]
        return head + b"\r\n\r\n" + rest[:size]

    async def _more(self) -> None:
        async with asyncio.timeout(PATIENCE):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 20)
        if not data:
            raise ConnectionError("the gateway has closed the connection")
        self._read += data

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def pour(self, data: bytes) -> int:
        """Send until it is all gone or nobody takes any more; return how much went."""
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(data[sent : sent + 65536])
            except BlockingIOError:
                before = sent
                for _ in range(20):  # let the other side read, if it wants to
                    await asyncio.sleep(0)
                try:
                    sent += self._socket.send(data[sent : sent + 65536])
                except BlockingIOError:
                    if sent == before:
                        return sent
        return sent

    async def gone(self) -> None:
        """Wait until the gateway has closed the connection."""
        try:
            while True:
                await self._more()
        except ConnectionError:
            return

    def close(self) -> None:
        self._socket.close()

    def reset(self) -> None:
        """Close with RST, as a crash or a load balancer does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class Clumsy(Heard):
    """A receiver that raises in one of its methods."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def _note(self, call: str) -> None:
        super()._note(call)
        if call == self._method:
            raise ValueError("clumsy")


class Closing(Heard):
    """A receiver that closes its exchange in one of its methods."""

    exchange: Exchange

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def _note(self, call: str) -> None:
        super()._note(call)
        if call == self._method:
            self.exchange.close()
