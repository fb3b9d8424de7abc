"""A gateway over sandbox models, in process and over TCP, and the SDKs that call it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from gomodel_proxy.testing.served import Served
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gomodel_proxy.testing.processes import SandboxProcess

KEY = "sk-application"
FAULTS = (
    "cut=0",
    "cut=700",
    "cutframed=700",
    "cut=4000",
    "cutframed=4000",
    "malformed",
    "errorchunk",
    "nodone",
    "nousage",
    "html",
    "json",
    "empty",
    "status=400",
    "status=401",
    "status=500",
)
MODELS = [
    "sandbox-echo",
    "sandbox-text",
    "sandbox-tools",
    "sandbox-reasoning",
    "sandbox-embedding",
    "sandbox-moderation",
    "sandbox-echo+status=429+retry_after=60",
    "sandbox-echo+rate=20+events=100000",
    "sandbox-echo+hang",
    "meta-llama/Llama-3.3:free",
    *(f"sandbox-text+{fault}" for fault in FAULTS),
]


class Backend:
    """A gateway, and the upstream behind it where that is another process."""

    def __init__(self, gateway: Served, web: aiohttp.ClientSession, upstream: str | None) -> None:
        self.gateway = gateway
        self.models = MODELS
        self._web = web
        self._upstream = upstream

    def options(self, **more: Any) -> dict[str, Any]:
        strict = {"_strict_response_validation": True}
        base = {"base_url": f"{self.gateway.url}/v1", "api_key": KEY, "max_retries": 0}
        return {**strict, **base, **more}

    async def row(self) -> dict[str, Any]:
        """Return the newest row of the ledger."""
        url = f"{self.gateway.url}/admin/usage/log?limit=1"
        async with self._web.get(url, headers={"x-api-key": KEY}) as reply:
            return (await reply.json())["data"][0]

    async def states(self, model: str) -> list[str]:
        """Return how the upstream saw the requests for a model end."""
        if self._upstream is None:
            return []
        async with self._web.get(f"{self._upstream}/_sandbox/log") as reply:
            entries = (await reply.json())["requests"]
        return [entry["state"] for entry in entries if entry["model"] == model]

    async def cancelled(self, model: str) -> None:
        """Wait until the gateway and its upstream have let the last request for a model go."""
        generation = self.gateway.gateway.generation
        await until(lambda: generation.running == 0)
        row = await self.row()
        assert (row["status"], row["served_model"]) == ("cancelled", model)
        async with asyncio.timeout(5):
            while "accepted" in await self.states(model):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
        assert set(await self.states(model)) <= {"disconnected"}


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["in process", "over TCP", "slow lane"]
)
async def backend(
    request: pytest.FixtureRequest,
    sandbox: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Backend]:
    account: dict[str, Any] = {"type": "sandbox"}
    upstream = None
    if request.param != "in process":
        upstream = sandbox.url
        account = {
            "type": "openai_compatible",
            "base_url": f"{sandbox.url}/v1",
            "api_key": "sk-up-canary",
        }
    account |= {"models": MODELS, "models_mode": "allowlist"}
    config = {
        "server": {"fast_lane": request.param != "slow lane"},
        "providers": {"up": account},
        "auth": {"keys": {"app": {"key": KEY, "user_path": "/team"}}},
    }
    folder = tmp_path_factory.mktemp("gateway")
    async with Served(config, folder) as gateway, aiohttp.ClientSession() as web:
        yield Backend(gateway, web, upstream)


# Making a client takes longer than all that most tests do with it.
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(backend: Backend) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(**backend.options()) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lenient(backend: Backend) -> AsyncIterator[openai.AsyncOpenAI]:
    """The SDK as it usually is: its strict mode refuses some of what OpenAI itself sends."""
    options = backend.options(_strict_response_validation=False)
    async with openai.AsyncOpenAI(**options) as opened:
        yield opened


@pytest.fixture(scope="module")
def threaded(backend: Backend) -> Iterator[Callable[[Callable[[openai.OpenAI], Any]], Any]]:
    """Return what runs a function with the synchronous SDK, beside the gateway's loop."""
    with openai.OpenAI(**backend.options()) as opened:
        yield lambda work: asyncio.to_thread(work, opened)
