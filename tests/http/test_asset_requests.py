"""Requests that name media by address, on their way to a vendor that does not fetch them."""

from __future__ import annotations

import base64
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gomodel_proxy.testing.lines import Asked, Line, LineServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gomodel_proxy.testing.served import Served

PDF = b"%PDF-1.7" + bytes(100)
DATA = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
REPLY = {
    "id": "a",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "ok"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


class Setup:
    """A gateway, the vendor behind it and a web with one document; each counts its requests."""

    def __init__(self, served: Served, vendor: LineServer, web: LineServer) -> None:
        self.served = served
        self.vendor = vendor
        self.web = web
        self.refusals = 0

    async def answer(self, line: Line, asked: Asked) -> None:
        if self.refusals:
            self.refusals -= 1
            await line.send(b"HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}")
            return
        body = json.dumps(REPLY).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        await line.send(f"{head}\r\n\r\n".encode() + body)

    async def ask(self, url: str, **more: Any) -> tuple[int, Any]:
        part = {"type": "input_file", "file_url": url}
        content = [{"type": "input_text", "text": "What?"}, part]
        body = {"model": "up/m", "input": [{"role": "user", "content": content}], **more}
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{self.served.url}/v1/responses", json=body) as reply,
        ):
            return reply.status, await reply.json()


@pytest.fixture
async def setup(
    served: Callable[..., Awaitable[Served]],
) -> AsyncIterator[Callable[..., Awaitable[Setup]]]:
    async def document(line: Line, asked: Asked) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: {len(PDF)}"
        await line.send(f"{head}\r\n\r\n".encode() + PDF)

    async with AsyncExitStack() as stack:
        vendor = await stack.enter_async_context(LineServer(document))
        web = await stack.enter_async_context(LineServer(document))

        async def make(**assets: Any) -> Setup:
            account = {
                "type": "openai_compatible",
                "base_url": f"{vendor.url}/v1",
                "speaks": ["openai.chat"],
                "models": ["m"],
                "models_mode": "allowlist",
            }
            config = {"providers": {"up": account}, "assets": assets}
            made = Setup(await served(config), vendor, web)
            vendor.answer = made.answer
            return made

        yield make


async def test_the_vendor_gets_what_is_there(setup: Any) -> None:
    one = await setup(allow_private=True)
    status, reply = await one.ask(f"{one.web.url}/a.pdf")
    assert status == 200, reply
    (asked,) = one.vendor.asked
    part = json.loads(asked.body)["messages"][0]["content"][1]
    assert part["file"]["file_data"] == DATA
    assert len(one.web.asked) == 1


async def test_attempts_share_what_was_fetched(setup: Any) -> None:
    one = await setup(allow_private=True)
    one.refusals = 1
    status, _ = await one.ask(f"{one.web.url}/a.pdf")
    assert status == 200
    assert len(one.vendor.asked) == 2
    assert len(one.web.asked) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_inside_is_refused_before_anything_is_spent(setup: Any, stream: bool) -> None:
    one = await setup()
    status, reply = await one.ask(f"{one.web.url}/a.pdf", stream=stream)
    assert status == 400
    assert reply["error"]["param"] == "input[0].content[1]"
    assert reply["error"]["code"] == "asset_refused"
    assert reply["error"]["message"] == (
        "'input[0].content[1]' could not be fetched: its host is not a public one."
    )
    assert one.web.lines == set()
    assert one.web.asked == one.vendor.asked == []
    row = await one.served.row()
    assert (row["status"], row["attempts"]) == ("error", [])


async def test_it_can_be_switched_off(setup: Any) -> None:
    one = await setup(allow_private=True, enabled=False)
    await one.ask(f"{one.web.url}/a.pdf")
    assert one.web.asked == []


async def test_a_limit_of_the_configuration(setup: Any) -> None:
    one = await setup(allow_private=True, max_size="100B")
    status, reply = await one.ask(f"{one.web.url}/a.pdf")
    assert status == 400
    assert "assets.max_size" in reply["error"]["message"]
    assert one.vendor.asked == []
