"""Fifty SIGKILLs under load lose no request and no token.

Design §6.4: every request that the upstream accepted has one row; settled rows agree with the
upstream token for token; the rest is ``unknown``, at most what was in flight.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.client import Client, Reply, post
from gomodel_proxy.testing.processes import GatewayProcess, SandboxProcess

from .conftest import CHAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KILLS = 50
LIVES = 3  # gateways at a time, so that survivors replay what the dead have left
WIDTH = 17  # requests under way at each
SETTLING = 0.05  # seconds: a reply whose last byte was read so shortly before counts as in flight

CONFIG = """
[server]
port = 0
[providers.up]
type = "openai_compatible"
base_url = "{url}/v1"
api_key = "sk-upstream"
models = ["sandbox-text", "sandbox-echo+gap=3ms", "sandbox-echo+first=20ms"]
models_mode = "allowlist"
[store]
type = "sqlite"
path = "gomodel.db"
"""
MODELS = ("sandbox-text", "sandbox-echo+gap=3ms", "sandbox-echo+first=20ms")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def config(tmp_path: Path, record: Path) -> Iterator[Path]:
    with SandboxProcess("--record", str(record)) as upstream:
        path = tmp_path / "config.toml"
        path.write_text(CONFIG.format(url=upstream.url))
        yield path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Let the processes compile once, whatever this one was told."""
    return {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": ""}


class Load:
    """Clients that ask without end, and what became of each request, by its id."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = itertools.count()
        self.sent: dict[str, float] = {}
        self.whole: dict[str, tuple[float, bool]] = {}
        self.in_flight: set[str] = set()

    async def live(self, config: Path, environ: Mapping[str, str]) -> None:
        """Start a gateway, load it, kill it; note what was in flight."""
        gateway = await asyncio.to_thread(GatewayProcess, config, environ=environ)
        before = set(self.sent)
        clients = [asyncio.create_task(self._ask(gateway.port)) for _ in range(WIDTH)]
        await asyncio.wait(clients, timeout=self.rng.uniform(0.1, 0.4))
        killed = asyncio.get_running_loop().time()
        gateway.kill()
        await asyncio.gather(*clients)
        for name in set(self.sent) - before:
            read, _ = self.whole.get(name, (killed, True))
            if read > killed - SETTLING:
                self.in_flight.add(name)

    async def _ask(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            client = await Client.to(port)
            while True:
                name, stream = f"load-{next(self.numbers)}", self.rng.random() < 0.5
                self.sent[name] = loop.time()
                reply = await client.ask(_request(name, stream, self.rng.choice(MODELS)))
                assert reply.status == 200, reply
                self.whole[name] = loop.time(), stream
        except ConnectionError:
            return


def _request(name: str, stream: bool, model: str) -> bytes:
    words = " ".join(["word"] * (int(name.rpartition("-")[2]) % 20 + 1))
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": words}]}
    return post(CHAT, body, f"X-Request-ID: {name}")


async def get(port: int, path: str) -> Reply:
    client = await Client.to(port)
    try:
        return await client.ask(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    finally:
        client.leave()


async def ledger(port: int) -> dict[str, list[dict[str, Any]]]:
    """Return all rows by request id, read page by page as anybody would."""
    found: dict[str, list[dict[str, Any]]] = {}
    after = ""
    while True:
        page = (await get(port, f"/admin/usage/log?limit=200{after}")).json()
        for row in page["data"]:
            found.setdefault(row["request_id"], []).append(row)
        if not page["has_more"]:
            return found
        after = f"&after={page['last_id']}"


def upstream(record: Path) -> dict[str, dict[str, Any]]:
    """Return what the upstream accepted, by request id, with its end if that came."""
    entries: dict[int, dict[str, Any]] = {}
    for line in record.read_text().splitlines():
        entry = json.loads(line)
        entries.setdefault(entry["id"], {}).update(entry)
    found = {str(entry["request_id"]): entry for entry in entries.values()}
    assert len(found) == len(entries), "something was sent twice"
    return found


@pytest.mark.soak
async def test_fifty_kills_lose_nothing(
    config: Path, record: Path, environ: dict[str, str]
) -> None:
    load = Load(7)
    left = iter(range(KILLS))

    async def lives() -> None:
        for _ in left:
            await load.live(config, environ)

    await asyncio.gather(*(lives() for _ in range(LIVES)))
    with await asyncio.to_thread(GatewayProcess, config, environ=environ) as last:
        accepted = upstream(record)
        rows: dict[str, list[dict[str, Any]]] = {}
        async with asyncio.timeout(10):
            while not accepted.keys() <= rows.keys():
                rows = await ledger(last.port)
        assert await asyncio.to_thread(last.stop) == 0

    assert {len(found) for found in rows.values()} == {1}
    statuses = Counter(row["status"] for (row,) in rows.values())
    assert set(statuses) <= {"ok", "unknown"}
    assert statuses["ok"] > KILLS
    assert statuses["unknown"] <= KILLS * WIDTH
    unknown = {name for name, (row,) in rows.items() if row["status"] == "unknown"}
    assert unknown <= load.in_flight
    assert rows.keys() - accepted.keys() <= unknown
    assert all(rows[name][0]["status"] == "ok" for name in load.whole.keys() - load.in_flight)
    for name in rows.keys() - unknown:
        (row,) = rows[name]
        (attempt,) = row["attempts"]
        reported = accepted[name]["usage"]
        assert attempt["provenance"] == "reported"
        assert attempt["input_tokens"] == reported["prompt_tokens"]
        assert attempt["output_tokens"] == reported["completion_tokens"]
        assert attempt["raw_usage"] == reported


async def test_rows_are_seen_within_a_second_by_everybody(
    config: Path, environ: dict[str, str]
) -> None:
    loop = asyncio.get_running_loop()
    with (
        await asyncio.to_thread(GatewayProcess, config, environ=environ) as one,
        await asyncio.to_thread(GatewayProcess, config, environ=environ) as other,
    ):
        client = await Client.to(one.port)
        for number in range(3):
            name = f"load-{number}"
            reply = await client.ask(_request(name, number == 1, "sandbox-text"))
            assert reply.status == 200
            answered = loop.time()
            while name not in await ledger(other.port):
                assert loop.time() - answered < 1
        client.leave()
