"""Whatever is asked, there is an answer: a reply, or an error that says what is wrong."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gomodel_proxy_sandbox.replies import Request
from gomodel_proxy_sandbox.sandbox import Sandbox

PATHS = ["chat/completions", "responses", "completions", "embeddings", "moderations"]
MODELS = ["sandbox-echo", "sandbox-tools", "sandbox-embedding", "sandbox-moderation"]

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.sampled_from(
    [
        *("role", "content", "type", "text", "input", "messages", "function", "name", "items"),
        *("parameters", "schema", "json_schema", "output", "arguments", "tool_calls", "format"),
    ]
)
words = st.sampled_from(
    ["user", "tool", "function", "json_schema", "object", "auto", "required", *string.digits]
)
values = st.recursive(
    leaves | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(
    [
        *("messages", "input", "prompt", "n", "stream", "stop", "tools", "tool_choice", "text"),
        *("response_format", "max_tokens", "dimensions", "encoding_format", "stream_options"),
        *("instructions", "echo", "user", "metadata"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATHS), st.sampled_from(MODELS), st.dictionaries(members, values))
def test_any_members_get_an_answer(path, model, asked):
    body = json.dumps({"model": model, **asked}).encode()
    reply = Sandbox().answer(Request("POST", f"/v1/{path}", {}, body))
    assert reply.status in (200, 400)
    assert b"".join(reply.body)


@pytest.mark.parametrize(
    "value",
    [
        *(b"1" * 40, b"-" + b"9" * 30, b"1e999", b'"\\ud800"', b"\xff", b"[" * 9000),
        *(b"[" * depth + b"]" * depth for depth in (300, *range(880, 1010, 2))),
    ],
)
def test_any_bytes_get_an_answer(value):
    body = b'{"model":"sandbox-echo","messages":[{"role":"user","content":"x"}],"a":%b}' % value
    reply = Sandbox().answer(Request("POST", "/v1/chat/completions", {}, body))
    assert reply.status in (200, 400)
    assert b"".join(reply.body)


@given(st.binary())
def test_no_bytes_are_too_strange(body):
    assert Sandbox().answer(Request("POST", "/v1/responses", {}, body)).status == 400
