"""The end of a server: SIGTERM, a second one, workers that die, a parent that dies."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from gomodel_proxy.testing.processes import GatewayProcess
from gomodel_proxy.testing.waiting import until

CONFIG = """
[server]
port = 0
workers = {workers}
shutdown_grace = "{grace}"
[providers.sandbox]
type = "sandbox"
faults = "{faults}"
[store]
type = "sqlite"
path = "gomodel.db"
"""
BODY = {"model": "sandbox-text", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def start(folder: Path, faults: str, *, grace: str = "20s", workers: int = 1) -> GatewayProcess:
    config = folder / "config.toml"
    config.write_text(CONFIG.format(faults=faults, grace=grace, workers=workers))
    return GatewayProcess(config)


async def exit_code(gateway: GatewayProcess) -> int:
    return await asyncio.to_thread(gateway.process.wait, 30)


async def test_streams_under_way_end_properly_and_no_new_ones_begin(tmp_path: Path) -> None:
    with start(tmp_path, "events=30+gap=20ms") as gateway:
        chat = f"{gateway.url}/v1/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(chat, json=BODY) as reply:
            await reply.content.readline()
            gateway.process.send_signal(signal.SIGTERM)
            await until(lambda: "server.stopping" in gateway.output)
            async with aiohttp.ClientSession() as another:
                with pytest.raises(aiohttp.ClientConnectionError):
                    await another.post(chat, json=BODY)
            text = (await reply.content.read()).decode()
            assert text.endswith("data: [DONE]\n\n")
        assert await exit_code(gateway) == 0
    assert '"status":"ok"' in gateway.output


async def test_a_stream_longer_than_the_grace_is_told_why_it_ends(tmp_path: Path) -> None:
    with start(tmp_path, "events=100+gap=1s", grace="300ms") as gateway:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{gateway.url}/v1/chat/completions", json=BODY) as reply,
        ):
            await reply.content.readline()
            gateway.process.send_signal(signal.SIGTERM)
            text = (await reply.content.read()).decode()
        assert "shutting_down" in text
        assert "[DONE]" not in text
        assert await exit_code(gateway) == 0
    assert '"status":"cancelled"' in gateway.output


async def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    with start(tmp_path, "events=1000+gap=1s", grace="1h") as gateway:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{gateway.url}/v1/chat/completions", json=BODY) as reply,
        ):
            await reply.content.readline()
            gateway.process.send_signal(signal.SIGTERM)
            await until(lambda: "server.stopping" in gateway.output)
            gateway.process.send_signal(signal.SIGTERM)
            assert await exit_code(gateway) == 0


async def test_workers_share_the_port_are_replaced_and_end_with_their_parent(
    tmp_path: Path,
) -> None:
    with start(tmp_path, "", workers=2) as gateway:
        first = await workers(gateway.process.pid, 2)
        os.kill(first[0], signal.SIGKILL)
        second = await workers(gateway.process.pid, 2, without=first[0])
        assert first[1] in second
        await until(lambda: gateway.output.count("server.listening") == 3, 30)
        async with aiohttp.ClientSession() as session:
            for _ in range(8):  # each on a connection of its own, so that both workers answer
                async with session.post(
                    f"{gateway.url}/v1/chat/completions",
                    json={**BODY, "stream": False},
                    headers={"Connection": "close"},
                ) as reply:
                    assert reply.status == 200
        os.kill(gateway.process.pid, signal.SIGKILL)
        for worker in second:
            await gone(worker)


async def workers(parent: int, count: int, without: int = 0) -> list[int]:
    async with asyncio.timeout(30):
        while True:
            children = await asyncio.to_thread(
                Path(f"/proc/{parent}/task/{parent}/children").read_text
            )
            found = [int(child) for child in children.split() if int(child) != without]
            if len(found) == count:
                return found
            await asyncio.sleep(0.01)


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while await asyncio.to_thread(_lives, pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
