"""The provider: what it sends, lists, charges and makes of refusals."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gomodel_proxy import hookspecs
from gomodel_proxy.api import Ask, ConfigError, Price, Secret
from gomodel_proxy.wire.published import read_prices, read_traits
from gomodel_proxy_gemini import GOMODEL_API, GeminiConfig, gomodel_dialects, gomodel_providers
from gomodel_proxy_gemini.counting import GeminiCountTokens
from gomodel_proxy_gemini.embeddings import GeminiEmbed

from .typed import traits_of

RUNTIME = SimpleNamespace(name="google", base=Path(), log=None)
ROOT = "https://generativelanguage.googleapis.com/v1beta"


async def account(**settings: Any) -> Any:
    def secret(type_: type, value: Any) -> Any:
        return Secret(value) if type_ is Secret else value

    given = {"type": "gemini", "api_key": "AIza-canary", **settings}
    config = msgspec.convert(given, GeminiConfig, dec_hook=secret)
    (kind,) = gomodel_providers()
    async with kind.open(config, RUNTIME) as opened:
        return opened


def ask(model: str, *, stream: bool = False, **more: Any) -> Ask:
    given = {"operation": "chat", "dialect": "gemini.generate", "body": b'{"contents":[]}'}
    return Ask(model=model, stream=stream, **{**given, **more})


def test_the_kinds() -> None:
    (kind,) = gomodel_providers()
    assert (kind.name, kind.config, hookspecs.API) == ("gemini", GeminiConfig, GOMODEL_API)
    names = [dialect.name for dialect in gomodel_dialects()]
    assert names == ["gemini.generate", "gemini.embed", "gemini.count_tokens"]


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-2.5-pro", False, "models/gemini-2.5-pro:generateContent"),
        ("gemini-2.5-pro", True, "models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-pro", False, "models/gemini-2.5-pro:generateContent"),
        ("tunedModels/mine", False, "tunedModels/mine:generateContent"),
        ("a b?c#d", False, "models/a%20b%3Fc%23d:generateContent"),
    ],
)
async def test_the_model_stands_in_the_url(model: str, stream: bool, path: str) -> None:
    opened = await account()
    sent = opened.request(ask(model, stream=stream))
    assert sent.url == f"{ROOT}/{path}"
    assert dict(sent.headers) == {
        "content-type": "application/json",
        "x-goog-api-key": "AIza-canary",
    }
    assert sent.headers is opened.request(ask("other")).headers


@pytest.mark.parametrize("model", ["models/m", "tunedModels/mine"])
def test_bodies_name_the_model_as_the_url_does(model: str) -> None:
    counted = GeminiCountTokens().read(b'{"generateContentRequest":{"contents":[{}]}}', {})
    sent = json.loads(counted.readdress(model, ask_usage=False))
    assert sent["generateContentRequest"]["model"] == model
    embedded = GeminiEmbed().read(b'{"requests":[{}]}', {})
    sent = json.loads(embedded.readdress(model, ask_usage=False))
    assert (sent["model"], sent["requests"][0]["model"]) == (model, model)


async def test_configured_headers_go_before_the_callers() -> None:
    opened = await account(headers={"X-Goog-Api-Client": "ours-secret"})
    sent = opened.request(ask("m", headers=(("x-goog-api-client", "theirs"), ("traceparent", "t"))))
    assert ("x-goog-api-client", "ours-secret") in sent.headers
    assert sent.extra == (("traceparent", "t"),)
    assert opened.failure(400, (), b"ours-secret AIza-canary").message == "*** ***"


async def test_a_base_url_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"^base_url: "):
        await account(base_url="generativelanguage")


async def test_models() -> None:
    opened = await account()
    request = opened.models_request()
    assert request.url == f"{ROOT}/models?pageSize=1000"
    chat = {
        "name": "models/gemini-2.5-pro",
        "inputTokenLimit": 1048576,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }
    embed = {"name": "models/e", "supportedGenerationMethods": ["embedContent"]}
    found = opened.models_reply(json.dumps({"models": [chat, embed, {}]}).encode())
    assert [(model.id, model.operations) for model in found] == [
        ("gemini-2.5-pro", ("chat", "count_tokens")),
        ("e", ("embeddings",)),
    ]
    assert found[0].metadata["inputTokenLimit"] == 1048576


@pytest.mark.parametrize("body", [b"{}", b'{"models":[{}]}', b"[]", b"no"])
async def test_a_listing_that_makes_no_sense(body: bytes) -> None:
    opened = await account()
    with pytest.raises(ValueError, match=r"."):
        opened.models_reply(body)


def refusal(code: int, status: str, *details: Any) -> bytes:
    told = {"code": code, "message": "because", "status": status, "details": details}
    return json.dumps({"error": told}).encode()


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "46.5s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


async def test_refusals() -> None:
    opened = await account()
    limited = opened.failure(429, (), refusal(429, "RESOURCE_EXHAUSTED", RETRY))
    assert (limited.message, limited.code, limited.kind) == (
        "because",
        "RESOURCE_EXHAUSTED",
        "rate_limit_error",
    )
    assert (limited.retry, limited.retry_after) == (True, 46.5)
    busy = opened.failure(503, (), refusal(503, "UNAVAILABLE", RETRY))
    assert (busy.retry, busy.retry_after) == (True, 46.5)
    silent = opened.failure(503, (), refusal(503, "UNAVAILABLE"))
    assert (silent.retry, silent.retry_after) == (False, None)
    key = opened.failure(400, (), refusal(400, "INVALID_ARGUMENT", BAD_KEY))
    assert (key.status, key.kind, key.code) == (400, "authentication_error", "API_KEY_INVALID")
    listed = opened.failure(400, (), b"[%b]" % refusal(400, "INVALID_ARGUMENT"))
    assert json.loads(listed.body)["error"]["message"] == "because"
    assert opened.failure(500, (), b"<html>oops").message == "oops"
    odd = opened.failure(429, (), refusal(429, "X", {"@type": "a.RetryInfo", "retryDelay": "soon"}))
    assert odd.retry_after is None


def test_prices() -> None:
    found, version = read_prices("gomodel_proxy_gemini")
    assert version.count("-") == 2
    for name, price in found.items():
        for member in Price.__struct_fields__[:-1]:
            text = getattr(price, member)
            assert text is None or Decimal(text) >= 0, name
        assert price.input is not None
        assert price.output is not None
        for tier in price.tiers:
            assert tier.above == 200_000
            assert Decimal(tier.input or 0) > Decimal(price.input)
            assert Decimal(tier.output or 0) > Decimal(price.output)


def test_traits_are_of_families() -> None:
    known = {
        "thinking",
        "thinking_levels",
        "thinking_budget",
        "thinking_off",
        "result_media",
        "call_proof",
        "validated",
        "unsupported",
    }
    for name, found in read_traits("gomodel_proxy_gemini").items():
        assert set(found) <= known, name
    assert traits_of("gemini-2.5-flash-lite")["thinking_budget"] == [512, 24576]
    assert traits_of("gemini-2.5-flash-lite")["thinking_off"] is True
    assert traits_of("gemini-2.5-flash-image")["thinking"] == "none"
    assert traits_of("gemini-3-pro-preview")["thinking_levels"] == ["low", "high"]
    assert traits_of("gemini-9") == {}
