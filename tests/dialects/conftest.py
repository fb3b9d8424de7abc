"""A gateway before six vendors, one of each dialect, all played by one server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest_asyncio

from gomodel_proxy.testing.played import Played, played

from .recorded import ACCOUNTS, RECORDED, files, load
from .unplugged import unplug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.lines import LineServer
    from gomodel_proxy.testing.served import Served

    from .unplugged import Unplugged

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


class Setup(Played):
    """A gateway before every vendor, and two vendors' SDKs before it."""

    def __init__(self, gateway: Served, server: LineServer) -> None:
        super().__init__(gateway, server)
        self.openai = openai.AsyncOpenAI(
            base_url=f"{self.url}/v1",
            api_key="any",
            max_retries=0,
            _strict_response_validation=True,
        )
        self.anthropic = anthropic.AsyncAnthropic(
            base_url=self.url, api_key="any", max_retries=0, _strict_response_validation=True
        )


def models() -> dict[str, list[str]]:
    """Return the recorded models of each account, and some that are always there."""
    found = {account: {"any"} for account in ACCOUNTS.values()}
    found["aws"].add(CLAUDE)
    for dialect, account in ACCOUNTS.items():
        found[account] |= {load(file)["model"] for file in files(dialect)}
    return {account: sorted(names) for account, names in found.items()}


def accounts(url: str) -> dict[str, dict[str, Any]]:
    """Return an account at each vendor."""
    offered = models()
    return {
        name: {
            "type": kind,
            "base_url": url + path,
            "api_key": "canary-0123456789",
            "models": offered[name],
            "models_mode": "allowlist",
            **more,
        }
        for name, (kind, path, more) in BASES.items()
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async with played(accounts, tmp_path_factory.mktemp("gateway")) as one:
        setup = Setup(one.gateway, one.server)
        async with setup.openai, setup.anthropic:
            yield setup


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unplugged() -> AsyncIterator[Unplugged]:
    async with unplug(accounts("http://127.0.0.1:9")) as one:
        yield one
