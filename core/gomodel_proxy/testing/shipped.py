"""A gateway before a vendor that takes batches, and what its callers see of them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from gomodel_proxy.api import Query

from .served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["QUICK", "Shipped", "account", "chat", "shipped"]

QUICK: dict[str, Any] = {"poll": "50ms", "poll_max": "100ms", "look": "50ms", "lease": "2s"}
"""Settings of ``[batches]`` with which nothing waits for long."""

_PATIENCE = 15.0  # seconds; only what is broken takes that long


def chat(text: str, model: str = "m", **more: Any) -> dict[str, Any]:
    """Return the body of a line that says ``text``."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def account(type_: str, base_url: str, **more: Any) -> dict[str, Any]:
    """Return the table of a provider that hands batches over, with the model ``m``."""
    return {
        "type": type_,
        "api_key": "sk-canary",
        "base_url": base_url,
        "batches": True,
        "models": ["m"],
        "models_mode": "allowlist",
        **more,
    }


class Shipped:
    """A client of the gateway at ``url``."""

    def __init__(self, session: aiohttp.ClientSession, url: str, gateway: Served | None) -> None:
        self._session = session
        self.url = url
        self.gateway = gateway

    async def create(
        self, lines: Mapping[str, Mapping[str, Any]], url: str = "/v1/chat/completions", **more: Any
    ) -> str:
        """Make a batch of lines by ``custom_id``, and return its id."""
        requests = [
            {"custom_id": name, "method": "POST", "url": url, "body": body}
            for name, body in lines.items()
        ]
        body = {"endpoint": url, "completion_window": "24h", "requests": requests, **more}
        made = await self.send("POST", "/v1/batches", body)
        return str(made["id"])

    async def send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return the JSON of an answer; raises AssertionError for a refusal."""
        async with self._session.request(method, self.url + path, json=body) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status < 400, answer
            return answer

    async def batch(self, id_: str) -> dict[str, Any]:
        """Return a batch."""
        return await self.send("GET", f"/v1/batches/{id_}")

    async def until(self, id_: str, *statuses: str) -> dict[str, Any]:
        """Return the batch as soon as it has one of these statuses."""
        async with asyncio.timeout(_PATIENCE):
            while (batch := await self.batch(id_))["status"] not in statuses:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return batch

    async def ended(self, id_: str) -> dict[str, Any]:
        """Return the batch as soon as it has ended."""
        return await self.until(id_, "completed", "failed", "expired", "cancelled")

    async def uncertain(self, id_: str) -> dict[str, Any]:
        """Return the batch as soon as nobody can tell whether the vendor has taken it."""
        async with asyncio.timeout(_PATIENCE):
            while not (batch := await self.batch(id_))["errors"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return batch

    async def results(self, id_: str) -> dict[str, dict[str, Any]]:
        """Return the results by ``custom_id``."""
        page = await self.send("GET", f"/v1/batches/{id_}/results")
        return {one["custom_id"]: one for one in page["data"]}

    async def rows(self) -> list[dict[str, Any]]:
        """Return the ledger's rows, newest first."""
        assert self.gateway is not None
        generation = self.gateway.gateway.generation
        await generation.books.flush()
        assert generation.store is not None
        assert generation.store.ledger is not None
        return [dict(row) for row in await generation.store.ledger.log(Query(limit=500))]


@asynccontextmanager
async def shipped(
    providers: Mapping[str, Mapping[str, Any]],
    folder: Path,
    *,
    plugins: Sequence[str] = (),
    routing: Mapping[str, Any] | None = None,
    **batches: Any,
) -> AsyncIterator[Shipped]:
    """Serve a gateway with these providers; ``batches`` are settings over those of `QUICK`."""
    config = {
        "providers": dict(providers),
        "plugins": {"enabled": list(plugins)},
        "routing": dict(routing or {}),
        "batches": {**QUICK, **batches},
    }
    async with Served(config, folder) as gateway, aiohttp.ClientSession() as session:
        yield Shipped(session, gateway.url, gateway)
