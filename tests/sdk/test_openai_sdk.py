"""The real OpenAI SDK, with only its base URL and key changed."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import openai
import pytest
from pydantic import BaseModel

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLASHED = "meta-llama/Llama-3.3:free"
SAID = "Tell me of the sea, please."
MESSAGES: Any = [{"role": "user", "content": SAID}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": PARAMETERS, "strict": True},
}
RESPONSE_TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": PARAMETERS,
    "strict": True,
}


class City(BaseModel):
    name: str
    people: int | None
    twin: City | None
    rivers: list[str]


# ------------------------------------------------------------------------------
# Chat
# ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["sandbox-echo", "up/sandbox-echo"])
async def test_chat(client, backend, model):
    reply = await client.chat.completions.create(model=model, messages=MESSAGES)
    assert reply.choices[0].message.content == SAID
    assert reply.model_extra == {"provider": "up"}
    assert reply._request_id.startswith("req_")
    row = await backend.row()
    assert (row["request_id"], row["status"]) == (reply._request_id, "ok")
    assert row["attempts"][0]["input_tokens"] == reply.usage.prompt_tokens
    assert row["attempts"][0]["output_tokens"] == reply.usage.completion_tokens
    assert (row["principal"], row["user_path"]) == ("app", "/team")


async def test_chat_in_a_thread(threaded):
    reply = await threaded(
        lambda sdk: sdk.chat.completions.create(model="sandbox-echo", messages=MESSAGES)
    )
    assert reply.choices[0].message.content == SAID


async def test_the_provider_may_be_named_in_the_body(client):
    reply = await client.chat.completions.create(
        model="sandbox-echo", messages=MESSAGES, extra_body={"provider": "up"}
    )
    assert reply.choices[0].message.content == SAID


@pytest.mark.parametrize("asked", [None, False, True])
async def test_a_chat_stream_counts_only_if_asked(client, backend, asked):
    options: Any = openai.omit if asked is None else {"include_usage": asked}
    stream = await client.chat.completions.create(
        model="sandbox-echo", messages=MESSAGES, stream=True, stream_options=options
    )
    chunks = [chunk async for chunk in stream]
    counted = chunks.pop() if asked else None
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    attempt = (await backend.row())["attempts"][0]
    assert attempt["provenance"] == "reported"
    assert attempt["output_tokens"] > 0
    if counted is not None:
        assert counted.choices == []
        assert counted.usage.prompt_tokens == attempt["input_tokens"]
        assert counted.usage.completion_tokens == attempt["output_tokens"]


async def test_a_chat_stream_in_a_thread(threaded):
    def work(sdk):
        stream = sdk.chat.completions.create(model="sandbox-echo", messages=MESSAGES, stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert await threaded(work) == SAID


async def test_a_streaming_response(client):
    async with client.chat.completions.with_streaming_response.create(
        model="sandbox-echo", messages=MESSAGES, stream=True
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-gomodel-provider"] == "up"
        lines = [line async for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert all(json.loads(line.removeprefix("data: ")) for line in lines[:-1])


async def test_a_streaming_response_in_a_thread(threaded):
    def work(sdk):
        with sdk.chat.completions.with_streaming_response.create(
            model="sandbox-echo", messages=MESSAGES
        ) as response:
            return response.headers["x-gomodel-provider"], response.parse()

    provider, reply = await threaded(work)
    assert (provider, reply.choices[0].message.content) == ("up", SAID)


async def test_a_raw_response(client, backend):
    raw = await client.chat.completions.with_raw_response.create(
        model="sandbox-echo",
        messages=MESSAGES,
        extra_headers={"X-Request-ID": "mine-1", "X-Client-Request-Id": "x"},
    )
    assert raw.headers["x-request-id"] == "mine-1"
    assert raw.headers["x-gomodel-provider"] == "up"
    assert raw.headers["content-type"] == "application/json"
    fast = backend.gateway.gateway.configuration.server.fast_lane
    assert ("aiohttp" in raw.headers.get("server", "")) == (not fast)
    assert raw.parse().choices[0].message.content == SAID


async def test_a_raw_response_in_a_thread(threaded):
    raw = await threaded(
        lambda sdk: sdk.chat.completions.with_raw_response.create(
            model="sandbox-echo", messages=MESSAGES
        )
    )
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.parse().choices[0].message.content == SAID


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_and_answers(client, streamed):
    asked = {"model": "sandbox-tools", "tools": [TOOL], "parallel_tool_calls": False}
    message = (await _completion(client, streamed, messages=MESSAGES, **asked)).choices[0].message
    (call,) = message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city", "days"}
    said = {"role": "assistant", "tool_calls": [_plain(call)]}
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    reply = await _completion(client, streamed, messages=[*MESSAGES, said, result], **asked)
    assert reply.choices[0].message.content == "The tool answered: rain"
    assert reply.choices[0].finish_reason == "stop"


async def _completion(client: openai.AsyncOpenAI, streamed: bool, **asked: Any) -> Any:
    if not streamed:
        return await client.chat.completions.create(**asked)
    async with client.chat.completions.stream(**asked) as stream:
        return await stream.get_final_completion()


def _plain(call: Any) -> dict[str, Any]:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


async def test_chat_parse(client):
    reply = await client.chat.completions.parse(
        model="sandbox-text", messages=MESSAGES, response_format=City
    )
    assert isinstance(reply.choices[0].message.parsed, City)


async def test_chat_parse_in_a_thread(threaded):
    reply = await threaded(
        lambda sdk: sdk.chat.completions.parse(
            model="sandbox-text", messages=MESSAGES, response_format=City
        )
    )
    assert isinstance(reply.choices[0].message.parsed, City)


async def test_the_chat_stream_helper(client):
    async with client.chat.completions.stream(
        model="sandbox-text",
        messages=MESSAGES,
        response_format=City,
        stream_options={"include_usage": True},
    ) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= set(kinds)
    assert isinstance(final.choices[0].message.parsed, City)
    assert final.usage.total_tokens > 0


async def test_several_choices_and_reasoning(client):
    reply = await client.chat.completions.create(
        model="sandbox-reasoning", messages=MESSAGES, n=2, max_completion_tokens=2000
    )
    assert [choice.index for choice in reply.choices] == [0, 1]
    assert reply.usage.completion_tokens_details.reasoning_tokens > 0


# ------------------------------------------------------------------------------
# Responses
# ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "sandbox-text"},
        {"model": "up/sandbox-reasoning", "max_output_tokens": 3},
        {"model": "sandbox-tools", "tools": [RESPONSE_TOOL]},
    ],
)
async def test_responses_whole_and_streamed(client, backend, asked):
    whole = await client.responses.create(input=SAID, **asked)
    stream = await client.responses.create(input=SAID, stream=True, **asked)
    events = [event async for event in stream]
    assert events[0].type == "response.created"
    assert events[-1].type == f"response.{whole.status}"
    assert events[-1].response.output == whole.output
    assert [event.sequence_number for event in events] == list(range(len(events)))
    attempt = (await backend.row())["attempts"][0]
    assert attempt["input_tokens"] == whole.usage.input_tokens
    assert attempt["output_tokens"] == whole.usage.output_tokens


async def test_responses_in_a_thread(threaded):
    def work(sdk):
        whole = sdk.responses.create(model="sandbox-echo", input=SAID)
        with sdk.responses.stream(model="sandbox-echo", input=SAID) as stream:
            for _ in stream:
                pass
            return whole, stream.get_final_response()

    whole, streamed = await threaded(work)
    assert whole.output_text == streamed.output_text == SAID


async def test_responses_stream_and_parse(client):
    async with client.responses.stream(model="sandbox-text", input="Hi", text_format=City) as s:
        kinds = [event.type async for event in s]
        final = await s.get_final_response()
    parsed = await client.responses.parse(model="sandbox-text", input="Hi", text_format=City)
    assert kinds[-1] == "response.completed"
    assert isinstance(parsed.output_parsed, City)
    assert final.output_parsed == parsed.output_parsed


async def test_a_function_call_is_answered_in_responses(client):
    asked: Any = {"model": "sandbox-tools", "tools": [RESPONSE_TOOL]}
    question = {"role": "user", "content": "Weather?"}
    first = await client.responses.create(input=[question], **asked)
    (call,) = first.output
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = await client.responses.create(input=[question, call.model_dump(), result], **asked)
    assert second.output_text == "The tool answered: rain"


async def test_a_response_of_somebody_else_does_not_exist(client):
    with pytest.raises(openai.NotFoundError) as missing:
        await client.responses.create(
            model="sandbox-echo", input="Hi", previous_response_id="resp_not_mine"
        )
    assert missing.value.code == "response_not_found"


# ------------------------------------------------------------------------------
# The other operations
# ------------------------------------------------------------------------------


async def test_embeddings_in_both_encodings(client, lenient, backend):
    asked: Any = {"model": "up/sandbox-embedding", "input": ["the sea", "a loud engine"]}
    packed = await lenient.embeddings.create(**asked)  # base64, which the SDK unpacks
    plain = await client.embeddings.create(**asked, encoding_format="float")
    bare = await lenient.embeddings.create(**asked, encoding_format="base64")
    assert packed.data == plain.data
    assert isinstance(bare.data[0].embedding, str)
    assert math.isclose(sum(x * x for x in plain.data[0].embedding), 1, rel_tol=1e-6)
    row = await backend.row()
    assert row["operation"] == "embeddings"
    assert row["attempts"][0]["input_tokens"] == plain.usage.prompt_tokens == 5


async def test_embeddings_in_a_thread(threaded):
    reply = await threaded(
        lambda sdk: sdk.embeddings.create(
            model="sandbox-embedding", input="Hi", encoding_format="float"
        )
    )
    assert len(reply.data) == 1


async def test_moderations(client):
    reply = await client.moderations.create(
        model="sandbox-moderation", input=["a walk", "an act of violence"]
    )
    assert [result.flagged for result in reply.results] == [False, True]


async def test_completions(client, lenient):
    asked: Any = {"model": "sandbox-echo", "prompt": ["one two", "three"]}
    whole = await client.completions.create(**asked)
    assert [choice.text for choice in whole.choices] == ["one two", "three"]
    stream = await lenient.completions.create(**asked, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices for chunk in chunks)
    said = [choice.text for chunk in chunks for choice in chunk.choices if choice.index == 0]
    assert "".join(said) == "one two"


# A connection that a GET went over is out of the fast lane, so these have clients of their own.


async def test_models(backend):
    async with openai.AsyncOpenAI(**backend.options()) as client:
        listed = [model async for model in client.models.list()]
        assert [model.id for model in listed] == [f"up/{name}" for name in backend.models]
        for name in ("sandbox-echo", SLASHED):
            found = await client.models.retrieve(f"up/{name}")
            assert found in listed
            assert await client.models.retrieve(name) == found
        with pytest.raises(openai.NotFoundError) as missing:
            await client.models.retrieve("up/sandbox-ecko")
        assert missing.value.code == "model_not_found"


async def test_models_in_a_thread(backend):
    def work():
        with openai.OpenAI(**backend.options()) as client:
            return [model.id for model in client.models.list()]

    assert f"up/{SLASHED}" in await asyncio.to_thread(work)
