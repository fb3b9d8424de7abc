"""A gateway that is killed between a vendor's acceptance of a batch and its own commit."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from gomodel_proxy.testing.openai_vendor import OpenAIVendor
from gomodel_proxy.testing.processes import GatewayProcess
from gomodel_proxy.testing.shipped import Shipped, chat
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[server]
port = 0
[batches]
poll = "100ms"
poll_max = "200ms"
look = "50ms"
lease = "1s"
[providers.up]
type = "openai"
base_url = "{url}/v1"
api_key = "sk-up"
batches = true
models = ["m"]
models_mode = "allowlist"
[store]
type = "sqlite"
path = "gomodel.db"
"""
LINES = {f"line {n}": chat(f"word {n}") for n in range(1200)}


async def test_it_is_found_and_never_submitted_twice(tmp_path: Path) -> None:
    async with OpenAIVendor() as vendor:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(url=vendor.url))
        first = await asyncio.to_thread(GatewayProcess, config)
        vendor.accepted = first.kill  # before it is told that the batch was accepted
        async with aiohttp.ClientSession() as session:
            id_ = await Shipped(session, first.url, None).create(LINES)
            await until(lambda: vendor.batches)
        vendor.accepted = None
        second = await asyncio.to_thread(GatewayProcess, config)
        with second:
            async with aiohttp.ClientSession() as session:
                batch = await Shipped(session, second.url, None).ended(id_)
    assert len(vendor.batches) == 1
    assert batch["request_counts"] == {"total": 1200, "completed": 1200, "failed": 0, "resent": 0}


async def test_settling_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    async with OpenAIVendor() as vendor:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(url=vendor.url))
        first = await asyncio.to_thread(GatewayProcess, config)
        killed = asyncio.Event()

        def kill(lines: list[bytes]) -> list[bytes]:
            if not killed.is_set():
                asyncio.get_running_loop().call_later(0.05, first.kill)
                killed.set()
            return lines

        vendor.spoil = kill
        async with aiohttp.ClientSession() as session:
            id_ = await Shipped(session, first.url, None).create(LINES)
            await killed.wait()
            await until(lambda: first.process.poll() is not None)
        second = await asyncio.to_thread(GatewayProcess, config)
        with second:
            async with aiohttp.ClientSession() as session:
                client = Shipped(session, second.url, None)
                batch = await client.ended(id_)
                usage = await client.send("GET", "/admin/usage/summary")
    assert len(vendor.batches) == 1
    assert batch["request_counts"]["completed"] == 1200
    assert batch["usage"]["total_tokens"] == 1200 * 10
    assert counted(usage) == 1200, json.dumps(usage)


def counted(usage: dict[str, Any]) -> int:
    return int(usage["requests"])
