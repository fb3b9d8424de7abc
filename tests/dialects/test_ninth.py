"""A ninth dialect, `parrot`: its callers reach everybody, and everybody reaches its vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from gomodel_proxy.plugins import Plugins
from gomodel_proxy.testing.played import played

from . import parrot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gomodel_proxy.testing.played import Played

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "parrot-canary-0123456789"
SAID = [{"by": "keeper", "words": "Be brief."}, {"by": "guest", "words": "Who is pretty?"}]
HELLO: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Who is pretty?"},
]
CHAT = {
    "id": "c-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Polly is."},
            "finish_reason": "length",
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}
TALKED = {"words": "Polly is.", "why": "tired", "heard": 7, "spoken": 3}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "model": "gpt-x",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "incomplete",
            "content": [{"type": "output_text", "text": "Polly is.", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
}


def sse(*events: Any) -> str:
    return "".join(f"data: {json.dumps(one)}\n\n" for one in events)


def chunk(text: str | None, reason: str | None, **more: Any) -> Any:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return {"id": "c-1", "created": 1, "model": "gpt-x", "choices": [choice], **more}


CHUNKS = (
    sse(chunk("Polly ", None), chunk("is.", "length", usage=CHAT["usage"])) + "data: [DONE]\n\n"
)
PARTS = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
EVENTS = sse(
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", **PARTS, "delta": "Polly "},
    {"type": "response.output_text.delta", **PARTS, "delta": "is."},
    {"type": "response.incomplete", "response": RESPONSE},
)
TALK = sse({"words": "Polly "}, {"words": "is."}, {**TALKED, "words": ""})


def accounts(url: str) -> dict[str, dict[str, Any]]:
    """Return the vendor itself, and one of each of OpenAI's dialects."""
    listed = {"api_key": KEY, "models": ["m"], "models_mode": "allowlist"}
    other = {**listed, "type": "openai_compatible", "base_url": f"{url}/v1"}
    return {
        "polly": {**listed, "type": "parrot", "base_url": url},
        "chat": {**other, "speaks": ["openai.chat"]},
        "resp": {**other, "speaks": ["openai.responses"]},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    plugins = Plugins()
    plugins.add(parrot, "parrot")
    folder = tmp_path_factory.mktemp("gateway")
    async with played(accounts, folder, plugins=plugins) as setup:
        yield setup


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(setup: Played) -> AsyncIterator[openai.AsyncOpenAI]:
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=0) as client:
        yield client


async def talk(setup: Played, model: str, **more: Any) -> tuple[int, str]:
    """Ask as a caller of the ninth dialect."""
    body = {"model": model, "said": SAID, "most": 9, **more}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{setup.url}/parrot/talk", json=body) as reply,
    ):
        return reply.status, await reply.text()


def told(text: str) -> dict[str, Any]:
    """Return what a stream of the ninth dialect adds up to."""
    whole: dict[str, Any] = {}
    for line in text.split("\n\n")[:-1]:
        one = json.loads(line.removeprefix("data: "))
        words = whole.get("words", "") + one.pop("words", "")
        whole |= {**one, "words": words}
    return whole


# ---------------------------------------------------------------- its callers reach everybody


def of_chat(sent: Any) -> None:
    assert sent["messages"] == HELLO
    assert 9 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


def of_responses(sent: Any) -> None:
    assert "Be brief." in json.dumps(sent)
    assert "Who is pretty?" in json.dumps(sent)
    assert sent["max_output_tokens"] == 9


def of_parrot(sent: Any) -> None:
    assert (sent["said"], sent["most"]) == (SAID, 9)


@pytest.mark.parametrize(
    ("account", "whole", "stream", "check"),
    [
        ("chat", CHAT, CHUNKS, of_chat),
        ("resp", RESPONSE, EVENTS, of_responses),
        ("polly", TALKED, TALK, of_parrot),
    ],
)
async def test_a_caller_of_it_reaches_every_dialect(
    setup: Played, account: str, whole: Any, stream: str, check: Callable[[Any], None]
) -> None:
    setup.answer(json.dumps(whole))
    status, text = await talk(setup, f"{account}/m")
    assert status == 200, text
    assert json.loads(text) == {**TALKED, "provider": account}
    check(setup.sent)
    setup.answer(stream, piece=7)
    status, text = await talk(setup, f"{account}/m", stream=True)
    assert status == 200, text
    assert told(text) == TALKED
    check(setup.sent)
    attempt = (await setup.gateway.row())["attempts"][0]
    assert (attempt["input_tokens"], attempt["output_tokens"]) == (7, 3)


async def test_errors_are_in_its_own_words(setup: Played) -> None:
    assert await talk(setup, "chat/m", said=[]) == (400, '{"oops":"\'said\' is empty."}')
    setup.answer('{"error": {"message": "Too busy.", "type": "x"}}', status=503)
    assert await talk(setup, "chat/m") == (503, '{"oops":"Too busy."}')
    setup.answer(sse(chunk("Polly ", None)), cut=True)
    status, text = await talk(setup, "chat/m", stream=True)
    assert status == 200
    first, last = (json.loads(line[6:]) for line in text.split("\n\n")[:-1])
    assert first["words"] == "Polly "
    assert last["oops"]


# ---------------------------------------------------------------- everybody reaches its vendor


async def test_a_caller_of_openais_reaches_its_vendor(
    setup: Played, caller: openai.AsyncOpenAI
) -> None:
    asked: Any = {"model": "polly/m", "messages": HELLO, "max_tokens": 9}
    setup.answer(json.dumps(TALKED))
    tool = {"type": "function", "function": {"name": "fly", "parameters": {"type": "object"}}}
    raw = await caller.chat.completions.with_raw_response.create(**asked, tools=[tool])
    assert raw.headers["x-gomodel-lossy"] == "tools"
    reply = raw.parse()
    (choice,) = reply.choices
    assert (choice.message.content, choice.finish_reason) == ("Polly is.", "length")
    assert reply.usage is not None
    assert reply.usage.total_tokens == 10
    of_parrot(setup.sent)
    assert setup.target == "/talk"
    setup.answer(TALK, piece=5)
    options: Any = {"include_usage": True}
    stream = await caller.chat.completions.create(**asked, stream=True, stream_options=options)
    *chunks, last = [one async for one in stream]
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == "Polly is."
    assert chunks[-1].choices[0].finish_reason == "length"
    assert last.usage is not None
    assert last.usage.total_tokens == 10
    of_parrot(setup.sent)


async def test_a_caller_of_responses_reaches_its_vendor(
    setup: Played, caller: openai.AsyncOpenAI
) -> None:
    asked: Any = {"model": "polly/m", "input": HELLO, "max_output_tokens": 9, "store": False}
    setup.answer(json.dumps(TALKED))
    reply = await caller.responses.create(**asked)
    assert (reply.output_text, reply.status) == ("Polly is.", "incomplete")
    of_parrot(setup.sent)
    setup.answer(TALK, piece=5)
    async with caller.responses.stream(**asked) as stream:
        events = [event async for event in stream]
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == "Polly is."
