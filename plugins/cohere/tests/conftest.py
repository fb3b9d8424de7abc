"""A gateway before Cohere, which is played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest_asyncio

from gomodel_proxy.testing.played import played

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.played import Played

KEY = "cohere-canary-0123456789"
MODELS = [
    "command-r7b-12-2024",
    "command-r-08-2024",
    "command-a-reasoning-08-2025",
    "embed-v4.0",
    "embed-english-v3.0",
    "nonexistent",
]


def accounts(url: str) -> dict[str, dict[str, Any]]:
    """Return one account at Cohere, called ``co``."""
    account = {
        "type": "cohere",
        "api_key": KEY,
        "base_url": f"{url}/v2",
        "models": MODELS,
        "models_mode": "allowlist",
    }
    return {"co": account}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """The gateway and the vendor."""
    async with played(accounts, tmp_path_factory.mktemp("gateway")) as setup:
        yield setup


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(setup: Played) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's SDK, before the gateway."""
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=0) as client:
        yield client
