"""The real Anthropic SDK, with only its base URL and key changed, over any vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import anthropic
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = [{"role": "user", "content": "Hi"}]
TOOL: Any = {
    "name": "f",
    "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "Let me see.",
                "reasoning_content": "Hm",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a": 1}'},
                    }
                ],
            },
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}


def chunks(*deltas: dict[str, Any], finish: str = "stop", done: bool = True) -> str:
    """Return a stream of OpenAI's chat."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x"}
    ends: list[Any] = [*[(delta, None) for delta in deltas], ({}, finish)]
    found = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in (ends if done else ends[:-1])
    ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    found += [{**head, "choices": [], "usage": usage}] if done else []
    texts = [json.dumps(one) for one in found] + (["[DONE]"] if done else [])
    return "".join(f"data: {text}\n\n" for text in texts)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(setup: Any) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=setup.url, api_key="any", max_retries=0) as one:
        yield one


async def create(client: anthropic.AsyncAnthropic, **more: Any) -> anthropic.types.Message:
    given = {"model": "other/gpt-x", "max_tokens": 99, "messages": HELLO, **more}
    return await client.messages.create(**given)


async def test_a_message_of_another_vendor(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    setup.answer(json.dumps(COMPLETION))
    message = await create(client, tools=[TOOL], system="Be kind.", stop_sequences=["END"])
    assert setup.sent["messages"][0] == {"role": "system", "content": "Be kind."}
    assert (setup.sent["model"], setup.sent["stop"]) == ("gpt-x", ["END"])
    assert setup.asked.header("anthropic-version") is None
    thought, text, call = message.content
    assert (thought.type, text.type, call.type) == ("thinking", "text", "tool_use")
    assert (text.text, call.id, call.input) == ("Let me see.", "call_1", {"a": 1})
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (6, 4)


async def test_a_stream_of_another_vendor(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        named = {"id": f"call_{index}"} if "name" in function else {}
        return {"tool_calls": [{"index": index, **named, "function": function}]}

    body = chunks(
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm"},
        {"content": "Let me"},
        {"content": " see."},
        call(0, name="f", arguments=""),
        call(0, arguments='{"a":'),
        call(1, name="g", arguments='{"b'),
        call(0, arguments=" 1}"),
        call(1, arguments='": 2}'),
        finish="tool_calls",
    )
    for piece in (0, 1):
        setup.answer(body, piece=piece)
        async with client.messages.stream(
            model="other/gpt-x", max_tokens=99, messages=HELLO, tools=[TOOL]
        ) as stream:
            said = "".join([text async for text in stream.text_stream])
            message = await stream.get_final_message()
        assert said == "Let me see."
        assert [block.type for block in message.content] == [
            "thinking",
            "text",
            "tool_use",
            "tool_use",
        ]
        calls = [(one.id, one.input) for one in message.content if one.type == "tool_use"]
        assert calls == [("call_0", {"a": 1}), ("call_1", {"b": 2})]
        assert message.stop_reason == "tool_use"
        assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)


async def test_a_conversation_goes_on(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    setup.answer(json.dumps(COMPLETION))
    first = await create(client, tools=[TOOL])
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "2", "is_error": True}
    history = [*HELLO, {"role": "assistant", "content": first.content}]
    await create(client, tools=[TOOL], messages=[*history, {"role": "user", "content": [result]}])
    _, said, told = setup.sent["messages"]
    assert said["tool_calls"][0]["id"] == told["tool_call_id"] == "call_1"
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"a": 1}


async def test_losses_are_said(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    setup.answer(json.dumps(COMPLETION))
    given: Any = {"model": "other/gpt-x", "max_tokens": 9, "messages": HELLO, "inference_geo": "us"}
    response = await client.messages.with_raw_response.create(**given)
    assert response.headers["x-gomodel-lossy"] == "inference_geo"
    before = setup.count
    with pytest.raises(anthropic.BadRequestError) as caught:
        await client.messages.create(**given, extra_headers={"X-GoModel-Strict": "1"})
    assert "inference_geo" in str(caught.value)
    assert setup.count == before


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ],
)
async def test_errors_of_either_vendor(
    setup: Any, client: anthropic.AsyncAnthropic, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    setup.answer(json.dumps({"error": {"message": "No.", "type": "x"}}), status=status)
    with pytest.raises(kind) as caught:
        await create(client)
    body: Any = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["message"] == "No."
    own = {"type": "error", "error": {"type": "x_error", "message": "No."}, "request_id": "r1"}
    setup.answer(json.dumps(own), status=status, retry_after="7")
    with pytest.raises(kind) as caught:
        await create(client, model="claude/claude-opus-5")
    assert caught.value.body == own
    assert caught.value.response.headers["retry-after"] == "7"


async def test_an_overloaded_vendor_for_openais_callers(setup: Any) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    setup.answer(json.dumps(error), status=529)
    before = setup.count
    body = {"model": "claude/claude-opus-5", "messages": HELLO}
    url = f"{setup.url}/v1/chat/completions"
    async with aiohttp.ClientSession() as one, one.post(url, json=body) as response:
        said = await response.json()
        assert response.status == 529
    assert said["error"] == {
        "message": "Overloaded",
        "type": "overloaded_error",
        "param": None,
        "code": None,
    }
    assert "type" not in said
    assert setup.count == before + 1


async def test_a_cut_stream_raises(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    setup.answer(chunks({"content": "Half"}, done=False), cut=True)
    with pytest.raises(anthropic.APIStatusError) as caught:
        async with client.messages.stream(
            model="other/gpt-x", max_tokens=9, messages=HELLO
        ) as stream:
            await stream.get_final_message()
    body: Any = caught.value.body
    assert body["error"]["type"] == "api_error"


async def test_what_makes_no_sense_is_refused_before_it_is_sent(
    setup: Any, client: anthropic.AsyncAnthropic
) -> None:
    before = setup.count
    with pytest.raises(anthropic.BadRequestError) as caught:
        await create(client, messages=[{"role": "user", "content": [{"type": "hologram"}]}])
    assert "messages[0].content[0]" in str(caught.value)
    assert setup.count == before


async def test_counting(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    setup.answer('{"input_tokens": 12}')
    count = await client.messages.count_tokens(model="claude/claude-opus-5", messages=HELLO)
    assert count.input_tokens == 12
    assert setup.asked.head.startswith(b"POST /v1/messages/count_tokens ")
    before = setup.count
    guess = await client.messages.count_tokens(model="other/gpt-x", messages=HELLO)
    assert 1 <= guess.input_tokens <= 10
    assert guess.model_extra == {"estimated": True}
    assert setup.count == before


async def test_counting_for_a_model_nobody_has(client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.count_tokens(model="other/none", messages=HELLO)


async def test_models(setup: Any, client: anthropic.AsyncAnthropic) -> None:
    listed = [model async for model in client.models.list(limit=2)]
    assert [model.id for model in listed] == [
        "claude/claude-sonnet-4-5",
        "claude/claude-opus-5",
        "other/gpt-x",
    ]
    assert {model.type for model in listed} == {"model"}
    assert (await client.models.retrieve("other/gpt-x")).display_name == "other/gpt-x"
    with pytest.raises(anthropic.NotFoundError) as caught:
        await client.models.retrieve("other/none")
    body: Any = caught.value.body
    assert body["type"] == "error"
    async with aiohttp.ClientSession() as one, one.get(f"{setup.url}/v1/models") as response:
        assert (await response.json())["object"] == "list"
