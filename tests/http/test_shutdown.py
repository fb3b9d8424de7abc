"""The end of a server: SIGTERM, a second one, workers that die, a parent that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gomodel_proxy.engine.replay import STOPPED
from gomodel_proxy.http.app import create_app
from gomodel_proxy.testing.client import Client, post
from gomodel_proxy.testing.processes import GatewayProcess
from gomodel_proxy.testing.served import completed
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
CHAT = "/v1/chat/completions"
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


@pytest.mark.parametrize("lane", ["", "?slow=1"])
async def test_what_is_longer_than_the_grace_is_told_why_it_ends(tmp_path: Path, lane: str) -> None:
    with start(tmp_path, "events=100+gap=1s+first=1s", grace="300ms") as gateway:
        stream, whole = await Client.to(gateway.port), await Client.to(gateway.port)
        stream.send(post(f"{CHAT}{lane}", BODY))
        whole.send(post(f"{CHAT}{lane}", {**BODY, "stream": False}))
        await stream.until(b"data: ")
        gateway.process.send_signal(signal.SIGTERM)
        cut = await stream.reply()  # its framing is complete
        *_, last = (event for event in cut.body.split(b"\n\n") if event)
        assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "shutting_down"
        assert b"[DONE]" not in cut.body
        refused = await whole.reply()
        assert refused.status == 503
        assert refused.json()["error"]["code"] == "shutting_down"
        assert await exit_code(gateway) == 0
    assert entered(tmp_path) == [("cancelled", "shutting_down")] * 2


def entered(folder: Path) -> list[tuple[str, str]]:
    """Return status and error of the rows that a gateway left in its ledger."""
    with closing(sqlite3.connect(folder / "gomodel.db")) as ledger:
        return ledger.execute("SELECT status, error FROM requests ORDER BY started").fetchall()


async def test_a_connection_under_way_takes_no_further_request(tmp_path: Path) -> None:
    with start(tmp_path, "events=30+gap=20ms") as gateway:
        client = await Client.to(gateway.port)
        client.send(post(CHAT, BODY))
        await client.until(b"data: ")
        gateway.process.send_signal(signal.SIGTERM)
        await until(lambda: "server.stopping" in gateway.output)
        client.send(post(CHAT, BODY))
        assert (await client.reply()).body.endswith(b"data: [DONE]\n\n")
        try:
            refused = await client.reply()
            assert refused.status == 503
            assert refused.json()["error"]["code"] == "shutting_down"
        except ConnectionError:
            pass  # closed, which is as good
        assert await exit_code(gateway) == 0
    assert entered(tmp_path) == [("ok", None)]


async def test_inside_a_host_streams_are_told_too(tmp_path: Path) -> None:
    config = {
        "server": {"shutdown_grace": "100ms"},
        "providers": {"sandbox": {"type": "sandbox", "faults": "events=100+gap=1s"}},
    }
    host = web.Application()
    host.add_subapp("/llm", create_app(completed(config, tmp_path)))
    runner = web.AppRunner(host, handler_cancellation=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = await Client.to(runner.addresses[0][1])
    client.send(post(f"/llm{CHAT}", BODY))
    await client.until(b"data: ")
    await runner.cleanup()
    assert b"shutting_down" in (await client.reply()).body
    assert entered(tmp_path) == [("cancelled", "shutting_down")]
    client.leave()


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
        await until(lambda: gateway.output.count("server.listening") == 2, 30)
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


async def test_what_a_dead_worker_left_is_replayed(tmp_path: Path) -> None:
    with start(tmp_path, "events=100+gap=1s", workers=2) as gateway:
        await until(lambda: gateway.output.count("server.listening") == 2, 30)
        clients = [await Client.to(gateway.port) for _ in range(16)]
        for client in clients:  # the system shares them out among the workers
            client.send(post(CHAT, BODY))
            await client.until(b"data: ")
        one, _ = await workers(gateway.process.pid, 2)
        os.kill(one, signal.SIGKILL)
        row = ("unknown", STOPPED)
        await until(lambda: any(client.left.done() for client in clients))
        await until(lambda: entered(tmp_path) == [row for c in clients if c.left.done()], 30)
        for client in clients:
            client.leave()


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
