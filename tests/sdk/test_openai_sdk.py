"""The real OpenAI SDK, with only its base URL and key changed."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel

from gomodel_proxy.testing.served import Served
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gomodel_proxy.testing.processes import SandboxProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-application"
LIMITED = "sandbox-echo+status=429+retry_after=60"  # longer than the gateway would wait itself
ENDLESS = "sandbox-echo+rate=20+events=100000"
SILENT = "sandbox-echo+hang"
SLASHED = "meta-llama/Llama-3.3:free"
FAULTS = (
    "cut=0",
    "cut=700",
    "cutframed=700",
    "cut=4000",
    "cutframed=4000",
    "malformed",
    "errorchunk",
    "nodone",
    "nousage",
    "html",
    "json",
    "empty",
    "status=400",
    "status=401",
    "status=500",
)
MODELS = [
    "sandbox-echo",
    "sandbox-text",
    "sandbox-tools",
    "sandbox-reasoning",
    "sandbox-embedding",
    "sandbox-moderation",
    LIMITED,
    ENDLESS,
    SILENT,
    SLASHED,
    *(f"sandbox-text+{fault}" for fault in FAULTS),
]
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


class Backend:
    """A gateway, and the upstream behind it where that is another process."""

    def __init__(self, gateway: Served, web: aiohttp.ClientSession, upstream: str | None) -> None:
        self.gateway = gateway
        self._web = web
        self._upstream = upstream

    def options(self, **more: Any) -> dict[str, Any]:
        strict = {"_strict_response_validation": True}
        base = {"base_url": f"{self.gateway.url}/v1", "api_key": KEY, "max_retries": 0}
        return {**strict, **base, **more}

    async def row(self) -> dict[str, Any]:
        """Return the newest row of the ledger."""
        url = f"{self.gateway.url}/admin/usage/log?limit=1"
        async with self._web.get(url, headers={"x-api-key": KEY}) as reply:
            return (await reply.json())["data"][0]

    async def states(self, model: str) -> list[str]:
        """Return how the upstream saw the requests for a model end."""
        if self._upstream is None:
            return []
        async with self._web.get(f"{self._upstream}/_sandbox/log") as reply:
            entries = (await reply.json())["requests"]
        return [entry["state"] for entry in entries if entry["model"] == model]

    async def cancelled(self, model: str) -> None:
        """Wait until the gateway and its upstream have let the last request for a model go."""
        generation = self.gateway.gateway.generation
        await until(lambda: generation.running == 0)
        row = await self.row()
        assert (row["status"], row["served_model"]) == ("cancelled", model)
        async with asyncio.timeout(5):
            while "accepted" in await self.states(model):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
        assert set(await self.states(model)) <= {"disconnected"}


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["in process", "over TCP", "slow lane"]
)
async def backend(
    request: pytest.FixtureRequest,
    sandbox: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Backend]:
    account: dict[str, Any] = {"type": "sandbox"}
    upstream = None
    if request.param != "in process":
        upstream = sandbox.url
        account = {
            "type": "openai_compatible",
            "base_url": f"{sandbox.url}/v1",
            "api_key": "sk-up-canary",
        }
    account |= {"models": MODELS, "models_mode": "allowlist"}
    config = {
        "server": {"fast_lane": request.param != "slow lane"},
        "providers": {"up": account},
        "auth": {"keys": {"app": {"key": KEY, "user_path": "/team"}}},
    }
    folder = tmp_path_factory.mktemp("gateway")
    async with Served(config, folder) as gateway, aiohttp.ClientSession() as web:
        yield Backend(gateway, web, upstream)


# Making a client takes longer than all that most tests do with it.
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(backend: Backend) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(**backend.options()) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lenient(backend: Backend) -> AsyncIterator[openai.AsyncOpenAI]:
    """The SDK as it usually is: its strict mode refuses some of what OpenAI itself sends."""
    options = backend.options(_strict_response_validation=False)
    async with openai.AsyncOpenAI(**options) as opened:
        yield opened


@pytest.fixture(scope="module")
def threaded(backend: Backend) -> Iterator[Callable[[Callable[[openai.OpenAI], Any]], Any]]:
    """Return what runs a function with the synchronous SDK, beside the gateway's loop."""
    with openai.OpenAI(**backend.options()) as opened:
        yield lambda work: asyncio.to_thread(work, opened)


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
        assert [model.id for model in listed] == [f"up/{name}" for name in MODELS]
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


# ------------------------------------------------------------------------------
# Errors
# ------------------------------------------------------------------------------


async def test_a_wrong_key(backend):
    async with openai.AsyncOpenAI(**backend.options(api_key="sk-unknown")) as stranger:
        for call in (
            stranger.models.list(),
            stranger.chat.completions.create(model="sandbox-echo", messages=MESSAGES),
        ):
            with pytest.raises(openai.AuthenticationError) as refused:
                await call
            assert refused.value.code == "invalid_api_key"
            assert "sk-unknown" not in str(refused.value)


async def test_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError, match="sandbox-echo") as missing:
        await client.chat.completions.create(model="sandbox-ecko", messages=MESSAGES)
    assert missing.value.code == "model_not_found"
    assert missing.value.request_id.startswith("req_")


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": []}, "messages"),  # ours to say
        ({"messages": [{"role": "nobody"}]}, "messages[0].role"),  # the vendor's
    ],
)
async def test_a_bad_request(client, members, param):
    with pytest.raises(openai.BadRequestError) as wrong:
        await client.chat.completions.create(model="sandbox-echo", **members)
    assert wrong.value.param == param
    assert wrong.value.type == "invalid_request_error"


async def test_a_rate_limit(client, threaded):
    def work(sdk):
        return sdk.chat.completions.create(model=LIMITED, messages=MESSAGES)

    for call in (lambda: work(client), lambda: threaded(work)):
        with pytest.raises(openai.RateLimitError) as limited:
            await call()
        assert limited.value.response.headers["retry-after"] == "60"
        assert limited.value.type == "rate_limit_error"
        assert limited.value.code == "too_many_requests"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("status=400", openai.BadRequestError),
        ("status=401", openai.AuthenticationError),
        ("status=500", openai.InternalServerError),
        ("html", openai.InternalServerError),
        ("json", openai.InternalServerError),
        ("empty", openai.InternalServerError),
        ("cut=0", openai.InternalServerError),
    ],
)
async def test_a_stream_that_never_began_is_an_ordinary_error(client, backend, fault, error):
    with pytest.raises(error) as failed:
        await client.chat.completions.create(
            model=f"sandbox-text+{fault}", messages=MESSAGES, stream=True
        )
    assert failed.value.message
    assert failed.value.response.json()["error"]["message"]
    assert (await backend.row())["status"] == "error"


BROKEN = ["cut=700", "cutframed=700", "malformed", "errorchunk"]


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_chat_stream_that_breaks_raises(client, backend, fault):
    asked: Any = {"model": f"sandbox-text+{fault}", "messages": MESSAGES}
    stream = await client.chat.completions.create(**asked, stream=True)
    said = []
    with pytest.raises(openai.APIError) as failed:
        async for chunk in stream:
            said.append(chunk.choices[0].delta.content or "")
    assert type(failed.value) is openai.APIError
    assert failed.value.message
    assert failed.value.type in ("upstream_error", "server_error")
    assert "".join(said)
    row = await backend.row()
    assert row["status"] == row["attempts"][0]["status"] == "error"
    with pytest.raises(openai.APIError):
        async with client.chat.completions.stream(**asked) as helper:
            await helper.get_final_completion()


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_chat_stream_that_breaks_raises_in_a_thread(threaded, fault):
    def work(sdk):
        asked: Any = {"model": f"sandbox-text+{fault}", "messages": MESSAGES}
        with pytest.raises(openai.APIError) as failed:
            list(sdk.chat.completions.create(**asked, stream=True))
        return type(failed.value)

    assert await threaded(work) is openai.APIError


@pytest.mark.parametrize("fault", ["cut=4000", "cutframed=4000", "malformed"])
async def test_a_response_stream_that_breaks_raises(client, backend, fault):
    asked: Any = {"model": f"sandbox-text+{fault}", "input": "Hi"}
    stream = await client.responses.create(**asked, stream=True)
    with pytest.raises(openai.APIError) as failed:
        async for _ in stream:
            pass
    assert type(failed.value) is openai.APIError
    assert failed.value.message
    assert failed.value.type == "upstream_error"
    assert (await backend.row())["status"] == "error"
    with pytest.raises(openai.APIError):
        async with client.responses.stream(**asked) as helper:
            await helper.get_final_response()


async def test_a_documented_error_event_stays_as_the_vendor_sent_it(client):
    stream = await client.responses.create(model="sandbox-text+errorchunk", input="Hi", stream=True)
    last = [event async for event in stream][-1]
    assert (last.type, last.code) == ("error", "server_error")


async def test_a_completion_stream_that_breaks_raises(lenient):
    stream = await lenient.completions.create(
        model="sandbox-text+cut=700", prompt="Hi", stream=True
    )
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass


@pytest.mark.parametrize("fault", ["nodone", "nousage"])
async def test_a_careless_stream_is_still_whole(client, backend, fault):
    stream = await client.chat.completions.create(
        model=f"sandbox-text+{fault}", messages=MESSAGES, stream=True
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "stop"
    row = await backend.row()
    assert row["status"] == "ok"
    provenance = "partial" if fault == "nousage" else "reported"
    assert row["attempts"][0]["provenance"] == provenance


# ------------------------------------------------------------------------------
# Leaving early
# ------------------------------------------------------------------------------


async def test_closing_a_stream_lets_the_upstream_go(client, backend):
    stream = await client.chat.completions.create(model=ENDLESS, messages=MESSAGES, stream=True)
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    await stream.close()
    await backend.cancelled(ENDLESS)


async def test_closing_a_stream_in_a_thread_lets_the_upstream_go(threaded, backend):
    def work(sdk):
        with sdk.responses.stream(model=ENDLESS, input="Hi") as stream:
            return next(iter(stream)).type

    assert await threaded(work) == "response.created"
    await backend.cancelled(ENDLESS)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_timeout_lets_the_upstream_go(client, backend, streamed):
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.2).chat.completions.create(
            model=SILENT, messages=MESSAGES, stream=streamed
        )
    await backend.cancelled(SILENT)


@pytest.mark.parametrize("streamed", [False, True])
async def test_cancelling_lets_the_upstream_go(client, backend, streamed):
    generation = backend.gateway.gateway.generation
    call = asyncio.create_task(
        client.chat.completions.create(model=SILENT, messages=MESSAGES, stream=streamed)
    )
    await until(lambda: generation.running == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await backend.cancelled(SILENT)
