"""The real google-genai SDK, with only its base URL and key changed, over any vendor."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai import errors, types

from gomodel_proxy.testing.served import Served

from .conftest import KEY, MASTER
from .recorded import files, load, said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gomodel_proxy.testing.played import Played
    from gomodel_proxy.testing.processes import SandboxProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:Inheritance class Aiohttp:DeprecationWarning"),  # the SDK's
]

WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="What the weather is.",
            parameters_json_schema={
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        )
    ]
)


def client(url: str, key: str = MASTER) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sdk(setup: Played) -> AsyncIterator[genai.Client]:
    made = client(setup.url)
    yield made
    await made.aio.aclose()


def completion(**message: Any) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}}
    choice["finish_reason"] = "tool_calls" if "tool_calls" in message else "stop"
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "gpt-x",
            "choices": [choice],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
        }
    )


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}


@pytest.mark.recorded
@pytest.mark.parametrize("file", files("gemini"))
async def test_recordings(setup: Played, sdk: genai.Client, file: str) -> None:
    recorded = load(file)
    want = said(recorded)
    setup.answer(recorded["body"])
    model = f"google/{recorded['model']}"
    if recorded["stream"]:
        stream = await sdk.aio.models.generate_content_stream(model=model, contents="Hi")
        replies = [reply async for reply in stream]
    else:
        replies = [await sdk.aio.models.generate_content(model=model, contents="Hi")]
    parts = [part for one in replies for c in one.candidates for part in c.content.parts or ()]
    assert "".join(part.text for part in parts if part.text and not part.thought) == want.text
    assert "".join(part.text for part in parts if part.text and part.thought) == want.thoughts
    calls = [part.function_call for part in parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == want.calls
    last = replies[-1]
    assert last.candidates[0].finish_reason.value == want.finish
    assert last.usage_metadata.total_token_count == want.usage["totalTokenCount"]
    assert KEY in setup.asked.head.decode()


async def test_another_vendor_answers(setup: Played, sdk: genai.Client) -> None:
    setup.answer(completion(content="It rains.", reasoning_content="Clouds."))
    reply = await sdk.aio.models.generate_content(
        model="other/vendor/gpt-x",
        contents="How is it?",
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            temperature=0.5,
            max_output_tokens=99,
            stop_sequences=["END"],
            tools=[WEATHER],
            response_mime_type="application/json",
            response_schema={"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
        ),
    )
    assert setup.sent == {
        "model": "vendor/gpt-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How is it?"},
        ],
        "temperature": 0.5,
        "max_tokens": 99,
        "stop": ["END"],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "What the weather is.",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                },
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
            },
        },
    }
    assert reply.text == "It rains."
    assert reply.candidates is not None
    thought, _ = reply.candidates[0].content.parts  # type: ignore[union-attr,misc]
    assert (thought.thought, thought.text) == (True, "Clouds.")
    usage = reply.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (10, 4)
    assert (usage.candidates_token_count, usage.thoughts_token_count) == (3, 2)
    assert reply.model_version == "gpt-x"


async def test_a_tool_is_called_by_another_vendor(setup: Played, sdk: genai.Client) -> None:
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    setup.answer(completion(tool_calls=[{**CALL, "function": function}]))
    chat = sdk.aio.chats.create(
        model="other/gpt-x", config=types.GenerateContentConfig(tools=[WEATHER])
    )
    reply = await chat.send_message("How is it in Oslo?")
    (call,) = reply.function_calls or ()
    assert (call.id, call.name, call.args) == ("call_1", "weather", {"city": "Oslo"})
    setup.answer(completion(content="Cold."))
    result = types.Part(
        function_response=types.FunctionResponse(
            id=call.id, name="weather", response={"output": "-3"}
        )
    )
    assert (await chat.send_message([result])).text == "Cold."
    _, asked, answered = setup.sent["messages"]
    (again,) = asked["tool_calls"]
    assert json.loads(again["function"]["arguments"]) == {"city": "Oslo"}
    assert answered == {"role": "tool", "tool_call_id": again["id"], "content": "-3"}


async def test_a_stream_of_another_vendor(setup: Played, sdk: genai.Client) -> None:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x"}
    calls = [{"index": 0, **CALL}]
    more = [{"index": 0, "function": {"arguments": '{"city": "Oslo"}'}}]
    deltas: list[Any] = [{"content": "It "}, {"content": "is"}, {"tool_calls": calls}]
    deltas.append({"tool_calls": more})
    chunks = [{**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    chunks.append({**head, "choices": [], "usage": usage})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    setup.answer(body, piece=7)
    stream = await sdk.aio.models.generate_content_stream(model="other/gpt-x", contents="Hi")
    replies = [reply async for reply in stream]
    assert setup.sent["stream"] is True
    parts = [part for one in replies for part in one.candidates[0].content.parts]  # type: ignore[index,union-attr]
    assert "".join(part.text or "" for part in parts) == "It is"
    (call,) = [part.function_call for part in parts if part.function_call]
    assert (call.id, call.args) == ("call_1", {"city": "Oslo"})
    assert replies[-1].candidates[0].finish_reason.value == "STOP"  # type: ignore[index,union-attr]
    assert replies[-1].usage_metadata.total_token_count == 5  # type: ignore[union-attr]


async def test_errors_are_the_dialects(setup: Played, sdk: genai.Client) -> None:
    setup.answer('{"error": {"message": "too long", "type": "invalid_request_error"}}', status=400)
    with pytest.raises(errors.ClientError) as caught:
        await sdk.aio.models.generate_content(model="other/gpt-x", contents="Hi")
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert caught.value.message == "too long"
    told = {"code": 429, "message": "slowly", "status": "RESOURCE_EXHAUSTED"}
    setup.answer(json.dumps({"error": told}), status=429)
    with pytest.raises(errors.ClientError) as caught:
        await sdk.aio.models.generate_content(model="google/gemini-2.5-pro", contents="Hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(openai.RateLimitError, match="slowly") as refused:
        async with openai.AsyncOpenAI(
            base_url=f"{setup.url}/v1", api_key=MASTER, max_retries=0
        ) as chat:
            await chat.chat.completions.create(
                model="google/gemini-2.5-pro", messages=[{"role": "user", "content": "Hi"}]
            )
    assert refused.value.code == "RESOURCE_EXHAUSTED"


async def test_a_cut_stream_raises(setup: Played, sdk: genai.Client) -> None:
    reply = {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}
    setup.answer(f"data: {json.dumps(reply)}\n\n", cut=True)
    stream = await sdk.aio.models.generate_content_stream(
        model="google/gemini-2.5-pro", contents="Hi"
    )
    with pytest.raises(errors.APIError, match="closed the connection"):
        async for _ in stream:
            pass


async def test_a_wrong_key_and_a_wrong_alt(setup: Played) -> None:
    stranger = client(setup.url, "nobody")
    with pytest.raises(errors.ClientError) as caught:
        await stranger.aio.models.generate_content(model="google/gemini-2.5-pro", contents="Hi")
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    await stranger.aio.aclose()


async def test_the_sync_client(setup: Played) -> None:
    setup.answer(completion(content="Yes."))

    def ask() -> str | None:
        with client(setup.url) as sync:
            return sync.models.generate_content(model="other/gpt-x", contents="Hi").text

    assert await asyncio.to_thread(ask) == "Yes."


async def test_over_a_sandbox(sandbox: SandboxProcess, tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "plugins": {"enabled": ["gemini"]},
        "providers": {
            "box": {
                "type": "openai_compatible",
                "base_url": f"{sandbox.url}/v1",
                "api_key": "sk-box",
                "models": ["sandbox-echo", "sandbox-tools"],
                "models_mode": "allowlist",
            }
        },
    }
    async with Served(config, tmp_path) as gateway:
        made = client(gateway.url)
        reply = await made.aio.models.generate_content(model="sandbox-echo", contents="Tell me.")
        assert "Tell me." in (reply.text or "")
        stream = await made.aio.models.generate_content_stream(
            model="sandbox-echo", contents="Tell me."
        )
        pieces = [piece async for piece in stream]
        assert "".join(piece.text or "" for piece in pieces) == reply.text
        called = await made.aio.models.generate_content(
            model="sandbox-tools",
            contents="How is it?",
            config=types.GenerateContentConfig(tools=[WEATHER]),
        )
        (call,) = called.function_calls or ()
        assert (call.name, set(call.args or ())) == ("weather", {"city"})
        await made.aio.aclose()
