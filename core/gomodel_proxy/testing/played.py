"""A gateway before vendors that are played by one server, which answers as the test says."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .lines import LineServer
from .served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from .lines import Asked, Line

__all__ = ["Played", "played"]


class Played:
    """``url`` is the gateway's; `answer` says what the vendors answer from now on."""

    def __init__(self, gateway: Served, server: LineServer) -> None:
        self.gateway = gateway
        self.server = server
        self.url = gateway.url

    def answer(
        self,
        body: bytes | str,
        content_type: str | None = None,
        *,
        status: int = 200,
        piece: int = 0,
        cut: bool = False,
        **head: str,
    ) -> None:
        """Answer with a body, in pieces of ``piece`` bytes; ``cut`` leaves before its end.

        ``head`` are further headers, ``retry_after="7"``.
        """
        data = body.encode() if isinstance(body, str) else body
        if content_type is None:
            streamed = data.startswith((b"event:", b"data:"))
            content_type = "text/event-stream" if streamed else "application/json"
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
        start = "\r\n".join([*lines, "transfer-encoding: chunked", "", ""]).encode()
        size = piece or max(1, len(data))
        pieces = [data[at : at + size] for at in range(0, len(data), size)]

        async def reply(line: Line, asked: Asked) -> None:
            chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces]
            await line.send(start, *chunks, *(() if cut else (b"0\r\n\r\n",)))
            if cut:
                line.close()

        self.server.answer = reply

    @property
    def asked(self) -> Asked:
        """The last request that a vendor got."""
        return self.server.asked[-1]

    @property
    def target(self) -> str:
        """Its path and query."""
        return self.asked.head.split(b" ")[1].decode()

    @property
    def sent(self) -> Any:
        """Its body."""
        return json.loads(self.asked.body)

    @property
    def count(self) -> int:
        """How many requests the vendors got."""
        return len(self.server.asked)


@asynccontextmanager
async def played(
    providers: Callable[[str], dict[str, dict[str, Any]]],
    folder: Path,
    config: Mapping[str, Any] = MappingProxyType({}),
    **more: Any,
) -> AsyncIterator[Played]:
    """Serve a gateway whose files are in ``folder``.

    ``providers`` takes the address of the server that plays them and returns their tables;
    ``config`` has further tables, ``more`` is the `Gateway`'s. Whatever a vendor is asked before
    the test's first `Played.answer` makes leaving raise.
    """

    async def nothing(line: Line, asked: Asked) -> None:
        raise AssertionError(asked)

    async with LineServer(nothing) as server:
        tables = {"upstream": {"retries": 0}, "providers": providers(server.url), **config}
        async with Served(tables, folder, **more) as gateway:
            yield Played(gateway, server)
