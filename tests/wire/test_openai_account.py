"""What an OpenAI-like account sends, and how it reads a list of models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import Ask, ConfigError, Headers, Provider, Secret
from gomodel_proxy.wire.openai_account import SPEAKS, OpenAIAccount

BASE = "https://api.acme.example/v1"


def ask(dialect: str = "openai.chat", headers: Headers = ()) -> Ask:
    return Ask(
        operation="chat", dialect=dialect, model="m", stream=True, body=b"{}", headers=headers
    )


def test_it_is_a_provider() -> None:
    account: Provider = OpenAIAccount(base_url=BASE)
    assert account.speaks == SPEAKS
    assert account.stream_usage == "ask"


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("openai.chat", "/chat/completions"),
        ("openai.responses", "/responses"),
        ("openai.embeddings", "/embeddings"),
        ("openai.completions", "/completions"),
        ("openai.moderations", "/moderations"),
    ],
)
def test_paths(dialect: str, path: str) -> None:
    request = OpenAIAccount(base_url=BASE + "/").request(ask(dialect))
    assert (request.method, request.url, request.body) == ("POST", BASE + path, b"{}")


def test_the_head_is_one_tuple_for_all_calls() -> None:
    account = OpenAIAccount(base_url=BASE, api_key=Secret("sk-canary"))
    first, second = account.request(ask()), account.request(ask("openai.embeddings"))
    assert first.headers is second.headers
    assert first.headers == (
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-canary"),
    )


def test_a_callers_headers_are_extra() -> None:
    headers = (("x-request-id", "req_1"), ("traceparent", "00-1"))
    request = OpenAIAccount(base_url=BASE).request(ask(headers=headers))
    assert request.extra is headers


def test_configured_headers_replace_the_callers_and_ours() -> None:
    account = OpenAIAccount(
        base_url=BASE,
        api_key=Secret("sk-canary"),
        headers={"OpenAI-Project": "proj_1", "Authorization": Secret("Basic canary-basic")},
    )
    request = account.request(ask(headers=(("openai-project", "theirs"), ("x-request-id", "r"))))
    assert dict(request.headers) == {
        "content-type": "application/json",
        "authorization": "Basic canary-basic",
        "openai-project": "proj_1",
    }
    assert request.extra == (("x-request-id", "r"),)


def test_a_key_in_another_header() -> None:
    account = OpenAIAccount(base_url=BASE, api_key=Secret("canary"), auth=("api-key", "{key}"))
    assert ("api-key", "canary") in account.request(ask()).headers


def test_no_key_no_header() -> None:
    account = OpenAIAccount(base_url=BASE)
    assert account.request(ask()).headers == (("content-type", "application/json"),)
    assert account.secrets == ()


def test_query_and_paths() -> None:
    account = OpenAIAccount(
        base_url=BASE,
        query={"api-version": "2026 a&b"},
        paths={"openai.chat": "/text/chat"},
        models_path="/catalogue",
    )
    assert account.request(ask()).url == BASE + "/text/chat?api-version=2026%20a%26b"
    listing = account.models_request()
    assert listing is not None
    assert listing.url == BASE + "/catalogue?api-version=2026%20a%26b"


def test_a_dialect_of_ones_own_needs_a_path() -> None:
    speaks = {"chat": ("acme.chat",)}
    account = OpenAIAccount(base_url=BASE, speaks=speaks, paths={"acme.chat": "/talk"})
    assert account.request(ask("acme.chat")).url == BASE + "/talk"
    with pytest.raises(ConfigError, match=r"^paths\.acme\.chat: "):
        OpenAIAccount(base_url=BASE, speaks=speaks)


def test_secrets_are_the_key_and_secret_headers_with_and_without_scheme() -> None:
    account = OpenAIAccount(
        base_url=BASE,
        api_key=Secret("sk-canary"),
        headers={
            "proxy-authorization": Secret("Basic canary-basic"),
            "x-public": "shown-in-the-open",
            "x-flag": Secret("true"),
        },
    )
    assert [secret.reveal() for secret in account.secrets] == [
        "sk-canary",
        "Basic canary-basic",
        "canary-basic",
    ]
    assert account.failure(401, (), b"wrong key canary-basic").message == "wrong key ***"
    assert "canary" not in repr(account)


def test_a_key_with_a_line_break_is_named_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="authorization") as caught:
        OpenAIAccount(base_url=BASE, api_key=Secret("canary\n"))
    assert "canary" not in str(caught.value)


def test_no_list_of_models() -> None:
    assert OpenAIAccount(base_url=BASE, models_path="").models_request() is None


def test_models_request() -> None:
    account = OpenAIAccount(base_url=BASE, api_key=Secret("sk-canary"))
    request = account.models_request()
    assert request is not None
    assert (request.method, request.url) == ("GET", BASE + "/models")
    assert request.headers is account.request(ask()).headers


def models(body: Any) -> list[Any]:
    account = OpenAIAccount(base_url=BASE)
    return list(
        account.models_reply(body if isinstance(body, bytes) else json.dumps(body).encode())
    )


@pytest.mark.parametrize("wrap", [lambda data: {"object": "list", "data": data}, lambda data: data])
def test_models_reply(wrap: Any) -> None:
    listed = models(
        wrap(
            [
                {"id": "a/b", "object": "model", "created": 7, "owned_by": "acme", "context": [1]},
                {"id": "c", "created": "2026-01-01", "owned_by": None},
                {"id": "a/b", "created": 8},
                {"name": "nameless"},
                "odd",
            ]
        )
    )
    assert [(model.id, model.created, model.owned_by) for model in listed] == [
        ("a/b", 7, "acme"),
        ("c", 0, ""),
    ]
    assert listed[0].metadata == {"context": [1]}
    assert listed[1].metadata == {"created": "2026-01-01", "owned_by": None}
    assert listed[0].operations == ()


def test_an_empty_list_of_models_is_one() -> None:
    assert models({"data": []}) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", {}, {"data": {}}, {"data": None}, 3, ["a"], [{"id": 3}], b"[" * 100_000],
)
def test_lists_that_make_no_sense(body: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        models(body)


def test_what_the_vendor_keeps_is_asked_for_where_it_is_posted() -> None:
    plain = OpenAIAccount(base_url="https://acme.example/v1", api_key=Secret("sk-canary"))
    asked = plain.resource_request("GET", "/responses/resp_1/input_items", query="limit=2")
    assert asked is not None
    assert (asked.method, asked.url, asked.body) == (
        "GET",
        "https://acme.example/v1/responses/resp_1/input_items?limit=2",
        b"",
    )
    assert ("authorization", "Bearer sk-canary") in asked.headers
    odd = OpenAIAccount(
        base_url="https://acme.example/v1",
        query={"version": "1"},
        paths={"openai.responses": "/odd/answers"},
    )
    urls = []
    for path in ("/responses/resp_1", "/conversations"):
        made = odd.resource_request("POST", path, body=b"{}", query="a=b")
        assert made is not None
        urls.append(made.url)
    assert urls == [
        "https://acme.example/v1/odd/answers/resp_1?version=1&a=b",
        "https://acme.example/v1/conversations?version=1&a=b",
    ]


def test_an_account_without_responses_keeps_nothing() -> None:
    account = OpenAIAccount(base_url="https://a.example", speaks={"chat": ("openai.chat",)})
    assert account.resource_request("GET", "/responses/resp_1") is None
