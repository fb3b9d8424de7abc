"""Whole messages, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import Losses, Usage
from gomodel_proxy.api.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Citation,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from gomodel_proxy_anthropic.codec import MessagesCodec

REQUEST = ChatRequest("m", [])


def write(*parts: Any, **choice: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    losses = Losses()
    reply = ChatReply("r1", "gpt-x", [Choice(parts=list(parts), **choice)])
    return json.loads(MessagesCodec().write_reply(reply, REQUEST, losses=losses)), losses.found


def test_a_message() -> None:
    message, losses = write(Text("Hi"), finish="stop")
    assert message == {
        "id": "r1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    assert losses == ()


def test_usage_leaves_the_cache_out_of_the_input() -> None:
    cached = {"cache_read": 60, "cache_write": 10, "cache_write_1h": 4}
    usage = Usage(input=100, output=5, reasoning=3, **cached)
    reply = ChatReply("r", "m", [Choice()], usage=usage, service_tier="default")
    message = json.loads(MessagesCodec().write_reply(reply, REQUEST, losses=Losses()))
    assert message["usage"] == {
        "input_tokens": 30,
        "output_tokens": 5,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 10,
        "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
        "output_tokens_details": {"thinking_tokens": 3},
        "service_tier": "standard",
    }


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("{oops", {"arguments": "{oops"}),
        ("[1]", {"arguments": "[1]"}),
    ],
)
def test_arguments_are_always_an_object(arguments: str, given: Any) -> None:
    message, _ = write(ToolCall("c1", "f", arguments), finish="tool_calls")
    assert message["content"] == [{"type": "tool_use", "id": "c1", "name": "f", "input": given}]
    assert message["stop_reason"] == "tool_use"


def test_what_has_no_block_is_said() -> None:
    message, losses = write(
        Reasoning("Hm", dialect="x"),
        Reasoning(encrypted="S", dialect="x"),
        Refusal("No."),
        Media("image", data="AA", media_type="image/png"),
        Text("", []),
        Text("Fact", [Citation(url="https://x.test", start=0, end=4), Citation(file_id="f")]),
    )
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "text"]
    assert message["content"][2]["citations"][0]["cited_text"] == "Fact"
    assert losses == ("reply.encrypted", "reply.image", "reply.citations")


def test_only_the_first_choice_has_a_place() -> None:
    losses = Losses()
    reply = ChatReply("r", "m", [Choice(), Choice(index=1)])
    MessagesCodec().write_reply(reply, REQUEST, losses=losses)
    assert losses.found == ("choices[1]",)


def test_reading_what_is_no_message() -> None:
    for body in (b"[]", b"{", b'{"content": {}}'):
        with pytest.raises(ValueError, match=r"\S"):
            MessagesCodec().read_reply(body, traits={})


def test_a_block_nobody_knows_survives_in_a_reply() -> None:
    block = {"type": "hologram", "x": 1}
    reply = MessagesCodec().read_reply(json.dumps({"content": [block]}).encode(), traits={})
    (part,) = reply.choices[0].parts
    assert getattr(part, "raw", None) == Raw(json.dumps(block).encode())
