"""Counting tokens: every dialect that counts, at every vendor that does, estimated elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import anthropic
import openai
import pytest
import pytest_asyncio

from gomodel_proxy.testing.played import played

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gomodel_proxy.testing.played import Played

pytestmark = pytest.mark.asyncio(loop_scope="module")

VENDORS = {
    "claude": ("anthropic", "/v1", b'{"input_tokens":41}'),
    "google": ("gemini", "/v1beta", b'{"totalTokens":41}'),
    "oai": ("openai", "/v1", b'{"object":"response.input_tokens","input_tokens":41}'),
}
TEXT = "How many tokens is this question, all told?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
PLACES = {
    "claude": "/v1/messages/count_tokens",
    "google": "/v1beta/models/any:countTokens",
    "oai": "/v1/responses/input_tokens",
}


def accounts(url: str) -> dict[str, dict[str, Any]]:
    one = {"api_key": "canary-0123456789", "models": ["any"], "models_mode": "allowlist"}
    found = {
        name: {"type": kind, "base_url": url + path, **one}
        for name, (kind, path, _) in VENDORS.items()
    }
    return {**found, "co": {"type": "cohere", "base_url": f"{url}/v2", **one}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    async with played(accounts, tmp_path_factory.mktemp("gateway")) as one:
        yield one


async def messages(setup: Played, provider: str) -> Any:
    async with anthropic.AsyncAnthropic(base_url=setup.url, api_key="any", max_retries=0) as sdk:
        count = await sdk.messages.count_tokens(
            model=f"{provider}/any",
            system="Be brief.",
            messages=[{"role": "user", "content": TEXT}],
            tools=[{"name": "look", "input_schema": SCHEMA}],
        )
    return count.input_tokens, count.model_dump()


async def responses(setup: Played, provider: str) -> Any:
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="any", max_retries=0) as sdk:
        count = await sdk.responses.input_tokens.count(
            model=f"{provider}/any",
            instructions="Be brief.",
            input=TEXT,
            tools=[{"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}],
        )
    assert count.object == "response.input_tokens"
    return count.input_tokens, count.model_dump()


async def generate(setup: Played, provider: str) -> Any:
    asked = {
        "model": f"models/{provider}/any",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
        "tools": [{"functionDeclarations": [{"name": "look", "parametersJsonSchema": SCHEMA}]}],
    }
    url = f"{setup.url}/v1beta/models/{provider}/any:countTokens"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"generateContentRequest": asked}) as reply,
    ):
        counted = await reply.json()
    assert reply.status == 200, counted
    return counted["totalTokens"], counted


CALLERS: list[Callable[[Played, str], Any]] = [messages, responses, generate]


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("count", CALLERS)
async def test_a_vendor_that_counts_is_asked_in_its_own_dialect(
    setup: Played, provider: str, count: Any
) -> None:
    setup.answer(VENDORS[provider][2])
    number, told = await count(setup, provider)
    assert number == 41
    assert "estimated" not in told
    assert setup.target == PLACES[provider]
    sent = json.dumps(setup.sent)
    for said in (TEXT, "Be brief.", '"look"', '"city"'):
        assert said in sent
    if provider == "google":
        assert setup.sent["generateContentRequest"]["model"] == "models/any"
        assert list(setup.sent) == ["generateContentRequest"]
    else:
        assert setup.sent["model"] == "any"
        assert not {"max_tokens", "stream", "store", "max_output_tokens"} & set(setup.sent)


@pytest.mark.parametrize("count", CALLERS)
async def test_what_nobody_counts_is_estimated_and_says_so(setup: Played, count: Any) -> None:
    before = setup.count
    number, told = await count(setup, "co")
    assert 10 < number < 60
    assert told["estimated"] is True
    assert setup.count == before


async def test_only_who_can_be_asked_is_tried(setup: Played) -> None:
    setup.answer(VENDORS["claude"][2])
    async with anthropic.AsyncAnthropic(base_url=setup.url, api_key="any", max_retries=0) as sdk:
        count = await sdk.messages.count_tokens(
            model="any", messages=[{"role": "user", "content": TEXT}]
        )
    assert count.input_tokens == 41


async def test_contents_alone_pass_as_they_came(setup: Played) -> None:
    setup.answer(b'{"totalTokens": 7, "promptTokensDetails": [{"modality": "TEXT"}]}')
    body = b'{ "contents": [{"parts": [{"text": "Hi\\u0021"}]}] }'
    url = f"{setup.url}/v1beta/models/google/any:countTokens"
    head = {"content-type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=head) as session,
        session.post(url, data=body) as reply,
    ):
        told = await reply.json()
    assert told == {
        "totalTokens": 7,
        "promptTokensDetails": [{"modality": "TEXT"}],
        "provider": "google",
    }
    assert setup.asked.body == body


async def test_a_whole_request_may_be_spelt_either_way(setup: Played) -> None:
    setup.answer(VENDORS["google"][2])
    contents = [{"parts": [{"text": "Hi"}]}]
    whole = {"model": "models/google/any", "contents": contents}
    url = f"{setup.url}/v1beta/models/google/any:countTokens"
    body = {"generate_content_request": whole}
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
        assert (await reply.json())["totalTokens"] == 41
    assert setup.sent == {"generate_content_request": {"model": "models/any", "contents": contents}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"generateContentRequest": {}}, "contents"),
        ({"generateContentRequest": "Hi"}, "generateContentRequest"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "model": "other"}, "model"),
    ],
)
async def test_a_bad_request_is_refused_by_name(setup: Played, body: Any, param: str) -> None:
    before = setup.count
    url = f"{setup.url}/v1beta/models/google/any:countTokens"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
        told = await reply.json()
    assert reply.status == 400
    assert param in told["error"]["message"]
    assert setup.count == before
