"""The plugin for any OpenAI-compatible API: its settings and what it sends."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from gomodel_proxy import hookspecs
from gomodel_proxy.api import Ask, ConfigError, Secret
from gomodel_proxy_openai_compatible import (
    GOMODEL_API,
    OpenAICompatibleConfig,
    gomodel_providers,
)

if TYPE_CHECKING:
    from gomodel_proxy.api import Provider, UpstreamRequest

RUNTIME = SimpleNamespace(name="acme", base=Path(), log=None)
BASE = "https://api.acme.example/v1"


def config(**settings: Any) -> OpenAICompatibleConfig:
    def secret(type_: type, value: Any) -> Any:
        return Secret(value) if type_ is Secret else value

    return msgspec.convert(
        {"type": "openai_compatible", **settings}, OpenAICompatibleConfig, dec_hook=secret
    )


async def provider(**settings: Any) -> Provider:
    (kind,) = gomodel_providers()
    async with kind.open(config(**{"base_url": BASE, **settings}), RUNTIME) as opened:
        return opened


async def request(dialect: str = "openai.chat", **settings: Any) -> UpstreamRequest:
    ask = Ask(operation="chat", dialect=dialect, model="m", stream=False, body=b"{}")
    return (await provider(**settings)).request(ask)


def test_the_kind() -> None:
    (kind,) = gomodel_providers()
    assert (kind.name, kind.config) == ("openai_compatible", OpenAICompatibleConfig)
    assert hookspecs.API == GOMODEL_API


def test_it_needs_an_address_but_no_key() -> None:
    assert OpenAICompatibleConfig.keyless
    with pytest.raises(msgspec.ValidationError, match="base_url"):
        config()


async def test_without_a_key_none_is_sent() -> None:
    sent = await request()
    assert sent.url == BASE + "/chat/completions"
    assert sent.headers == (("content-type", "application/json"),)


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({}, ("authorization", "Bearer canary")),
        ({"auth_header": "api-key", "auth_scheme": ""}, ("api-key", "canary")),
        ({"auth_header": "X-Key", "auth_scheme": "Token"}, ("x-key", "Token canary")),
    ],
)
async def test_how_the_key_travels(settings: dict[str, Any], header: tuple[str, str]) -> None:
    assert header in (await request(api_key="canary", **settings)).headers


async def test_a_key_may_hold_braces() -> None:
    sent = await request(api_key="{canary}{key}")
    assert ("authorization", "Bearer {canary}{key}") in sent.headers


async def test_headers_are_sent_and_every_value_is_a_secret() -> None:
    opened = await provider(headers={"X-Gateway": "canary-1", "Authorization": "Basic canary-2"})
    ask = Ask(operation="chat", dialect="openai.chat", model="m", stream=False, body=b"{}")
    assert dict(opened.request(ask).headers)["authorization"] == "Basic canary-2"
    assert {secret.reveal() for secret in opened.secrets} == {
        "canary-1",
        "Basic canary-2",
        "canary-2",
    }


async def test_query_and_paths() -> None:
    sent = await request(query={"api-version": "v 1"}, paths={"openai.chat": "/chat"})
    assert sent.url == BASE + "/chat?api-version=v%201"


async def test_what_it_speaks_and_prefers() -> None:
    everything = await provider()
    assert everything.speaks == {
        "chat": ("openai.chat", "openai.responses"),
        "embeddings": ("openai.embeddings",),
        "completions": ("openai.completions",),
        "moderations": ("openai.moderations",),
    }
    some = await provider(speaks=["openai.responses", "openai.chat", "openai.chat"])
    assert some.speaks == {"chat": ("openai.responses", "openai.chat")}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speaks": ["openai.chats"]}, r'^speaks: .*did you mean "openai\.chat"'),
        ({"speaks": ["morse"]}, r"^speaks: .*there are openai\.chat, "),
        ({"speaks": []}, r"^speaks: "),
        ({"paths": {"openai.embedding": "/e"}}, r'^paths: .*did you mean "openai\.embeddings"'),
        ({"paths": {"openai.chat": "e"}}, r"^paths\.openai\.chat: "),
        ({"models_path": "models"}, r"^models_path: "),
        ({"base_url": "localhost:8000"}, r"^base_url: "),
        ({"headers": {"x y": "canary"}}, "not the name of a header"),
        ({"headers": {"x": "canary\n"}}, "printable ASCII"),
    ],
)
async def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        await provider(**settings)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("stream_usage", ["ask", "always", "never"])
async def test_stream_usage(stream_usage: str) -> None:
    assert (await provider(stream_usage=stream_usage)).stream_usage == stream_usage


def test_stream_usage_is_one_of_three() -> None:
    with pytest.raises(msgspec.ValidationError, match="sometimes"):
        config(base_url=BASE, stream_usage="sometimes")


async def test_no_list_of_models_and_no_prices() -> None:
    opened = await provider(models_path="")
    assert opened.models_request() is None
    assert not opened.prices
