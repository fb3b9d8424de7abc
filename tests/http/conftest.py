"""Raw clients: what a browser would never send, sent byte by byte."""

from __future__ import annotations

import asyncio
import json
from typing import Any

SANDBOX = {"providers": {"sandbox": {"type": "sandbox"}}}
BODY = json.dumps(
    {"model": "sandbox-echo", "messages": [{"role": "user", "content": "Hello"}]}
).encode()


def request(
    path: str = "/v1/chat/completions", body: bytes = BODY, *lines: str, method: str = "POST"
) -> bytes:
    """Return a request of the fast lane's shape, with further header lines."""
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: test",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Client:
    """One connection; `send` bytes, `reply` reads one whole answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.close()

    async def send(self, data: bytes, size: int | None = None) -> None:
        for start in range(0, len(data), size or len(data) or 1):
            self.writer.write(data[start : start + (size or len(data))])
            await self.writer.drain()
            if size:
                await asyncio.sleep(0)

    async def reply(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in head[1:])
            }
            body = b""
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readline(), 16):
                    body += (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readline()
            else:
                body = await self.reader.readexactly(int(headers["content-length"]))
            return int(head[0].split()[1]), headers, body

    async def error(self) -> tuple[int, dict[str, Any]]:
        """Read an answer that must be an OpenAI error envelope."""
        status, headers, body = await self.reply()
        assert headers["content-type"].startswith("application/json")
        assert headers["x-request-id"]
        envelope = json.loads(body)
        assert set(envelope) == {"error"}
        assert set(envelope["error"]) == {"message", "type", "param", "code"}
        return status, envelope["error"]

    async def closed(self) -> bool:
        """Whether the server closes the connection, without a further byte."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True
