"""Request bodies of every dialect: what is checked, what is changed, what is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import Dialect, Fields, InvalidRequest
from gomodel_proxy.wire.openai import DIALECTS

DIALECT = {dialect.name: dialect for dialect in DIALECTS}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": CHAT,
    "openai.responses": {"model": "m", "input": "hi"},
    "openai.embeddings": {"model": "m", "input": ["hi"]},
    "openai.completions": {"model": "m", "prompt": "hi"},
    "openai.moderations": {"model": "m", "input": "hi"},
}


def read(name: str, body: Any) -> Fields:
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return DIALECT[name].read(raw, {})


def test_names_operations_and_paths() -> None:
    assert [(each.name, each.operation, tuple(each.paths)) for each in DIALECTS] == [
        ("openai.chat", "chat", ("/v1/chat/completions",)),
        ("openai.responses", "chat", ("/v1/responses",)),
        ("openai.embeddings", "embeddings", ("/v1/embeddings",)),
        ("openai.completions", "completions", ("/v1/completions",)),
        ("openai.moderations", "moderations", ("/v1/moderations",)),
        ("openai.input_tokens", "count_tokens", ("/v1/responses/input_tokens",)),
        ("openai.compact", "compact", ("/v1/responses/compact",)),
    ]


@pytest.mark.parametrize("dialect", DIALECTS, ids=repr)
def test_no_credential_and_no_cookie_goes_on(dialect: Dialect) -> None:
    assert not dialect.headers & {"authorization", "x-api-key", "cookie", "host"}
    assert {"openai-beta", "openai-organization", "idempotency-key"} < dialect.headers
    assert all(name == name.lower() for name in dialect.headers)


@pytest.mark.parametrize("name", BODIES)
def test_an_unchanged_request_keeps_its_very_bytes(name: str) -> None:
    body = json.dumps(BODIES[name] | {"x": {"y": [1.50, None]}}, indent=1).encode()
    fields = DIALECT[name].read(body, {})
    assert fields.model == "m"
    assert fields.provider is None
    assert fields.stream is False
    assert not fields.references
    assert fields.readdress("m", ask_usage=True) is body


@pytest.mark.parametrize("name", BODIES)
def test_a_new_model_changes_nothing_else(name: str) -> None:
    extra = b'"n":1.0e2,"u":"\\u00e9\\/","o":{ "x" : [1 , 2] },"provider":{"order":["a"]}'
    body = json.dumps(BODIES[name], separators=(",", ":")).encode()[:-1] + b"," + extra + b"}"
    fields = DIALECT[name].read(body, {})
    assert fields.provider is None
    assert fields.readdress('a/"b"', ask_usage=False) == body.replace(b'"m"', b'"a/\\"b\\""', 1)


@pytest.mark.parametrize("name", BODIES)
def test_the_hint_is_taken_out(name: str) -> None:
    fields = read(name, {"provider": "acme"} | BODIES[name] | {"user": "u"})
    assert fields.provider == "acme"
    assert json.loads(fields.readdress("m", ask_usage=False)) == BODIES[name] | {"user": "u"}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("model", "code"),
    [
        (7, "invalid_type"),
        (None, "invalid_type"),
        ("", "invalid_value"),
        (" ", "invalid_value"),
        ("a\u0000b", "invalid_value"),
        ("a\nb", "invalid_value"),
    ],
)
def test_a_model_is_a_name(name: str, model: Any, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(name, BODIES[name] | {"model": model})
    assert (caught.value.param, caught.value.code) == ("model", code)


@pytest.mark.parametrize("name", [name for name in BODIES if name != "openai.moderations"])
def test_a_model_is_needed(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(name, {key: value for key, value in BODIES[name].items() if key != "model"})
    assert (caught.value.param, caught.value.code) == ("model", "missing_required_parameter")


def test_moderations_have_a_model_of_their_own() -> None:
    fields = read("openai.moderations", {"input": "hi"})
    assert fields.model == "omni-moderation-latest"
    assert fields.readdress(fields.model, ask_usage=False) == b'{"input":"hi"}'
    assert json.loads(fields.readdress("x", ask_usage=False)) == {"input": "hi", "model": "x"}


@pytest.mark.parametrize(
    ("name", "change", "param"),
    [
        ("openai.chat", {"messages": []}, "messages"),
        ("openai.chat", {"messages": "hi"}, "messages"),
        ("openai.chat", {"messages": None}, "messages"),
        ("openai.chat", {"stream": "true"}, "stream"),
        ("openai.chat", {"stream": 1}, "stream"),
        ("openai.chat", {"stream_options": []}, "stream_options"),
        ("openai.completions", {"stream": {}}, "stream"),
        ("openai.responses", {"stream": "no"}, "stream"),
        ("openai.responses", {"stream_options": "x"}, "stream_options"),
        ("openai.responses", {"input": 7}, "input"),
        ("openai.responses", {"input": {}}, "input"),
        ("openai.responses", {"previous_response_id": 7}, "previous_response_id"),
        ("openai.responses", {"conversation": []}, "conversation"),
        ("openai.responses", {"conversation": {}}, "conversation.id"),
        ("openai.responses", {"conversation": {"id": 1}}, "conversation.id"),
        ("openai.embeddings", {"input": None}, "input"),
        ("openai.embeddings", {"input": {"a": 1}}, "input"),
        ("openai.moderations", {"input": True}, "input"),
    ],
)
def test_wrong_types_are_refused_by_name(name: str, change: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(name, BODIES[name] | change)
    assert caught.value.status == 400
    assert caught.value.param == param
    assert f"'{param}'" in caught.value.message


@pytest.mark.parametrize(
    ("name", "lacking"),
    [("openai.chat", "messages"), ("openai.embeddings", "input"), ("openai.moderations", "input")],
)
def test_what_is_needed_must_be_there(name: str, lacking: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(name, {key: value for key, value in BODIES[name].items() if key != lacking})
    assert (caught.value.param, caught.value.code) == (lacking, "missing_required_parameter")


def test_what_may_be_absent_may() -> None:
    assert read("openai.responses", {"model": "m", "prompt": {"id": "pmpt_1"}}).model == "m"
    assert read("openai.responses", {"model": "m", "input": None}).model == "m"
    assert read("openai.completions", {"model": "m"}).model == "m"
    assert not read("openai.chat", CHAT | {"stream": None, "stream_options": None}).stream


@pytest.mark.parametrize("name", ["openai.chat", "openai.completions"])
@pytest.mark.parametrize("options", [None, {}, {"include_usage": False, "x": [1]}, "absent"])
def test_usage_is_asked_for_where_the_caller_did_not(name: str, options: Any) -> None:
    given = {} if options == "absent" else {"stream_options": options}
    body = BODIES[name] | {"stream": True} | given
    fields = read(name, body)
    assert fields.stream
    assert not fields.asked_usage
    wanted = body | {
        "stream_options": (options if isinstance(options, dict) else {}) | {"include_usage": True}
    }
    assert json.loads(fields.readdress("m", ask_usage=True)) == wanted
    assert json.loads(fields.readdress("m", ask_usage=False)) == body


def test_usage_is_asked_for_once_and_of_streams_only() -> None:
    asked = CHAT | {"stream": True, "stream_options": {"include_usage": True, "x": 1}}
    fields = read("openai.chat", asked)
    assert fields.asked_usage
    assert json.loads(fields.readdress("m", ask_usage=True)) == asked
    whole = read("openai.chat", CHAT)
    assert json.loads(whole.readdress("n", ask_usage=True)) == CHAT | {"model": "n"}


def test_streams_of_responses_report_usage_unasked() -> None:
    body = {"model": "m", "input": "hi", "stream": True}
    fields = read("openai.responses", body)
    assert fields.stream
    assert fields.asked_usage
    assert json.loads(fields.readdress("n", ask_usage=True)) == body | {"model": "n"}


def test_embeddings_never_stream() -> None:
    fields = read("openai.embeddings", BODIES["openai.embeddings"] | {"stream": True})
    assert fields.stream is False


def test_references_of_a_response() -> None:
    body: dict[str, Any] = {"model": "m", "input": "hi", "previous_response_id": "resp_1"}
    assert tuple(read("openai.responses", body).references) == (("response", "resp_1"),)
    body = {"model": "m", "conversation": "conv_1"}
    assert tuple(read("openai.responses", body).references) == (("conversation", "conv_1"),)
    body = {"model": "m", "conversation": {"id": "conv_2"}, "previous_response_id": None}
    assert tuple(read("openai.responses", body).references) == (("conversation", "conv_2"),)


def test_streaming_bodies_still_get_the_checks_of_json() -> None:
    with pytest.raises(InvalidRequest, match="more than one member"):
        read("openai.chat", b'{"model":"a","messages":[1],"model":"b"}')
