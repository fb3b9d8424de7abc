"""A gateway that executes lines itself, before a played vendor that is asked for each."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from gomodel_proxy.api import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gomodel_proxy.api import Batch, Batches, Webhook
    from gomodel_proxy.testing.lines import Asked, LineServer
    from gomodel_proxy.testing.served import Served


def asked_by(asked: Asked) -> str:
    """Return which line a request to the vendor is."""
    text: str = json.loads(asked.body)["messages"][0]["content"]
    return text


def reply_of(asked: Asked, status: int = 200, **head: str) -> bytes:
    """Return what the vendor answers: the question, and usage."""
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": asked_by(asked)},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }
        if status == 200
        else {"error": {"message": "no", "type": "t", "code": "c"}}
    ).encode()
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


class House:
    """A gateway before one vendor that answers, and one that is down."""

    def __init__(self, gateway: Served, vendor: LineServer) -> None:
        self.gateway = gateway
        self.vendor = vendor

    @property
    def batches(self) -> Batches:
        """The store's."""
        store = self.gateway.gateway.generation.store
        assert store is not None
        assert store.batches is not None
        return store.batches

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Ask the gateway; return status and value."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method,
                self.gateway.url + path,
                json=body,
                headers={name.replace("_", "-"): value for name, value in headers.items()},
            ) as reply,
        ):
            text = await reply.read()
            return reply.status, json.loads(text)

    async def create(self, *names: str, model: str = "up/m", **more: Any) -> dict[str, Any]:
        """Make a batch with a line for each name; ``down:x`` asks the vendor that is down."""
        lines = [
            {
                "custom_id": name,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {
                    "model": "down/m" if name.startswith("down") else model,
                    "messages": [{"role": "user", "content": name}],
                },
            }
            for name in names
        ]
        status, batch = await self.ask("POST", "/v1/batches", {"requests": lines, **more})
        assert status == 200, batch
        assert batch["status"] == "validating"
        made: dict[str, Any] = batch
        return made

    async def upload(self, *lines: str) -> dict[str, Any]:
        """Make a batch of a file with these lines."""
        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        form.add_field("file", "\n".join(lines).encode(), filename="in.jsonl")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.gateway.url}/v1/files", data=form) as reply,
        ):
            file = await reply.json()
        asked = {"input_file_id": file["id"], "completion_window": "24h"}
        status, made = await self.ask("POST", "/v1/batches", asked)
        assert status == 200, made
        batch: dict[str, Any] = made
        return batch

    async def until(
        self, id_: str, reached: Callable[[Mapping[str, Any]], object]
    ) -> dict[str, Any]:
        """Return the batch as soon as it is so."""
        async with asyncio.timeout(15):
            while True:
                _, batch = await self.ask("GET", f"/v1/batches/{id_}")
                if reached(batch):
                    found: dict[str, Any] = batch
                    return found
                await self.batches.wait(0.05)

    async def ended(self, id_: str, status: str = "completed") -> dict[str, Any]:
        """Return the batch when it has ended, as it should."""
        ends = ("completed", "failed", "expired", "cancelled")
        batch = await self.until(id_, lambda it: it["status"] in ends)
        assert batch["status"] == status, batch
        return batch

    async def told(self, id_: str, reached: Callable[[Webhook], bool]) -> Batch:
        """Return the batch as soon as its webhook is so."""
        async with asyncio.timeout(10):
            while True:
                batch = await self.batches.find(id_, None)
                if batch is not None and batch.webhook is not None and reached(batch.webhook):
                    return batch
                await self.batches.wait(0.05)

    async def results(self, id_: str) -> list[dict[str, Any]]:
        """Return all results."""
        status, page = await self.ask("GET", f"/v1/batches/{id_}/results?limit=1000")
        assert status == 200, page
        data: list[dict[str, Any]] = page["data"]
        assert [one["index"] for one in data] == list(range(len(data)))
        return data

    async def rows(self) -> list[dict[str, Any]]:
        """Return the ledger."""
        generation = self.gateway.gateway.generation
        await generation.books.flush()
        assert generation.store is not None
        assert generation.store.ledger is not None
        return [dict(row) for row in await generation.store.ledger.log(Query(limit=1000))]
