from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest, NotFound, UpstreamError
from gomodel_proxy.wire.openai_compact import OpenAICompact
from gomodel_proxy.wire.openai_input_tokens import OpenAIInputTokens

COUNT, COMPACT = OpenAIInputTokens(), OpenAICompact()


def estimate(**members: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(COUNT.estimate(json.dumps(members).encode()))
    return told


def test_an_estimate_says_that_it_is_one() -> None:
    assert estimate(input="x" * 40) == {
        "object": "response.input_tokens",
        "input_tokens": 14,
        "estimated": True,
    }
    assert estimate()["input_tokens"] == 4


def test_everything_that_is_read_counts() -> None:
    few = estimate(input="x")["input_tokens"]
    tool = {"type": "function", "name": "f", "parameters": {"description": "y" * 400}}
    assert estimate(input="x", tools=[tool])["input_tokens"] > few + 90
    assert estimate(input="x", instructions="y" * 400)["input_tokens"] > few + 90


def test_a_picture_does_not_count_by_its_bytes() -> None:
    part = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 1_000_000}
    assert 1000 < estimate(input=[{"role": "user", "content": [part]}])["input_tokens"] < 3000


@pytest.mark.parametrize("dialect", [COUNT, COMPACT])
def test_neither_streams(dialect: OpenAIInputTokens | OpenAICompact) -> None:
    fields = dialect.read(b'{"model":"m","input":"x","stream":true}', {})
    assert not fields.stream


@pytest.mark.parametrize("dialect", [COUNT, COMPACT])
def test_both_name_what_they_go_on_from(dialect: OpenAIInputTokens | OpenAICompact) -> None:
    fields = dialect.read(b'{"model":"m","previous_response_id":"resp_1"}', {})
    assert fields.references == (("response", "resp_1"),)


def test_a_count_is_free_and_must_be_one() -> None:
    reply, usage, created = COUNT.reply(b'{"input_tokens":3}', "acme")
    assert json.loads(reply) == {"provider": "acme", "input_tokens": 3}
    assert (usage, created) == (None, ())
    with pytest.raises(UpstreamError):
        COUNT.reply(b'{"tokens":3}', "acme")


def test_compacting_has_its_price_and_creates_nothing_to_own() -> None:
    body = b'{"id":"resp_1","output":[{}],"usage":{"input_tokens":5,"output_tokens":2}}'
    _, usage, created = COMPACT.reply(body, "acme")
    assert usage is not None
    assert (usage.input, usage.output, created) == (5, 2, ())


def test_who_cannot_compact_says_so() -> None:
    for code in ("operation_not_supported", "dialect_not_supported"):
        told = json.loads(COMPACT.error(InvalidRequest("No.", code=code)))["error"]
        assert (told["code"], told["param"]) == ("unsupported_response_operation", "model")
    other = NotFound("No.", code="model_not_found")
    assert json.loads(COMPACT.error(other))["error"]["code"] == "model_not_found"
