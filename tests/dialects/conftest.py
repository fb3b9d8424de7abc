"""A gateway before six vendors, one of each dialect, all played by one server of the test's own."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest_asyncio

from gomodel_proxy.testing.lines import LineServer
from gomodel_proxy.testing.served import Served

from .recorded import ACCOUNTS, RECORDED, files, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.lines import Asked, Line

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BASES = {
    "claude": ("anthropic", "/v1", {}),
    "aws": ("bedrock", "", {}),
    "co": ("cohere", "/v2", {}),
    "google": ("gemini", "/v1beta", {}),
    "chat": ("openai_compatible", "/v1", {"speaks": ["openai.chat"]}),
    "resp": ("openai_compatible", "/v1", {"speaks": ["openai.responses"]}),
}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not RECORDED.is_dir():
        terminalreporter.write_sep("!", f"NOT RUN: recorded vendor traffic, no {RECORDED}")


class Setup:
    """`answer` says what the vendors answer from now on; ``sent`` is what they were asked last."""

    def __init__(self, url: str, server: LineServer) -> None:
        self.url = url
        self.server = server
        self.openai = openai.AsyncOpenAI(
            base_url=f"{url}/v1", api_key="any", max_retries=0, _strict_response_validation=True
        )
        self.anthropic = anthropic.AsyncAnthropic(
            base_url=url, api_key="any", max_retries=0, _strict_response_validation=True
        )

    def answer(
        self, data: bytes, content_type: str, *, piece: int = 0, cut: int | None = None
    ) -> None:
        """Answer in pieces of ``piece`` bytes, and leave before byte ``cut``."""
        head = f"HTTP/1.1 200 X\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n"
        data = data[:cut]
        size = piece or max(1, len(data))
        pieces = [data[at : at + size] for at in range(0, len(data), size)]

        async def reply(line: Line, asked: Asked) -> None:
            chunks = [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces]
            end = () if cut is not None else (b"0\r\n\r\n",)
            await line.send(f"{head}\r\n".encode(), *chunks, *end)
            if cut is not None:
                line.close()

        self.server.answer = reply

    @property
    def sent(self) -> Any:
        return json.loads(self.server.asked[-1].body)

    @property
    def count(self) -> int:
        return len(self.server.asked)


def models() -> dict[str, list[str]]:
    """Return the recorded models of each account, and some that are always there."""
    found = {account: {"any"} for account in ACCOUNTS.values()}
    found["aws"].add(CLAUDE)
    for dialect, account in ACCOUNTS.items():
        found[account] |= {load(file)["model"] for file in files(dialect)}
    return {account: sorted(names) for account, names in found.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async def nothing(line: Line, asked: Asked) -> None:
        raise AssertionError(asked)

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LineServer(nothing))
        offered = models()
        providers: dict[str, Any] = {
            name: {
                "type": kind,
                "base_url": server.url + path,
                "api_key": "canary-0123456789",
                "models": offered[name],
                "models_mode": "allowlist",
                **more,
            }
            for name, (kind, path, more) in BASES.items()
        }
        config = {"upstream": {"retries": 0}, "providers": providers}
        folder = tmp_path_factory.mktemp("gateway")
        gateway = await stack.enter_async_context(Served(config, folder))
        setup = Setup(gateway.url, server)
        stack.push_async_callback(setup.openai.close)
        stack.push_async_callback(setup.anthropic.close)
        yield setup
