"""The account: addresses, keys, listings, refusals, and what is published of the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gomodel_proxy.api import Ask, ConfigError, Secret
from gomodel_proxy_cohere import CohereConfig, gomodel_translator, open_cohere

from .conftest import KEY

if TYPE_CHECKING:
    from gomodel_proxy.api import Provider
    from gomodel_proxy.testing.played import Played


async def opened(**settings: Any) -> Provider:
    config = CohereConfig(type="cohere", api_key=Secret(KEY), **settings)
    runtime: Any = None
    async with open_cohere(config, runtime) as provider:
        return provider


async def test_where_requests_go() -> None:
    account = await opened(headers={"X-Client-Name": "me"})
    asks = [
        account.request(Ask(operation=o, dialect=d, model="m", stream=False, body=b"{}"))
        for o, d in (("chat", "cohere.chat"), ("embeddings", "cohere.embed"))
    ]
    assert [one.url for one in asks] == [
        "https://api.cohere.com/v2/chat",
        "https://api.cohere.com/v2/embed",
    ]
    listing = account.models_request()
    assert listing is not None
    assert listing.url == "https://api.cohere.com/v1/models?page_size=1000"
    for request in (*asks, listing):
        assert ("authorization", f"Bearer {KEY}") in request.headers
        assert ("x-client-name", "me") in request.headers
        assert KEY not in repr(request)
    assert KEY not in repr(account)


async def test_a_wrong_address_is_named() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        await opened(base_url="api.cohere.com")


async def test_models_that_chat_or_embed_are_listed() -> None:
    listed = {
        "models": [
            {"name": "command-a", "endpoints": ["generate", "chat"], "context_length": 8.0},
            {"name": "embed-v4.0", "endpoints": ["embed"]},
            {"name": "rerank-v4.0", "endpoints": ["rerank"]},
            {"endpoints": ["chat"]},
        ]
    }
    account = await opened()
    chat, embed = account.models_reply(json.dumps(listed).encode())
    assert (chat.id, chat.operations, chat.owned_by) == ("command-a", ("chat",), "cohere")
    assert chat.metadata == {"context_length": 8.0}
    assert (embed.id, embed.operations) == ("embed-v4.0", ("embeddings",))
    with pytest.raises(ValueError, match="models"):
        account.models_reply(b"[]")


async def test_refusals_keep_coheres_words() -> None:
    account = await opened()
    body = b'{"id":"1","message":"invalid api token"}'
    error = account.failure(498, (), body)
    assert (error.message, error.kind, error.body) == (
        "invalid api token",
        "authentication_error",
        body,
    )
    busy = account.failure(429, (("Retry-After", "2"),), b'{"message":"slow down"}')
    assert (busy.retry, busy.retry_after, busy.kind) == (True, 2.0, "rate_limit_error")
    assert account.failure(502, (), b"<html>Bad gateway</html>").body == b""


async def test_the_key_is_masked_in_what_cohere_says() -> None:
    account = await opened()
    error = account.failure(401, (), json.dumps({"message": f"bad {KEY}"}).encode())
    assert KEY not in error.message


async def test_prices_and_traits() -> None:
    account = await opened()
    assert account.price_version
    assert account.prices["command-r7b-12-2024"].input == "0.0375"
    assert account.traits["command-a-reasoning*"] == {"thinking": True}
    assert next(iter(account.traits)) == "*"


def test_the_way_from_openais_embeddings() -> None:
    assert gomodel_translator("openai.embeddings", "cohere.embed") is not None
    assert gomodel_translator("openai.chat", "cohere.chat") is None


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_reaches_the_caller_in_its_dialect(
    setup: Played, caller: openai.AsyncOpenAI
) -> None:
    setup.answer('{"message": "messages must not be empty", "id": "1"}', status=422)
    with pytest.raises(openai.UnprocessableEntityError, match="messages must not be empty"):
        await caller.chat.completions.create(
            model="co/command-r7b-12-2024", messages=[{"role": "user", "content": "Hi"}]
        )


@pytest.mark.asyncio(loop_scope="module")
async def test_losses_are_told(setup: Played, caller: openai.AsyncOpenAI) -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": "4"}]}
    setup.answer(json.dumps({"id": "a", "finish_reason": "COMPLETE", "message": message}))
    raw = await caller.chat.completions.with_raw_response.create(
        model="co/command-r7b-12-2024",
        messages=[{"role": "user", "content": "Hi"}],
        user="u",
        top_p=1,
    )
    assert raw.headers["x-gomodel-lossy"] == "top_p(1.0>0.99),user"
    count = setup.count
    with pytest.raises(openai.BadRequestError, match="user"):
        await caller.chat.completions.create(
            model="co/command-r7b-12-2024",
            messages=[{"role": "user", "content": "Hi"}],
            user="u",
            extra_headers={"X-GoModel-Strict": "1"},
        )
    assert setup.count == count


@pytest.mark.asyncio(loop_scope="module")
async def test_an_image_over_the_limit_is_refused_by_its_place(
    setup: Played, caller: openai.AsyncOpenAI
) -> None:
    url = "data:image/png;base64," + "AAAA" * (20_000_000 // 3 + 1)
    count = setup.count
    with pytest.raises(openai.BadRequestError) as raised:
        await caller.chat.completions.create(
            model="co/command-r7b-12-2024",
            messages=[
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
            ],
        )
    assert raised.value.param == "messages[0].content[0]"
    assert raised.value.code == "image_too_large"
    assert setup.count == count
