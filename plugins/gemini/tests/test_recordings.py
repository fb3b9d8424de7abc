"""Recorded traffic through the gateway, to callers of this dialect and of OpenAI's chat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from .conftest import KEY, MASTER
from .recorded import chunks, files, load, said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.played import Played

FILES = files("gemini")
if not FILES:
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

pytestmark = [pytest.mark.recorded, pytest.mark.asyncio(loop_scope="module")]
HELLO: Any = [{"role": "user", "content": "Hi"}]


async def post(setup: Played, path: str, body: Any, **headers: str) -> tuple[Any, bytes]:
    sent = {"x-goog-api-key": MASTER, **headers}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{setup.url}{path}", json=body, headers=sent) as reply,
    ):
        return reply, await reply.read()


@pytest.mark.parametrize("file", FILES)
async def test_the_native_lane_keeps_every_member(setup: Played, file: str) -> None:
    recorded = load(file)
    streamed, body = recorded["stream"], recorded["body"]
    setup.answer(body, piece=61 if streamed else 0)
    method = "streamGenerateContent?alt=sse" if streamed else "generateContent"
    path = f"/v1beta/models/google/{recorded['model']}:{method}"
    reply, got = await post(setup, path, recorded["request"])

    assert reply.status == 200, got
    assert setup.target == f"{recorded['path']}{'?alt=sse' if streamed else ''}"
    assert setup.sent == recorded["request"]
    assert setup.asked.header("x-goog-api-key") == KEY
    assert MASTER not in setup.asked.head.decode()
    if streamed:
        assert got.strip() == body.encode().strip()
    else:
        assert json.loads(got) == {**json.loads(body), "provider": "google"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(setup: Played) -> AsyncIterator[openai.AsyncOpenAI]:
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key=MASTER, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("file", FILES)
async def test_a_chat_caller_gets_what_was_said(
    setup: Played, chat: openai.AsyncOpenAI, file: str
) -> None:
    recorded = load(file)
    want = said(recorded)
    setup.answer(recorded["body"])
    message: dict[str, Any] = {"content": "", "reasoning_content": "", "annotations": []}
    calls: dict[int, dict[str, str]] = {}
    finish: str | None = None
    usage: Any = None
    if recorded["stream"]:
        stream = await chat.chat.completions.create(
            model=f"google/{recorded['model']}",
            messages=HELLO,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                delta = choice.delta.model_dump(exclude_none=True)
                for name in message:
                    message[name] += delta.get(name) or type(message[name])()
    else:
        reply = await chat.chat.completions.create(
            model=f"google/{recorded['model']}", messages=HELLO
        )
        (choice,) = reply.choices
        finish, usage = choice.finish_reason, reply.usage
        dumped = choice.message.model_dump(exclude_none=True)
        message |= {name: dumped[name] for name in message if name in dumped}
        for number, call in enumerate(dumped.get("tool_calls", [])):
            calls[number] = {"id": call["id"], **call["function"]}

    assert message["content"] == want.text
    assert message["reasoning_content"] == want.thoughts
    got = [(call["name"], json.loads(call["arguments"])) for call in calls.values()]
    assert got == want.calls
    assert len({call["id"] for call in calls.values()}) == len(want.calls)
    done = "tool_calls" if want.calls else "stop"
    reasons = {"": done, "STOP": done, "MALFORMED_FUNCTION_CALL": "stop", "MAX_TOKENS": "length"}
    assert finish == reasons.get(want.finish, "content_filter")
    _check_usage(usage, want.usage)
    _check_sources(message, want.sources)
    assert "generateContent" in setup.target or "streamGenerateContent?alt=sse" in setup.target


def _check_usage(usage: Any, want: dict[str, Any]) -> None:
    taken = want["promptTokenCount"] + want.get("toolUsePromptTokenCount", 0)
    thoughts = want.get("thoughtsTokenCount")
    assert usage.prompt_tokens == taken
    assert usage.completion_tokens == want.get("candidatesTokenCount", 0) + (thoughts or 0)
    assert usage.total_tokens == want["totalTokenCount"]
    assert usage.completion_tokens_details.reasoning_tokens == thoughts
    audio = [d["tokenCount"] for d in want["promptTokensDetails"] if d["modality"] == "AUDIO"]
    assert usage.prompt_tokens_details.audio_tokens == (sum(audio) if audio else None)


def _check_sources(message: dict[str, Any], want: list[Any]) -> None:
    notes = [note["url_citation"] for note in message["annotations"]]
    assert len(notes) == len(want)
    for note, (chunk, segment) in zip(notes, want, strict=True):
        source = chunk["retrievedContext"]
        assert note["url"] == f"file:{source['fileSearchStore']}"
        assert note["content"] == source["text"]
        assert message["content"][note["start_index"] : note["end_index"]] == segment["text"]


@pytest.mark.parametrize("file", [file for file in FILES if load(file)["stream"]])
async def test_a_stream_in_single_bytes_says_the_same(setup: Played, file: str) -> None:
    recorded = load(file)
    body: Any = {"model": f"google/{recorded['model']}", "messages": HELLO, "stream": True}
    setup.answer(recorded["body"])
    _, whole = await post(setup, "/v1/chat/completions", body, authorization=f"Bearer {MASTER}")
    setup.answer(recorded["body"], piece=1 if len(recorded["body"]) < 4000 else 61)
    _, single = await post(setup, "/v1/chat/completions", body, authorization=f"Bearer {MASTER}")
    assert single == whole
    assert whole.endswith(b"data: [DONE]\n\n")
    deltas = [choice["delta"] for chunk in chunks(whole.decode()) for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == said(recorded).text


async def test_the_ledger_has_what_was_reported(setup: Played) -> None:
    recorded = load(FILES[0])
    setup.answer(recorded["body"])
    path = f"/v1beta/models/google/{recorded['model']}:generateContent"
    await post(setup, path, recorded["request"], **{"X-Request-ID": "gemini-ledger"})
    row = await setup.gateway.row()
    assert row["request_id"] == "gemini-ledger"
    (attempt,) = row["attempts"]
    assert attempt["raw_usage"] == json.loads(recorded["body"])["usageMetadata"]
    assert attempt["provenance"] == "reported"
