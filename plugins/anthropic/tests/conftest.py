"""A gateway between Anthropic's callers and two vendors, which are played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from gomodel_proxy.testing.played import played

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gomodel_proxy.testing.played import Played

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
KEY = "sk-ant-canary-0123456789"


def accounts(url: str) -> dict[str, dict[str, Any]]:
    """Return ``claude`` at Anthropic, ``other`` at a vendor of OpenAI's dialects."""
    return {
        "claude": {
            "type": "anthropic",
            "api_key": KEY,
            "base_url": f"{url}/v1",
            "beta": ["always-2026-01-01"],
            "models": ["claude-sonnet-4-5", "claude-opus-5"],
            "models_mode": "allowlist",
        },
        "other": {
            "type": "openai_compatible",
            "api_key": "sk-other-canary",
            "base_url": f"{url}/v1",
            "models": ["gpt-x"],
            "models_mode": "allowlist",
        },
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """The gateway and the vendors."""
    async with played(accounts, tmp_path_factory.mktemp("gateway")) as setup:
        yield setup


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Any]:
    """Return a function that reads one recording by its file's name."""

    def read(file: str) -> Any:
        return json.loads((RECORDED / file).read_text(encoding="utf-8"))

    return read
