"""Budgets that do not depend on the machine: what starting imports and opens, what a call costs."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.engine.pipeline import serve
from gomodel_proxy.engine.run import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from gomodel_proxy.http.gateway import Gateway

START = """
import asyncio, gc, json, sys
events = []
sys.addaudithook(lambda name, args: events.append((name, repr(args[1:]))) if name in (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto") else None)
from pathlib import Path
from gomodel_proxy.http.gateway import Gateway
from gomodel_proxy.http.server import Server

async def main():
    async with Gateway(Path(sys.argv[1])) as gateway:
        server = Server(gateway)
        await server.start()
        await gateway.generation.inventory.wait()
        before = list(events)
        status = await ask(server.address.rpartition(":")[2])
        waiting = [one.__name__ for one in gc.get_objects() if type(one).__name__ == "_Later"]
        found = {"events": before, "modules": sorted(sys.modules), "waiting": waiting}
        print(json.dumps({**found, "status": status}))
        await server.stop(0, asyncio.Event())

async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    body = b'{"model": "sandbox/sandbox-echo", "messages": [{"role": "user", "content": "Hello"}]}'
    writer.write(b"POST /v1/chat/completions HTTP/1.1\\r\\nHost: localhost\\r\\n"
                 b"Content-Type: application/json\\r\\nConnection: close\\r\\n"
                 b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    answer = await reader.read()
    writer.close()
    return answer[9:12].decode()

asyncio.run(main())
"""
CONFIG = """
[server]
port = 0
[providers.sandbox]
type = "sandbox"
[providers.openai]
type = "openai"
[store]
type = "sqlite"
path = "{folder}/gomodel.db"
[accounting]
journal = "{folder}/journal"
"""
THIRD_PARTY = {
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attr",
    "attrs",
    "cython_runtime",
    "frozenlist",
    "idna",
    "msgspec",
    "multidict",
    "pluggy",
    "propcache",
    "structlog",
    "typing_extensions",
    "yarl",
}
"""Top-level packages that a start may import, beyond the standard library and ourselves."""

NEVER = {"rich", "openai", "pytest", "requests", "pydantic", "asyncpg", "sqlalchemy", "botocore"}

NOT_YET = (
    "gomodel_proxy.api.chat",  # the neutral model, which only a translation needs
    "gomodel_proxy.engine.batches.",
    "gomodel_proxy.wire.hub",
    "gomodel_proxy.wire.openai_batch_",
    "gomodel_proxy.wire.openai_shipping",
)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh process did until it listened, and had loaded when it had answered once."""
    folder: Path = tmp_path_factory.mktemp("start")
    config = folder / "config.toml"
    config.write_text(CONFIG.format(folder=folder))
    done = subprocess.run(
        [sys.executable, "-c", START, str(config)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    assert found["status"] == "200"
    return found


def test_a_start_imports_what_it_needs_and_no_more(start: dict[str, Any]) -> None:
    tops = {name.partition(".")[0] for name in start["modules"]}
    foreign = {
        name
        for name in tops
        if name not in sys.stdlib_module_names
        and not name.startswith(("_", "gomodel_proxy"))
        and "mypyc" not in name
    }
    # structlog takes rich for its own if it finds it, which an installation does not bring
    assert foreign - THIRD_PARTY - {"rich", "pygments", "markdown_it", "mdurl", "colorama"} == set()
    assert not (tops & NEVER - {"rich"})


def test_a_start_leaves_out_what_the_configuration_does_not_name(start: dict[str, Any]) -> None:
    ours = {name for name in start["modules"] if name.startswith("gomodel_proxy")}
    assert "gomodel_proxy_openai_compatible" not in ours
    assert not any(name.startswith("gomodel_proxy.testing") for name in ours)
    assert "gomodel_proxy_sandbox.server" not in ours


def test_what_is_imported_later_is_not_imported_at_the_start(start: dict[str, Any]) -> None:
    """Batches, translation, and the handlers of all that is no call: `wire.later` names them."""
    waiting = set(start["waiting"])
    assert len(waiting) > 20
    assert waiting & set(start["modules"]) == set()
    assert not [name for name in start["modules"] if name.startswith(NOT_YET)]
    ours = [name for name in start["modules"] if name.startswith("gomodel_proxy")]
    assert len(ours) <= 190


def test_a_start_opens_no_socket_but_the_listening_one(start: dict[str, Any]) -> None:
    names = [name for name, _ in start["events"]]
    assert names.count("socket.bind") == 1, start["events"]
    assert "socket.connect" not in names
    assert "socket.sendto" not in names


class Quiet:
    """A sink that keeps nothing."""

    started = False

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.status = 0

    def reply(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.answered.set()

    def throttle(self, exchange: Any) -> None:
        pass


async def caller(
    gateway: Callable[..., Awaitable[Gateway]],
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return what makes one plain chat call, after a few that have looked up key and model."""
    one = await gateway(
        {
            "providers": {"up": {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1",
                                 "models": ["m"], "models_mode": "allowlist"}},
            "auth": {"keys": {"ann": {"key": "sk-ann"}}},
        }
    )  # fmt: skip
    g = one.generation
    upstream = g.accounts["up"].transport = Upstream()
    body = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
    headers = {"authorization": "Bearer sk-ann", "content-type": "application/json"}

    async def once() -> None:
        sink = Quiet()
        Run(serve(g, g.dialects["openai.chat"], headers, body, sink)).resume()  # type: ignore[arg-type]
        await upstream.asked.wait()  # only the first call has to look up key and model
        upstream.answer()
        await sink.answered.wait()
        assert sink.status == 200

    for _ in range(5):
        await once()
    return once


async def test_a_call_costs_few_function_calls(
    gateway: Callable[..., Awaitable[Gateway]],
) -> None:
    """Function calls are what the hot path's time is made of, and they count alike everywhere."""
    once = await caller(gateway)
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    tasks = len(asyncio.all_tasks())
    least = sys.maxsize
    for _ in range(5):  # the ledger's own task may run in the middle of one
        calls = 0
        sys.setprofile(count)
        try:
            await once()
        finally:
            sys.setprofile(None)
        least = min(least, calls)
    assert len(asyncio.all_tasks()) == tasks
    assert least <= 168, f"one request made {least} function calls"


async def test_calls_leave_no_cycles_to_collect(
    gateway: Callable[..., Awaitable[Gateway]],
) -> None:
    once = await caller(gateway)
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await once()
        assert gc.collect() < 100
    finally:
        gc.enable()


class Upstream:
    """A transport that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.receiver: Any = None

    def open(self, request: Any, receiver: Any) -> Any:
        self.receiver = receiver
        self.asked.set()
        return self

    def answer(self) -> None:
        receiver = self.receiver
        self.asked.clear()
        receiver.head(200, (("content-type", "application/json"),))
        receiver.data(
            b'{"id":"a","object":"chat.completion","choices":[{"index":0,"message":{"role":'
            b'"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,'
            b'"completion_tokens":1,"total_tokens":4}}'
        )
        receiver.end(True)

    def close(self) -> None:
        pass
