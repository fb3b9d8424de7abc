"""The real SDK, in its strict mode, against the server in a process of its own."""

import math

import openai
import pytest
from pydantic import BaseModel

MESSAGES = [{"role": "user", "content": "Tell me of the sea, please."}]
TOOL = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": TOOL}}
TOOL_OF_RESPONSES = {"type": "function", "name": "weather", "parameters": TOOL, "strict": True}


class City(BaseModel):
    name: str
    people: int | None
    twin: "City | None"
    rivers: list[str]


def options(process):
    return {
        "base_url": f"{process.url}/v1",
        "api_key": "sk-canary",
        "max_retries": 0,
        "_strict_response_validation": True,
    }


@pytest.fixture
def client(process):
    with openai.OpenAI(**options(process)) as opened:
        yield opened


@pytest.fixture
def lenient(process):
    """The SDK's usual mode: its strict one refuses what OpenAI itself sends in two places."""
    with openai.OpenAI(**options(process) | {"_strict_response_validation": False}) as opened:
        yield opened


def unknown_members(value, place=""):
    """Return every member that the SDK's types do not know."""
    if isinstance(value, BaseModel):
        found = [f"{place}.{name}" for name in value.model_extra or ()]
        for name in type(value).model_fields:
            found += unknown_members(getattr(value, name), f"{place}.{name}")
        return found
    if isinstance(value, list):
        return [name for item in value for name in unknown_members(item, f"{place}[]")]
    return []


def test_chat(client):
    reply = client.chat.completions.create(model="sandbox-echo", messages=MESSAGES)
    assert reply.choices[0].message.content == MESSAGES[0]["content"]
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert unknown_members(reply) == []


@pytest.mark.parametrize("model", ["sandbox-text", "sandbox-reasoning"])
def test_a_chat_stream_says_what_the_whole_reply_says(client, model):
    asked = {"model": model, "messages": MESSAGES, "n": 2}
    whole = client.chat.completions.create(**asked)
    usages = {"include_usage": True}
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options=usages))
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert {chunk.id for chunk in chunks} == {whole.id}
    for choice in whole.choices:
        deltas = [c for chunk in chunks for c in chunk.choices if c.index == choice.index]
        said = "".join(delta.delta.content or "" for delta in deltas)
        assert said == choice.message.content
        assert [d.finish_reason for d in deltas if d.finish_reason] == [choice.finish_reason]
    without = list(client.chat.completions.create(**asked, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in without)


def test_chat_tools_and_their_stream(client):
    asked = {"model": "sandbox-tools", "messages": MESSAGES, "tools": [CHAT_TOOL]}
    whole = client.chat.completions.create(**asked)
    assert unknown_members(whole) == []
    with client.chat.completions.stream(**asked) as stream:
        streamed = stream.get_final_completion()
    call = streamed.choices[0].message.tool_calls[0]
    assert call.id == whole.choices[0].message.tool_calls[0].id
    assert call.function.arguments == whole.choices[0].message.tool_calls[0].function.arguments
    assert streamed.choices[0].finish_reason == "tool_calls"


def test_chat_parse(client):
    reply = client.chat.completions.parse(
        model="sandbox-text", messages=MESSAGES, response_format=City
    )
    assert isinstance(reply.choices[0].message.parsed, City)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "sandbox-text"},
        {"model": "sandbox-reasoning", "max_output_tokens": 500},
        {"model": "sandbox-reasoning", "max_output_tokens": 3},
        {"model": "sandbox-tools", "tools": [TOOL_OF_RESPONSES]},
        {"model": "sandbox-echo+events=20", "instructions": "Be brief.", "metadata": {"a": "b"}},
    ],
)
def test_responses_whole_and_streamed(client, asked):
    whole = client.responses.create(input="Tell me of the sea.", **asked)
    assert unknown_members(whole) == []
    events = list(client.responses.create(input="Tell me of the sea.", stream=True, **asked))
    assert [name for event in events for name in unknown_members(event, event.type)] == []
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type == f"response.{whole.status}"
    assert events[-1].response == whole
    deltas = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert deltas == whole.output_text
    usage = whole.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_responses_accumulate_and_parse(client):
    with client.responses.stream(model="sandbox-text", input="Hi", text_format=City) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert isinstance(final.output_parsed, City)
    parsed = client.responses.parse(model="sandbox-text", input="Hi", text_format=City)
    assert parsed.output_parsed == final.output_parsed


def test_a_function_call_is_answered_in_responses(client):
    first = client.responses.create(
        model="sandbox-tools", input="Weather?", tools=[TOOL_OF_RESPONSES]
    )
    result = {
        "type": "function_call_output",
        "call_id": first.output[0].call_id,
        "output": "rain",
    }
    second = client.responses.create(
        model="sandbox-tools",
        tools=[TOOL_OF_RESPONSES],
        input=[{"role": "user", "content": "Weather?"}, first.output[0].model_dump(), result],
    )
    assert second.output_text == "The tool answered: rain"


def test_completions(client, lenient):
    asked = {"model": "sandbox-echo", "prompt": ["one two", "three"]}
    whole = client.completions.create(**asked)
    assert unknown_members(whole) == []
    assert [choice.text for choice in whole.choices] == ["one two", "three"]
    assert whole.usage.total_tokens == 6
    chunks = list(lenient.completions.create(**asked, stream=True))
    assert "".join(c.text for chunk in chunks for c in chunk.choices if c.index == 0) == "one two"


def test_embeddings_in_both_encodings(client, lenient):
    asked = {"model": "sandbox-embedding", "input": ["the sea", "the deep sea", "a loud engine"]}
    packed = lenient.embeddings.create(**asked)
    plain = client.embeddings.create(**asked, encoding_format="float")
    assert unknown_members(plain) == []
    assert packed.data == plain.data
    sea, deep, engine = (each.embedding for each in plain.data)
    assert len(sea) == 256
    assert math.isclose(sum(value * value for value in sea), 1, rel_tol=1e-6)
    near, far = (sum(a * b for a, b in zip(sea, v, strict=True)) for v in (deep, engine))
    assert near > far
    assert plain.usage.prompt_tokens == plain.usage.total_tokens == 2 + 3 + 3
    short = lenient.embeddings.create(model="sandbox-embedding", input=[1, 2, 3], dimensions=8)
    assert len(short.data[0].embedding) == 8 and short.usage.prompt_tokens == 3


def test_moderations(client):
    reply = client.moderations.create(input=["a walk", "an act of violence"])
    assert unknown_members(reply) == []
    assert [result.flagged for result in reply.results] == [False, True]
    assert reply.results[1].categories.violence


def test_models(client):
    listed = client.models.list()
    assert "sandbox-echo" in [model.id for model in listed.data]
    assert client.models.retrieve("sandbox-tools") in listed.data
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-0")


def test_errors(client):
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-0", messages=MESSAGES)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model="sandbox-echo", messages=[{"role": "nobody"}])
    assert wrong.value.param == "messages[0].role"
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(
            model="sandbox-echo+status=429+retry_after=7", messages=MESSAGES
        )
    assert limited.value.response.headers["retry-after"] == "7"
    assert limited.value.type == "rate_limit_error"


async def test_async(process):
    async with openai.AsyncOpenAI(**options(process)) as client:
        chunks = await client.chat.completions.create(
            model="sandbox-echo+chunk=7+first=20ms+gap=1ms", messages=MESSAGES, stream=True
        )
        said = [c.delta.content or "" async for chunk in chunks for c in chunk.choices]
        assert "".join(said) == MESSAGES[0]["content"]
        async with client.responses.stream(model="sandbox-text", input="Hi") as stream:
            kinds = [event.type async for event in stream]
        assert kinds[-1] == "response.completed"
        reply = await client.embeddings.create(
            model="sandbox-embedding", input="Hi", encoding_format="float"
        )
        assert len(reply.data) == 1
