"""A gateway between callers and two vendors, played by one server of the test's own."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from gomodel_proxy.testing.lines import LineServer
from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.lines import Asked, Line

KEY = "AIza-canary-0123456789"
MASTER = "sk-gateway-canary"
MODELS = [
    "gemini-1.5-flash",
    "gemini-2.0-flash",
    "gemini-2.0-flash-exp",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-3-pro-preview",
    "gemini-3-flash-preview",
    "gemini-embedding-001",
    "gemini-embedding-2",
]


class Setup:
    """``url`` is the gateway's; `answer` says what the vendors answer from now on."""

    def __init__(self, url: str, server: LineServer, gateway: Served) -> None:
        self.url = url
        self.gateway = gateway
        self.server = server

    def answer(
        self, body: bytes | str, *, status: int = 200, piece: int = 0, cut: bool = False
    ) -> None:
        """Answer with a body, in pieces of ``piece`` bytes; ``cut`` leaves before its end."""
        data = body.encode() if isinstance(body, str) else body
        kind = "text/event-stream" if data.startswith(b"data:") else "application/json"
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        pieces = [data[n : n + piece] for n in range(0, len(data), piece)] if piece else [data]

        async def reply(line: Line, asked: Asked) -> None:
            chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces if one]
            await line.send(head.encode(), *chunks, *(() if cut else (b"0\r\n\r\n",)))
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    """Accounts: ``google`` at the vendor, ``other`` at one of OpenAI's dialects."""

    async def nothing(line: Line, asked: Asked) -> None:
        raise AssertionError(asked)

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LineServer(nothing))
        providers: dict[str, Any] = {
            "google": {
                "type": "gemini",
                "api_key": KEY,
                "base_url": f"{server.url}/v1beta",
                "models": MODELS,
                "models_mode": "allowlist",
            },
            "other": {
                "type": "openai_compatible",
                "api_key": "sk-other-canary",
                "base_url": f"{server.url}/v1",
                "models": ["gpt-x", "vendor/gpt-x"],
                "models_mode": "allowlist",
            },
        }
        config = {
            "upstream": {"retries": 0},
            "auth": {"master_key": MASTER},
            "providers": providers,
        }
        folder = tmp_path_factory.mktemp("gateway")
        gateway = await stack.enter_async_context(Served(config, folder))
        yield Setup(gateway.url, server, gateway)
