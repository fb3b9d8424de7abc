"""The gateway inside other applications: under a prefix, several at once, and without a socket."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from gomodel_proxy import Gateway, create_app
from gomodel_proxy.api import GatewayError, Principal, Query
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.plugins import Plugins
from gomodel_proxy.testing.served import completed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MESSAGES = [{"role": "user", "content": "Hello"}]
BODY = {"model": "sandbox-echo", "messages": MESSAGES}


def config(folder: Path, name: str = "sandbox", **more: Any) -> dict[str, Any]:
    return completed({"providers": {name: {"type": "sandbox"}}, **more}, folder)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[str]:
    """A host application with two gateways, its own tiny body limit, and no cancellation."""
    app = web.Application(client_max_size=16)
    app.add_subapp("/llm", create_app(config(tmp_path / "one", "first")))
    keys = {"keys": {"ann": {"key": "sk-ann"}}}
    app.add_subapp("/deep/er", create_app(config(tmp_path / "two", "second", auth=keys)))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def post(url: str, body: Any, **headers: str) -> tuple[int, Any, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body, headers=headers) as reply,
    ):
        return reply.status, reply.headers, await reply.text()


async def test_two_gateways_in_one_application_share_nothing(host: str) -> None:
    status, headers, _ = await post(f"{host}/llm/v1/chat/completions", BODY)
    assert (status, headers["X-GoModel-Provider"]) == (200, "first")
    status, _, text = await post(f"{host}/deep/er/v1/chat/completions", BODY)
    assert (status, json.loads(text)["error"]["code"]) == (401, "missing_api_key")
    key = {"Authorization": "Bearer sk-ann"}
    status, headers, _ = await post(f"{host}/deep/er/v1/chat/completions", BODY, **key)
    assert (status, headers["X-GoModel-Provider"]) == (200, "second")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{host}/llm/v1/usage") as reply,
    ):
        assert (await reply.json())["usage"]["requests"] == 1


async def test_a_prefix_keeps_the_envelope_for_unknown_paths(host: str) -> None:
    for path in ("/llm/v1/nothing", "/llm/v1/models/no/such"):
        async with aiohttp.ClientSession() as session, session.get(host + path) as reply:
            assert reply.status == 404
            assert (await reply.json())["error"]["message"]


async def test_a_body_over_the_hosts_limit_is_ours_to_judge(host: str) -> None:
    long = {**BODY, "messages": [{"role": "user", "content": "word " * 50_000}]}
    status, _, _ = await post(f"{host}/llm/v1/chat/completions", long)
    assert status == 200


async def test_streams_work_under_a_prefix(host: str) -> None:
    status, _, text = await post(f"{host}/llm/v1/chat/completions", {**BODY, "stream": True})
    assert status == 200
    assert text.endswith("data: [DONE]\n\n")


Open = "Callable[..., Awaitable[Gateway]]"


async def test_calls_without_a_socket(gateway: Open) -> None:
    one = await gateway({"providers": {"sandbox": {"type": "sandbox"}}})
    reply = await one.chat(model="sandbox-echo", messages=MESSAGES)
    assert reply["choices"][0]["message"]["content"] == "Hello"
    events = [event async for event in one.stream(model="sandbox-echo", messages=MESSAGES)]
    text = "".join(event["choices"][0]["delta"].get("content") or "" for event in events)
    assert text == "Hello"
    vectors = await one.call("openai.embeddings", {"model": "sandbox-embedding", "input": "x"})
    assert vectors["data"][0]["embedding"]
    await one.generation.books.flush()
    assert one.generation.store is not None
    rows = await one.generation.store.ledger.log(Query())
    assert [row["status"] for row in rows] == ["ok", "ok", "ok"]


async def test_errors_without_a_socket_are_exceptions(gateway: Open) -> None:
    one = await gateway({"providers": {"sandbox": {"type": "sandbox"}}})
    with pytest.raises(GatewayError, match="does not exist") as caught:
        await one.chat(model="nope", messages=MESSAGES)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    with pytest.raises(GatewayError, match="does not exist"):
        async for _ in one.stream(model="nope", messages=MESSAGES):
            pass
    with pytest.raises(GatewayError, match="No dialect"):
        await one.call("openai.nothing", {})


async def test_leaving_a_stream_early_settles_it_as_cancelled(gateway: Open) -> None:
    slow = {"type": "sandbox", "faults": "events=50+gap=1s"}
    one = await gateway({"providers": {"sandbox": slow}})
    caller = Principal(id="job", user_path="/jobs")
    stream = one.stream(model="sandbox-text", messages=MESSAGES, principal=caller)
    async for _ in stream:
        break
    await stream.aclose()
    await one.generation.books.flush()
    (row,) = await one.generation.store.ledger.log(Query())
    assert (row["status"], row["principal"], row["user_path"]) == ("cancelled", "job", "/jobs")
    assert row["attempts"][0]["provenance"] == "partial"
    assert one.generation.running == 0


async def test_an_application_can_bring_a_plugin_of_its_own(tmp_path: Path) -> None:
    seen: list[str] = []

    class Watcher:
        @hookimpl
        def gomodel_observe(self, call: Any) -> None:
            seen.append(call.model)

    plugins = Plugins()
    plugins.add(Watcher(), "watcher")
    async with Gateway(config(tmp_path), plugins=plugins) as one:
        await one.chat(model="sandbox-echo", messages=MESSAGES)
    assert seen == ["sandbox-echo"]


async def test_a_gateway_outside_its_context_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="async with gateway"):
        await Gateway(config(tmp_path)).chat(model="sandbox-echo", messages=MESSAGES)


async def test_many_calls_at_once_leave_no_task(gateway: Open) -> None:
    # looking for batches makes tasks of its own, which come and go
    idle = {"work": False}
    one = await gateway({"providers": {"sandbox": {"type": "sandbox"}}, "batches": idle})
    before = len(asyncio.all_tasks())
    calls = [one.chat(model="sandbox-echo", messages=MESSAGES) for _ in range(100)]
    assert len(await asyncio.gather(*calls)) == 100
    assert len(asyncio.all_tasks()) == before
