"""Recorded traffic of Anthropic's, through a gateway: to its own callers, and to OpenAI's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types.chat import ChatCompletion

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
if not RECORDED.is_dir():
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

FILES = sorted(f"anthropic/{path.name}" for path in (RECORDED / "anthropic").glob("*.json"))
MESSAGES = [file for file in FILES if "/anthropic--" in file]
STREAMS = [file for file in MESSAGES if json.loads((RECORDED / file).read_text("utf-8"))["stream"]]
pytestmark = [pytest.mark.recorded, pytest.mark.asyncio(loop_scope="module")]
HELLO: Any = [{"role": "user", "content": "Hi"}]
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "stop",
    "refusal": "content_filter",
}


def request(recorded: Any) -> dict[str, Any]:
    """Return the recorded request, or one where none was recorded, for the model ``claude``."""
    body = recorded["request"] or {"max_tokens": 9, "messages": HELLO}
    return {**body, "model": "claude/claude-sonnet-4-5"}


def message(recorded: Any) -> Any:
    """Return the recorded message, put together if it was streamed."""
    if not recorded["stream"]:
        return json.loads(recorded["body"])
    whole: Any = {}
    for line in recorded["body"].splitlines():
        if not line.startswith("data: "):
            continue
        event = json.loads(line[6:])
        kind, content = event["type"], whole.get("content")
        if kind == "message_start":
            whole = event["message"]
        elif kind == "content_block_start":
            content.append(event["content_block"])
        elif kind == "content_block_delta":
            _add(content[event["index"]], event["delta"])
        elif kind == "message_delta":
            whole |= event["delta"]
            whole["usage"] |= event["usage"]
    return whole


def _add(block: Any, delta: Any) -> None:
    if delta["type"] == "input_json_delta":
        block["json"] = block.get("json", "") + delta["partial_json"]
        if block["json"].endswith("}"):
            block["input"] = json.loads(block["json"])
    else:
        if delta["type"] == "citations_delta":
            return  # OpenAI's callers get those of pages, which other tests hold
        name = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
        block[name[delta["type"]]] += delta[name[delta["type"]]]


async def post(url: str, body: Any, **headers: str) -> tuple[int, Any, bytes]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, json=body, headers=headers) as response,
    ):
        return response.status, response.headers, await response.read()


@pytest.mark.parametrize("file", FILES)
async def test_its_own_callers_lose_nothing(
    setup: Any, recording: Callable[[str], Any], file: str
) -> None:
    recorded = recording(file)
    sent = request(recorded)
    path = "/v1/messages/count_tokens" if "anthropic-count" in file else "/v1/messages"
    setup.answer(recorded["body"])
    status, headers, got = await post(
        setup.url + path,
        {**sent, "provider": "claude"},
        **{"anthropic-version": "2023-06-01", "anthropic-beta": "mine-1"},
    )
    assert status == 200
    assert setup.sent == {**sent, "model": "claude-sonnet-4-5"}
    assert setup.asked.head.startswith(f"POST {path} ".encode())
    assert setup.asked.header("x-api-key") == "sk-ant-canary-0123456789"
    assert setup.asked.header("anthropic-version") == "2023-06-01"
    assert setup.asked.header("anthropic-beta") == "always-2026-01-01,mine-1"
    assert headers["x-gomodel-provider"] == "claude"
    if recorded["stream"]:
        assert got == recorded["body"].encode()
    else:
        assert json.loads(got) == {"provider": "claude", **json.loads(recorded["body"])}


@pytest.mark.parametrize("file", MESSAGES)
async def test_openais_callers_get_what_was_said(
    setup: Any, recording: Callable[[str], Any], file: str
) -> None:
    recorded = recording(file)
    pieces = (0, 1) if recorded["stream"] else (0,)
    client = openai.AsyncOpenAI(base_url=f"{setup.url}/v1", api_key="x", max_retries=0)
    for piece in pieces:
        setup.answer(recorded["body"], piece=piece)
        _check(await _complete(client, recorded["stream"]), message(recorded))
    await client.close()


async def _complete(client: openai.AsyncOpenAI, streamed: bool) -> ChatCompletion:
    model = "claude/claude-sonnet-4-5"
    if not streamed:
        return await client.chat.completions.create(model=model, messages=HELLO)
    async with client.chat.completions.stream(
        model=model, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        return await stream.get_final_completion()


def _check(got: ChatCompletion, said: Any) -> None:
    (choice,) = got.choices
    texts = [block["text"] for block in said["content"] if block["type"] == "text"]
    assert (choice.message.content or "") == "".join(texts)
    calls = [block for block in said["content"] if block["type"] == "tool_use"]
    found = [
        (call.id, call.function.name, json.loads(call.function.arguments))  # type: ignore[union-attr]
        for call in choice.message.tool_calls or ()
    ]
    assert found == [(call["id"], call["name"], call["input"]) for call in calls]
    assert choice.finish_reason == REASONS[said["stop_reason"]]
    thoughts = [block["thinking"] for block in said["content"] if block["type"] == "thinking"]
    assert getattr(choice.message, "reasoning_content", "") == "".join(thoughts)
    _check_usage(got, said["usage"])


def _check_usage(got: ChatCompletion, usage: Any) -> None:
    assert got.usage is not None
    read = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    assert got.usage.prompt_tokens == usage["input_tokens"] + read + written
    assert got.usage.completion_tokens == usage["output_tokens"]
    assert got.usage.prompt_tokens_details is not None
    assert got.usage.prompt_tokens_details.cached_tokens == read


@pytest.mark.parametrize("file", STREAMS)
async def test_a_cut_is_told_in_the_callers_dialect(
    setup: Any, recording: Callable[[str], Any], file: str
) -> None:
    body = recording(file)["body"].encode()
    said = body.index(b"\n\n", body.index(b"event: message_delta"))
    asked = {"model": "claude/claude-opus-5", "messages": HELLO, "stream": True}
    begun = body.index(b"\n\n") + 2  # before that, the answer is an ordinary error
    for cut in (*range(begun, said, 211), said - 1, said, said + 9, len(body)):
        setup.answer(body[:cut], cut=True)
        whole = cut >= said
        _, _, got = await post(f"{setup.url}/v1/chat/completions", asked)
        assert (got.endswith(b"data: [DONE]\n\n"), b'"error":' in got) == (whole, not whole)
        _, _, got = await post(f"{setup.url}/v1/messages", {**asked, "max_tokens": 9})
        last = got.split(b"\n\n")[-2]
        assert last.startswith(b"event: message_stop\n" if whole else b"event: error\n"), cut
