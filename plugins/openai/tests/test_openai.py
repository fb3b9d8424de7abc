"""The OpenAI plugin: its settings and what it sends."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from gomodel_proxy import hookspecs
from gomodel_proxy.api import Ask, ConfigError, Secret
from gomodel_proxy_openai import GOMODEL_API, OpenAIConfig, gomodel_providers

if TYPE_CHECKING:
    from gomodel_proxy.api import Provider, UpstreamRequest

RUNTIME = SimpleNamespace(name="openai", base=Path(), log=None)


def config(**settings: Any) -> OpenAIConfig:
    def secret(type_: type, value: Any) -> Any:
        return Secret(value) if type_ is Secret else value

    return msgspec.convert({"type": "openai", **settings}, OpenAIConfig, dec_hook=secret)


async def provider(**settings: Any) -> Provider:
    (kind,) = gomodel_providers()
    async with kind.open(config(**settings), RUNTIME) as opened:
        return opened


async def request(callers: Any = (), **settings: Any) -> UpstreamRequest:
    ask = Ask(
        operation="chat",
        dialect="openai.chat",
        model="gpt-4o",
        stream=False,
        body=b"{}",
        headers=callers,
    )
    return (await provider(**settings)).request(ask)


def test_the_kind() -> None:
    (kind,) = gomodel_providers()
    assert (kind.name, kind.config) == ("openai", OpenAIConfig)
    assert hookspecs.API == GOMODEL_API
    assert not getattr(OpenAIConfig, "keyless", False)


async def test_the_default_goes_to_openai() -> None:
    sent = await request(api_key="sk-canary")
    assert sent.url == "https://api.openai.com/v1/chat/completions"
    assert dict(sent.headers) == {
        "content-type": "application/json",
        "authorization": "Bearer sk-canary",
    }


async def test_who_pays() -> None:
    sent = await request(
        callers=(("openai-project", "theirs"), ("openai-beta", "x")),
        api_key="sk-canary",
        organization="org-1",
        project="proj-1",
    )
    assert ("openai-organization", "org-1") in sent.headers
    assert ("openai-project", "proj-1") in sent.headers
    assert sent.extra == (("openai-beta", "x"),)


async def test_it_speaks_all_of_openais_dialects() -> None:
    opened = await provider(api_key="sk-canary")
    assert opened.speaks["chat"] == ("openai.chat", "openai.responses")
    assert set(opened.speaks) == {
        "chat",
        "compact",
        "completions",
        "count_tokens",
        "embeddings",
        "moderations",
    }
    assert opened.stream_usage == "ask"


async def test_configured_headers_are_sent_and_masked() -> None:
    opened = await provider(api_key="sk-canary", headers={"X-Proxy-Key": "canary-proxy"})
    assert [secret.reveal() for secret in opened.secrets] == ["sk-canary", "canary-proxy"]
    assert opened.failure(401, (), b"canary-proxy?").message == "***?"


async def test_prices_come_with_their_version() -> None:
    opened = await provider(api_key="sk-canary")
    assert opened.prices["gpt-4o"].input == "2.50"
    assert opened.price_version


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="organisation"):
        config(organisation="org-1")


async def test_a_base_url_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"^base_url: "):
        await provider(base_url="api.openai.com")
