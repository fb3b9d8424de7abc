"""What the real OpenAI SDK makes of errors, broken streams and its own leaving early."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

from gomodel_proxy.testing.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITED = "sandbox-echo+status=429+retry_after=60"  # longer than the gateway would wait itself
ENDLESS = "sandbox-echo+rate=20+events=100000"
SILENT = "sandbox-echo+hang"
MESSAGES: Any = [{"role": "user", "content": "Tell me of the sea, please."}]

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
