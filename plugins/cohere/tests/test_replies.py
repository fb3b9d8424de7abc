"""Whole replies that no recording has."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gomodel_proxy.api import NotFound, UpstreamError
from gomodel_proxy.api.chat import Opaque, Reasoning, Text
from gomodel_proxy_cohere.dialect import Chat
from gomodel_proxy_cohere.replies import read_reply

from .streams import CITATION


def reply(**members: Any) -> bytes:
    message = {"role": "assistant", "content": [{"type": "text", "text": "4"}]}
    return json.dumps(
        {"id": "a", "finish_reason": "COMPLETE", "message": message} | members
    ).encode()


def test_thoughts_texts_and_what_nobody_knows_yet() -> None:
    content = [
        {"type": "thinking", "thinking": "2+2"},
        {"type": "text", "text": "4"},
        {"type": "video", "video": "x"},
    ]
    message = {"role": "assistant", "content": content}
    message["citations"] = [
        {**CITATION, "type": "THINKING_CONTENT", "content_index": 0},
        {**CITATION, "content_index": 1},
        {**CITATION, "content_index": None},
    ]
    (choice,) = read_reply(reply(message=message)).choices
    thought, text, video = choice.parts
    assert isinstance(thought, Reasoning)
    assert thought.text == "2+2"
    assert msgspec.json.decode(thought.extra["citations"]) == [message["citations"][0]]
    assert isinstance(text, Text)
    assert [one.file_id for one in text.citations] == ["get_weather_1:0", "doc:1"] * 2
    assert isinstance(video, Opaque)
    assert msgspec.json.decode(video.raw) == content[2]


def test_content_may_be_one_text() -> None:
    (choice,) = read_reply(reply(message={"content": "4"})).choices
    assert [part.text for part in choice.parts if isinstance(part, Text)] == ["4"]


def test_logprobs_are_those_of_openai() -> None:
    items = [{"text": "né", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}]
    (choice,) = read_reply(reply(logprobs=items)).choices
    assert choice.logprobs is not None
    (one,) = msgspec.json.decode(choice.logprobs)["content"]
    assert one == {
        "token": "né",
        "logprob": -0.75,
        "bytes": list("né".encode()),
        "top_logprobs": [],
    }


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"message": 1}', b'{"message": {"content": 1}}'])
def test_what_is_no_reply_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_reply(body)


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_answer_that_failed_is_none(reason: str) -> None:
    usage = {"tokens": {"input_tokens": 3, "output_tokens": 1}}
    body = reply(finish_reason=reason, usage=usage)
    with pytest.raises(UpstreamError, match=reason):
        Chat().reply(body, "co")
    counted = Chat().usage(body)
    assert counted is not None  # and yet it was paid for
    assert counted.total == 4


def test_the_usage_is_the_billed_one_where_that_is_all() -> None:
    usage = {"billed_units": {"input_tokens": 3.0, "output_tokens": "x"}}
    _, counted, _ = Chat().reply(reply(usage=usage), "co")
    assert counted is not None
    assert (counted.input, counted.output, counted.cache_read) == (3, None, None)
    assert json.loads(counted.raw) == usage


def test_an_error_in_place_of_a_reply() -> None:
    with pytest.raises(UpstreamError, match="too many") as raised:
        Chat().reply(b'{"message": "too many", "id": "x"}', "co")
    assert raised.value.body == b'{"message": "too many", "id": "x"}'
    with pytest.raises(UpstreamError, match="no message"):
        Chat().reply(b'{"text": "4"}', "co")


def test_our_errors_in_its_words() -> None:
    assert json.loads(Chat().error(NotFound("No."))) == {"message": "No."}
    event = Chat().stream_error(NotFound("No."))
    assert b"event: message-end" in event
    assert json.loads(event.split(b"data: ")[1])["delta"] == {
        "error": "No.",
        "finish_reason": "ERROR",
    }
