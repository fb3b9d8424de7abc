"""The real OpenAI SDK over accounts that speak the other of OpenAI's two chat dialects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel

from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.processes import SandboxProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = [
    "sandbox-echo",
    "sandbox-tools",
    "sandbox-reasoning",
    "sandbox-echo+cut=700",
    "sandbox-echo+cutframed=900",
    "sandbox-echo+errorchunk",
    "sandbox-echo+status=429",
]
TOOL: Any = {
    "type": "function",
    "name": "add",
    "description": "Add to a number",
    "parameters": {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    },
    "strict": True,
}
CHAT_TOOL: Any = {
    "type": "function",
    "function": {name: TOOL[name] for name in ("name", "description", "parameters", "strict")},
}


class Answer(BaseModel):
    """What `parse` is to make of an answer."""

    word: str
    number: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(
    sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Accounts: ``chats`` speaks openai.chat alone, ``responds`` openai.responses alone."""
    account = {
        "type": "openai_compatible",
        "base_url": f"{sandbox.url}/v1",
        "api_key": "sk-up-canary",
        "models": MODELS,
        "models_mode": "allowlist",
    }
    providers = {
        "chats": account | {"speaks": ["openai.chat"]},
        "responds": account | {"speaks": ["openai.responses"]},
    }
    folder = tmp_path_factory.mktemp("gateway")
    async with Served({"providers": providers, "auth": {"open": True}}, folder) as gateway:
        yield gateway.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    options: Any = {"max_retries": 0, "_strict_response_validation": True}
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", **options) as opened:
        yield opened


# ---------------------------------------------------------------- responses over chat


async def test_a_response(client: openai.AsyncOpenAI) -> None:
    reply = await client.responses.create(
        model="chats/sandbox-echo",
        instructions="Be brief",
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Hello there"}]}],
        metadata={"a": "b"},
        temperature=0.5,
    )
    assert reply.output_text == "Hello there"
    assert (reply.status, reply.object, reply.instructions) == ("completed", "response", "Be brief")
    assert (reply.metadata, reply.temperature) == ({"a": "b"}, 0.5)
    assert reply.id.startswith("resp_")
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens > 0


async def test_a_streamed_response(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "chats/sandbox-echo", "input": "Hello there, all of you"}
    kinds = []
    async with client.responses.stream(**asked) as stream:
        deltas = []
        async for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                deltas.append(event.delta)
                assert event.snapshot == "".join(deltas)
        final = await stream.get_final_response()
    assert len(deltas) > 1
    assert "".join(deltas) == final.output_text == "Hello there, all of you"
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    whole = await client.responses.create(**asked)
    assert [item.to_dict() for item in final.output] == [
        {**item.to_dict(), "content": [{**part, "parsed": None} for part in content(item)]}
        for item in whole.output
    ]
    assert final.usage == whole.usage


def content(item: Any) -> list[dict[str, Any]]:
    return [part.to_dict() for part in item.content]


async def test_thoughts(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "chats/sandbox-reasoning", "input": "Why?"}
    whole = await client.responses.create(**asked)
    async with client.responses.stream(**asked) as stream:
        final = await stream.get_final_response()
    reply: Any
    for reply in (whole, final):
        thought, message = reply.output
        assert thought.type == "reasoning"
        assert thought.content
        assert thought.content[0].text
        assert message.type == "message"
    assert whole.output[0].to_dict() == final.output[0].to_dict()
    again = await client.responses.create(
        model="chats/sandbox-echo",
        input=[
            {"role": "user", "content": "Why?"},
            *cast("Any", [item.to_dict() for item in whole.output]),
            {"role": "user", "content": "I see"},
        ],
    )
    assert again.output_text == "I see"


async def test_a_parsed_response(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "chats/sandbox-echo", "input": "Say", "text_format": Answer}
    reply = await client.responses.parse(**asked)
    assert isinstance(reply.output_parsed, Answer)
    async with client.responses.stream(**asked) as stream:
        final = await stream.get_final_response()
    assert final.output_parsed == reply.output_parsed


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools(client: openai.AsyncOpenAI, streamed: bool) -> None:
    history: list[Any] = [{"role": "user", "content": "Add 7, please"}]
    asked: Any = {"model": "chats/sandbox-tools", "tools": [TOOL]}
    if streamed:
        async with client.responses.stream(input=history, **asked) as stream:
            reply: Any = await stream.get_final_response()
    else:
        reply = await client.responses.create(input=history, **asked)
    (call,) = [item for item in reply.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("add", {"n": 7})
    history += [item.to_dict(exclude_unset=True) for item in reply.output]
    history[-1].pop("parsed_arguments", None)
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "It is 12"})
    final = await client.responses.create(input=history, **asked)
    assert final.status == "completed"
    assert final.output[-1].type == "message"
    assert "It is 12" in final.output_text


async def test_a_limit(client: openai.AsyncOpenAI) -> None:
    text = "one two three four five six seven eight nine ten " * 3
    asked: Any = {"model": "chats/sandbox-echo", "input": text, "max_output_tokens": 16}
    whole = await client.responses.create(**asked)
    stream = await client.responses.create(**asked, stream=True)
    *_, last = [event async for event in stream]
    assert last.type == "response.incomplete"
    for reply in (whole, last.response):
        assert reply.status == "incomplete"
        assert reply.incomplete_details is not None
        assert reply.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("fault", ["cut=700", "cutframed=900", "errorchunk"])
async def test_a_stream_that_fails(client: openai.AsyncOpenAI, fault: str) -> None:
    asked: Any = {"model": f"chats/sandbox-echo+{fault}", "input": "word " * 200, "stream": True}
    kinds = []
    try:
        async for event in await client.responses.create(**asked):
            kinds.append(event.type)
    except openai.APIError as error:
        kinds.append("error" if error.message else "")
    assert kinds[-1] in ("error", "response.failed")
    assert "response.completed" not in kinds


async def test_an_error(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await client.responses.create(model="chats/sandbox-echo+status=429", input="Hi")
    assert caught.value.type


async def test_what_is_wrong_is_named(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(
            model="chats/sandbox-echo", input=[cast("Any", {"type": "nonsense"})]
        )
    assert caught.value.param == "input[0]"


# ---------------------------------------------------------------- chat over responses


async def test_a_completion(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="responds/sandbox-echo",
        messages=[
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Hello there"},
        ],
    )
    (choice,) = reply.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello there", "stop")
    assert reply.usage is not None
    assert reply.usage.total_tokens > 0


async def test_a_streamed_completion(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(
        model="responds/sandbox-echo",
        messages=[{"role": "user", "content": "Hello there, all of you"}],
        stream_options={"include_usage": True},
    ) as stream:
        final = await stream.get_final_completion()
    (choice,) = final.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello there, all of you", "stop")
    assert final.usage is not None
    assert final.usage.total_tokens > 0


async def test_a_parsed_completion(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.parse(
        model="responds/sandbox-echo",
        messages=[{"role": "user", "content": "Say"}],
        response_format=Answer,
    )
    assert isinstance(reply.choices[0].message.parsed, Answer)


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_of_chat(client: openai.AsyncOpenAI, streamed: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": "Add 7, please"}]
    asked: Any = {"model": "responds/sandbox-tools", "tools": [CHAT_TOOL]}
    if streamed:
        async with client.chat.completions.stream(messages=messages, **asked) as stream:
            reply: Any = await stream.get_final_completion()
    else:
        reply = await client.chat.completions.create(messages=messages, **asked)
    (choice,) = reply.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", {"n": 7})
    called = {"id": call.id, "type": "function", "function": call.function.to_dict()}
    called["function"].pop("parsed_arguments", None)
    messages.append({"role": "assistant", "tool_calls": [called]})
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "It is 12"})
    final = await client.chat.completions.create(messages=messages, **asked)
    assert "It is 12" in (final.choices[0].message.content or "")


# ---------------------------------------------------------------- losses


async def test_losses_are_in_the_header(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "chats/sandbox-echo", "input": "Hi", "max_tool_calls": 3}
    raw = await client.responses.with_raw_response.create(**asked, text={"verbosity": "low"})
    assert raw.headers["x-gomodel-lossy"].split(",")[0] == "max_tool_calls"
    raw = await client.responses.with_raw_response.create(model="chats/sandbox-echo", input="Hi")
    assert "max_tool_calls" not in raw.headers.get("x-gomodel-lossy", "")


async def test_losses_of_a_stream_are_in_the_header(url: str) -> None:
    body = {
        "model": "responds/sandbox-echo",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "seed": 7,
        "stop": ["x"],
    }
    async with (
        aiohttp.ClientSession() as web,
        web.post(f"{url}/v1/chat/completions", json=body) as reply,
    ):
        assert reply.status == 200
        assert set(reply.headers["x-gomodel-lossy"].split(",")) == {"seed", "stop"}
        assert (await reply.read()).endswith(b"data: [DONE]\n\n")


async def test_strict_mode_refuses_what_would_be_lost(client: openai.AsyncOpenAI) -> None:
    strict = {"X-GoModel-Strict": "1"}
    asked: Any = {"model": "chats/sandbox-echo", "extra_headers": strict}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(**asked, input="Hi", max_tool_calls=3)
    assert (caught.value.param, caught.value.code) == ("max_tool_calls", "lossy_translation")
    reply = await client.responses.create(**asked, input="Hi", temperature=0.5)
    assert reply.output_text == "Hi"
