"""A gateway before Cohere, played by a server of the test's own."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import openai
import pytest_asyncio

from gomodel_proxy.api import Query
from gomodel_proxy.testing.lines import LineServer
from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.lines import Asked, Line

KEY = "cohere-canary-0123456789"
MODELS = [
    "command-r7b-12-2024",
    "command-r-08-2024",
    "command-a-reasoning-08-2025",
    "embed-v4.0",
    "embed-english-v3.0",
    "nonexistent",
]


class Setup:
    """``url`` is the gateway's; `answer` says what the vendor answers from now on."""

    def __init__(self, gateway: Served, server: LineServer) -> None:
        self.url = gateway.url
        self._gateway = gateway
        self._server = server

    def answer(
        self, body: bytes | str, *, status: int = 200, piece: int = 0, cut: bool = False
    ) -> None:
        """Answer with a body, in pieces of ``piece`` bytes; ``cut`` leaves before its end."""
        data = body.encode() if isinstance(body, str) else body
        kind = "text/event-stream" if data.startswith(b"event:") else "application/json"
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        pieces = [data[n : n + piece] for n in range(0, len(data), piece)] if piece else [data]

        async def reply(line: Line, asked: Asked) -> None:
            chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces if one]
            await line.send(head.encode(), *chunks, *(() if cut else (b"0\r\n\r\n",)))
            if cut:
                line.close()

        self._server.answer = reply

    @property
    def asked(self) -> Asked:
        """The last request that the vendor got."""
        return self._server.asked[-1]

    @property
    def sent(self) -> Any:
        """Its body."""
        return json.loads(self.asked.body)

    @property
    def count(self) -> int:
        """How many requests the vendor got."""
        return len(self._server.asked)

    async def row(self) -> dict[str, Any]:
        """Return the ledger's newest row."""
        await self._gateway.gateway.generation.books.flush()
        store = self._gateway.gateway.generation.store
        assert store is not None
        assert store.ledger is not None
        (row,) = await store.ledger.log(Query(limit=1))
        return dict(row)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    """One account at Cohere, called ``co``."""

    async def nothing(line: Line, asked: Asked) -> None:
        raise AssertionError(asked)

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LineServer(nothing))
        account = {
            "type": "cohere",
            "api_key": KEY,
            "base_url": f"{server.url}/v2",
            "models": MODELS,
            "models_mode": "allowlist",
        }
        config = {"upstream": {"retries": 0}, "providers": {"co": account}}
        folder = tmp_path_factory.mktemp("gateway")
        gateway = await stack.enter_async_context(Served(config, folder))
        yield Setup(gateway, server)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(setup: Setup) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's SDK, before the gateway."""
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=0) as client:
        yield client
