"""The account, its data, errors, fields, lists and estimates."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gomodel_proxy.api import (
    Ask,
    GatewayError,
    InvalidRequest,
    Model,
    RateLimited,
    Secret,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from gomodel_proxy_anthropic import AnthropicConfig, gomodel_dialects, gomodel_providers
from gomodel_proxy_anthropic.data import published_prices, published_traits
from gomodel_proxy_anthropic.errors import envelope, refusal, stream_event
from gomodel_proxy_anthropic.estimate import estimate_tokens
from gomodel_proxy_anthropic.fields import MessagesFields
from gomodel_proxy_anthropic.listing import page
from gomodel_proxy_anthropic.usage import read_usage

RUNTIME = SimpleNamespace(name="anthropic", base=Path(), log=None)


async def account(**settings: Any) -> Any:
    def secret(type_: type, value: Any) -> Any:
        return Secret(value) if type_ is Secret else value

    given = {"type": "anthropic", "api_key": "sk-canary", **settings}
    config = msgspec.convert(given, AnthropicConfig, dec_hook=secret)
    (kind,) = gomodel_providers()
    async with kind.open(config, RUNTIME) as opened:
        return opened


async def headers(*callers: tuple[str, str], **settings: Any) -> dict[str, str]:
    opened = await account(**settings)
    ask = Ask(
        operation="chat",
        dialect="anthropic.messages",
        model="m",
        stream=False,
        body=b"{}",
        headers=callers,
    )
    sent = opened.request(ask)
    assert sent.headers is opened.request(ask).headers  # the transport keeps what it renders
    names = [name for name, _ in (*sent.headers, *sent.extra)]
    assert len(names) == len(set(names))
    return dict((*sent.headers, *sent.extra))


async def test_headers() -> None:
    assert await headers() == {
        "content-type": "application/json",
        "x-api-key": "sk-canary",
        "anthropic-version": "2026-10-21",
    }
    sent = await headers(
        ("anthropic-version", "2023-06-01"), ("anthropic-beta", "b, c"), beta=["a", "b"]
    )
    assert sent["anthropic-version"] == "2023-06-01"
    assert sent["anthropic-beta"] == "a,b,c"


async def test_configured_headers_go_before_the_callers() -> None:
    sent = await headers(("anthropic-beta", "theirs"), headers={"Anthropic-Beta": "ours"})
    assert sent["anthropic-beta"] == "ours"


async def test_models() -> None:
    opened = await account()
    assert opened.models_request().url == "https://api.anthropic.com/v1/models?limit=1000"
    entry = {
        "type": "model",
        "id": "claude-x",
        "display_name": "Claude X",
        "created_at": "2026-01-01T00:00:00Z",
    }
    (model,) = opened.models_reply(json.dumps({"data": [entry]}).encode())
    assert (model.id, model.created) == ("claude-x", 1767225600)
    assert model.metadata == {"display_name": "Claude X"}
    with pytest.raises(ValueError, match="data"):
        opened.models_reply(b"{}")


# ---------------------------------------------------------------- data


@pytest.mark.parametrize("model", published_prices()[0])
def test_prices_are_in_proportion(model: str) -> None:
    price = published_prices()[0][model]
    cost = {
        name: Decimal(getattr(price, name))
        for name in ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    }
    cost |= {name: Decimal(getattr(price, name)) for name in ("batch_input", "batch_output")}
    assert cost["output"] == 5 * cost["input"]
    assert cost["cache_write"] == cost["input"] * Decimal("1.25")
    assert cost["cache_write_1h"] == cost["input"] * 2
    assert cost["cache_read"] <= cost["input"] / 10
    assert (2 * cost["batch_input"], 2 * cost["batch_output"]) == (cost["input"], cost["output"])


def test_sampling_is_gone_from_the_newer_version() -> None:
    def told(version: str) -> set[str]:
        return {one["sampling"] for one in published_traits(version).values() if "sampling" in one}

    assert told("2026-10-21") == set()
    assert told("2023-06-01") == {"all", "one", "none"}


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "type_"),
    [
        (InvalidRequest("x"), "invalid_request_error"),
        (InvalidRequest("x", status=413), "request_too_large"),
        (InvalidRequest("x", status=405), "invalid_request_error"),
        (RateLimited("x"), "rate_limit_error"),
        (GatewayError("x"), "api_error"),
        (Unavailable("x"), "overloaded_error"),
        (UpstreamError("x", status=529), "overloaded_error"),
        (UpstreamError("x"), "api_error"),
        (UpstreamError("x", kind="overloaded_error"), "overloaded_error"),
        (UpstreamTimeout("x"), "timeout_error"),
    ],
)
def test_types_of_errors(error: GatewayError, type_: str) -> None:
    expected = {"type": "error", "error": {"type": type_, "message": "x"}}
    assert json.loads(envelope(error)) == expected
    name, data, _, _ = stream_event(error).split(b"\n")
    assert (name, json.loads(data.removeprefix(b"data: "))) == (b"event: error", expected)


def test_a_refusal_keeps_its_body_and_its_limits() -> None:
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow"},"request_id":"r"}'
    limits = (("retry-after", "3"), ("anthropic-ratelimit-requests-remaining", "0"), ("x", "y"))
    error = refusal(429, limits, body)
    assert (error.status, error.kind, error.message) == (429, "rate_limit_error", "Slow")
    assert (error.body, error.retry, error.retry_after) == (body, True, 3)
    assert dict(error.headers) == dict(limits[:2])


@pytest.mark.parametrize(
    ("status", "given", "again"),
    [(529, (), False), (500, (), False), (503, (), False), (503, (("retry-after", "1"),), True)],
)
def test_only_what_surely_cost_nothing_is_sent_again(status: int, given: Any, again: bool) -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert refusal(status, given, body).retry is again


def test_a_refusal_of_another_shape_has_no_body() -> None:
    assert refusal(502, (), b"<html>Bad gateway</html>").body == b""
    assert refusal(502, (), b'{"message": "x"}').body == b""


# ---------------------------------------------------------------- fields


def fields(**more: Any) -> MessagesFields:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **more}
    return MessagesFields(json.dumps(body).encode())


def test_readdressing_touches_nothing_else() -> None:
    body = b'{"model": "m", "provider": "p", "messages": [1.50e3], "x": {"provider": 1}}'
    read = MessagesFields(body)
    assert (read.model, read.provider, read.stream) == ("m", "p", False)
    assert (
        read.readdress("n", ask_usage=True)
        == b'{"model":"n","messages":[1.50e3],"x":{"provider": 1}}'
    )
    assert fields().readdress("m", ask_usage=False) == fields()._body


def test_only_a_string_is_a_hint() -> None:
    read = fields(provider={"order": []})
    assert read.provider is None
    assert b'"provider"' in read.readdress("n", ask_usage=False)


@pytest.mark.parametrize(
    "given", [{"messages": []}, {"messages": "x"}, {"model": 1}, {"stream": 1}]
)
def test_what_cannot_be_routed_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fields(**given)
    assert caught.value.param in given


def test_files_and_containers_belong_to_somebody() -> None:
    content = [
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "container_upload", "file_id": "file_2"},
        {"type": "tool_use", "id": "x", "name": "f", "input": {"type": "file", "file_id": "mine"}},
    ]
    messages = [{"role": "user", "content": content}]
    assert fields(messages=messages, container={"id": "c1"}).references == (
        ("file", "file_1"),
        ("file", "file_2"),
        ("container", "c1"),
    )
    assert fields(container="c2").references == (("container", "c2"),)
    assert fields().references == ()


# ---------------------------------------------------------------- the rest


def test_pages_of_models() -> None:
    models = [Model(id=f"p/{letter}") for letter in "abcd"]

    def ids(**query: str) -> tuple[list[str], bool]:
        found = json.loads(page(models, query))
        shown = [one["id"][2:] for one in found["data"]]
        assert found["first_id"] == (f"p/{shown[0]}" if shown else None)
        return shown, found["has_more"]

    assert ids() == (["a", "b", "c", "d"], False)
    assert ids(limit="2") == (["a", "b"], True)
    assert ids(limit="2", after_id="p/b") == (["c", "d"], False)
    assert ids(limit="2", before_id="p/d") == (["b", "c"], True)
    assert json.loads(page([], {}))["data"] == []


def test_estimates_grow_with_the_text_and_not_with_the_bytes_of_an_image() -> None:
    def count(content: Any) -> int:
        body = {"model": "m", "messages": [{"role": "user", "content": content}]}
        return estimate_tokens(json.dumps(body).encode())

    assert 95 <= count("word " * 100) - count("") <= 130
    image = {"type": "image", "source": {"type": "base64", "data": "A" * 1_000_000}}
    assert 1500 < count([image]) < 2000


@pytest.mark.parametrize(
    "raw", [b"null", b"[]", b"{", b'{"input_tokens": "x"}', b'{"output_tokens": -1}']
)
def test_what_is_no_usage(raw: bytes) -> None:
    assert read_usage(raw) is None


def test_counts_written_as_fractions() -> None:
    usage = read_usage(b'{"input_tokens": 7.0, "output_tokens": 2, "cache_read_input_tokens": 1.5}')
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read) == (7, 2, None)


def test_the_dialects() -> None:
    messages, count = gomodel_dialects()
    assert (messages.name, messages.operation) == ("anthropic.messages", "chat")
    assert (count.name, count.operation) == ("anthropic.count_tokens", "count_tokens")
    assert {"anthropic-version", "anthropic-beta"} <= messages.headers
    with pytest.raises(NotImplementedError):
        count.meter(hide_usage=False)
