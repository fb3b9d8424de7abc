"""A batch whose processes are killed again and again, and what is left of it."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from gomodel_proxy.testing.client import Client, Reply, post
from gomodel_proxy.testing.processes import GatewayProcess
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "CONFIG",
    "MODEL",
    "WIDTH",
    "Call",
    "Lives",
    "calls_of",
    "eventually",
    "get",
    "ledger",
    "output",
]

WIDTH = 8  # lines that one process executes at once
MODEL = "sandbox-echo+first=30ms"

CONFIG = """
[server]
port = 0
[batches]
lease = "1s"
look = "100ms"
[providers.up]
type = "openai_compatible"
base_url = "{url}/v1"
api_key = "sk-upstream"
models = ["{model}"]
models_mode = "allowlist"
batch_concurrency = {width}
[store]
{store}
"""


class Call(NamedTuple):
    """One request that the upstream accepted."""

    request_id: str
    line: str
    accepted: int
    usage: dict[str, Any] | None


def calls_of(record: Path) -> list[Call]:
    """Return what the upstream accepted, in order."""
    entries: dict[int, dict[str, Any]] = {}
    for text in record.read_text().splitlines():
        entry = json.loads(text)
        entries.setdefault(entry["id"], {}).update(entry)
    return [
        Call(
            entry["request_id"],
            json.loads(entry["body"])["messages"][0]["content"].split()[0],
            entry["accepted_ns"],
            entry.get("usage"),
        )
        for entry in entries.values()
        if entry.get("body") and entry["method"] == "POST"
    ]


async def get(port: int, path: str) -> Reply:
    """Return a GET's answer."""
    client = await Client.to(port)
    try:
        return await client.ask(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    finally:
        client.leave()


async def ledger(port: int) -> list[dict[str, Any]]:
    """Return all rows, read page by page as anybody would."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await get(port, f"/admin/usage/log?limit=200{after}")).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        after = f"&after={page['last_id']}"


async def output(port: int, batch: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of a batch's output file, by ``custom_id``."""
    assert batch["error_file_id"] is None, await get(
        port, f"/v1/files/{batch['error_file_id']}/content"
    )
    reply = await get(port, f"/v1/files/{batch['output_file_id']}/content")
    assert reply.status == 200, reply
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for text in reply.body.splitlines():
        line = json.loads(text)
        found[line["custom_id"]].append(line)
    return dict(found)


async def eventually(question: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Return as soon as the answer is yes; raises TimeoutError after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.05)


class Lives:
    """Processes on one store, of which none lives long."""

    def __init__(self, config: Path, record: Path, environ: Mapping[str, str], seed: int) -> None:
        self._config = config
        self._record = record
        self._environ = environ
        self._rng = random.Random(seed)
        self._started: list[GatewayProcess] = []
        self.batch = ""

    def end(self) -> None:
        """Kill what is left."""
        for gateway in self._started:
            if gateway.process.poll() is None:
                gateway.kill()

    async def start(self) -> GatewayProcess:
        """Return one more process."""
        gateway = await asyncio.to_thread(GatewayProcess, self._config, environ=self._environ)
        self._started.append(gateway)
        return gateway

    async def submit(self, lines: int) -> None:
        """Make the batch, by a process that is killed once the batch is accepted."""
        gateway = await self.start()
        requests = [
            {
                "custom_id": f"line-{n}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": f"line-{n} word"}],
                },
            }
            for n in range(lines)
        ]
        client = await Client.to(gateway.port)
        reply = await client.ask(post("/v1/batches", {"requests": requests}))
        assert reply.status == 200, reply
        assert reply.json()["status"] == "validating"
        self.batch = reply.json()["id"]
        await asyncio.to_thread(gateway.kill)

    async def live(self, kills: Iterator[int]) -> None:
        """Start a process, kill it in the middle of its work, and so on.

        Each lives until the upstream has heard so many more calls, or for a moment if it is not
        to get that far.
        """
        for _ in kills:
            gateway = await self.start()
            enough = self._calls() + self._rng.randint(0, 50)
            with suppress(TimeoutError):
                await until(self._heard(enough), self._rng.choice((0.1, 5.0, 5.0, 5.0)))
            await asyncio.to_thread(gateway.kill)

    def _heard(self, calls: int) -> Callable[[], bool]:
        return lambda: self._calls() >= calls

    def _calls(self) -> int:
        return self._record.read_bytes().count(b'"event":"accepted"')
