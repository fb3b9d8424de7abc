"""A gateway between Anthropic's callers and two vendors, played by one server of the test's own."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from gomodel_proxy.testing.lines import LineServer
from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gomodel_proxy.testing.lines import Asked, Line

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
KEY = "sk-ant-canary-0123456789"


class Setup:
    """``url`` is the gateway's; `answer` says what the vendors answer from now on."""

    def __init__(self, url: str, server: LineServer, gateway: Served) -> None:
        self.url = url
        self.gateway = gateway
        self._server = server

    def answer(
        self,
        body: bytes | str,
        *,
        status: int = 200,
        piece: int = 0,
        cut: bool = False,
        **head: str,
    ) -> None:
        """Answer with a body, in pieces of ``piece`` bytes; ``cut`` leaves before its end."""
        data = body.encode() if isinstance(body, str) else body
        streamed = data.startswith((b"event:", b"data:"))
        kind = "text/event-stream" if streamed else "application/json"
        lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
        pieces = [data[n : n + piece] for n in range(0, len(data), piece)] if piece else [data]

        async def reply(line: Line, asked: Asked) -> None:
            start = "\r\n".join([*lines, "transfer-encoding: chunked", "", ""]).encode()
            chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces if one]
            await line.send(start, *chunks, *(() if cut else (b"0\r\n\r\n",)))
            if cut:
                line.close()

        self._server.answer = reply

    @property
    def asked(self) -> Asked:
        """The last request that a vendor got."""
        return self._server.asked[-1]

    @property
    def sent(self) -> Any:
        """Its body."""
        return json.loads(self.asked.body)

    @property
    def count(self) -> int:
        """How many requests the vendors got."""
        return len(self._server.asked)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    """Accounts: ``claude`` at Anthropic, ``other`` at a vendor of OpenAI's dialects."""

    async def nothing(line: Line, asked: Asked) -> None:
        raise AssertionError(asked)

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LineServer(nothing))
        providers: dict[str, Any] = {
            "claude": {
                "type": "anthropic",
                "api_key": KEY,
                "base_url": f"{server.url}/v1",
                "beta": ["always-2026-01-01"],
                "models": ["claude-sonnet-4-5", "claude-opus-5"],
                "models_mode": "allowlist",
            },
            "other": {
                "type": "openai_compatible",
                "api_key": "sk-other-canary",
                "base_url": f"{server.url}/v1",
                "models": ["gpt-x"],
                "models_mode": "allowlist",
            },
        }
        config = {"upstream": {"retries": 0}, "providers": providers}
        folder = tmp_path_factory.mktemp("gateway")
        gateway = await stack.enter_async_context(Served(config, folder))
        yield Setup(gateway.url, server, gateway)


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Any]:
    """Return a function that reads one recording by its file's name."""

    def read(file: str) -> Any:
        return json.loads((RECORDED / file).read_text(encoding="utf-8"))

    return read
