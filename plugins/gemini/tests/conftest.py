"""A gateway between callers and two vendors, which are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

from gomodel_proxy.testing.played import played

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.played import Played

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


def accounts(url: str) -> dict[str, dict[str, Any]]:
    """Return ``google`` at the vendor, ``other`` at one of OpenAI's dialects."""
    return {
        "google": {
            "type": "gemini",
            "api_key": KEY,
            "base_url": f"{url}/v1beta",
            "models": MODELS,
            "models_mode": "allowlist",
        },
        "other": {
            "type": "openai_compatible",
            "api_key": "sk-other-canary",
            "base_url": f"{url}/v1",
            "models": ["gpt-x", "vendor/gpt-x"],
            "models_mode": "allowlist",
        },
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """The gateway and the vendors."""
    folder = tmp_path_factory.mktemp("gateway")
    async with played(accounts, folder, {"auth": {"master_key": MASTER}}) as setup:
        yield setup
