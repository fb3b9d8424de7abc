"""Streams read into events and written from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import Losses, Usage
from gomodel_proxy.api.chat import (
    ChatRequest,
    Citation,
    Failed,
    Finish,
    Media,
    Message,
    Opaque,
    PartEnd,
    PartStart,
    Piece,
    Reasoning,
    Refusal,
    Start,
    StreamEvent,
    Text,
    ToolCall,
    UsageReport,
)
from gomodel_proxy_anthropic.codec import MessagesCodec
from gomodel_proxy_anthropic.content import DIALECT

REQUEST = ChatRequest("m", [Message("user", [Text("Hello there")])])
START = Start("id1", "model1")
END = [Finish("stop"), UsageReport(Usage(input=10, output=4, cache_read=6))]


def write(*events: StreamEvent) -> list[dict[str, Any]]:
    """Return the events written for these, each with its name checked."""
    writer = MessagesCodec().writer(REQUEST, losses=Losses())
    out = b"".join(writer.write([event]) for event in events) + writer.close()
    found = []
    for one in out.decode().split("\n\n")[:-1]:
        name, data = one.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def blocks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the content that the events add up to, refusing any that are out of order."""
    found: list[dict[str, Any]] = []
    current: int | None = None
    for event in events:
        kind = event["type"]
        if kind == "content_block_start":
            assert current is None
            current = event["index"]
            assert current == len(found)
            found.append(dict(event["content_block"]))
        elif kind == "content_block_delta":
            assert event["index"] == current
            delta = dict(event["delta"])
            name = delta.pop("type")
            if name == "citations_delta":
                found[-1].setdefault("citations", []).append(delta["citation"])
            elif name == "input_json_delta":
                found[-1]["json"] = found[-1].get("json", "") + delta["partial_json"]
            else:
                for member, text in delta.items():
                    found[-1][member] += text
        elif kind == "content_block_stop":
            assert event["index"] == current
            current = None
    assert current is None
    return found


def test_text_and_the_order_of_events() -> None:
    events = write(START, PartStart(0, Text("")), Piece(0, "Hi"), Piece(0, "!"), PartEnd(0), *END)
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start = events[0]["message"]
    assert (start["id"], start["model"], start["role"], start["content"]) == (
        "id1",
        "model1",
        "assistant",
        [],
    )
    assert start["usage"]["input_tokens"] > 0  # a guess, until the end says it
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[-2]["usage"] == {
        "input_tokens": 4,
        "output_tokens": 4,
        "cache_read_input_tokens": 6,
    }


def test_usage_that_is_known_at_the_start() -> None:
    events = write(Start("i", "m", usage=Usage(input=3, output=0)), *END)
    assert events[0]["message"]["usage"] == {"input_tokens": 3, "output_tokens": 0}


def test_interleaved_calls_come_one_after_the_other() -> None:
    events = write(
        START,
        PartStart(0, Text("")),
        Piece(0, "Hm"),
        PartStart(1, ToolCall("a", "f", "")),
        PartStart(2, ToolCall("b", "g", "")),
        Piece(1, '{"x"', "arguments"),
        Piece(2, '{"y"', "arguments"),
        PartEnd(0),
        Piece(1, ":1}", "arguments"),
        Piece(2, ":2}", "arguments"),
        Finish("tool_calls"),
    )
    text, a, b = blocks(events)
    assert text["text"] == "Hm"
    assert (a["id"], a["json"], b["id"], b["json"]) == ("a", '{"x":1}', "b", '{"y":2}')
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_call_without_arguments() -> None:
    (call,) = blocks(write(START, PartStart(0, ToolCall("a", "f", "")), PartEnd(0), *END))
    assert call == {"type": "tool_use", "id": "a", "name": "f", "input": {}}


def test_a_custom_call_is_an_object_at_the_end() -> None:
    events = write(
        START,
        PartStart(0, ToolCall("a", "f", "", "custom")),
        Piece(0, 'say "', "arguments"),
        Piece(0, 'hi"', "arguments"),
        PartEnd(0),
        *END,
    )
    assert json.loads(blocks(events)[0]["json"]) == {"input": 'say "hi"'}


def test_thoughts_of_others_have_no_signature() -> None:
    events = write(
        START,
        PartStart(0, Reasoning(dialect="openai.responses")),
        Piece(0, "One", "summary"),
        Piece(0, "Two", "summary", number=1),
        Piece(0, "SECRET", "encrypted"),
        PartEnd(0),
        PartStart(1, Reasoning(dialect="openai.responses")),
        Piece(1, "SECRET", "encrypted"),
        PartEnd(1),
        *END,
    )
    assert blocks(events) == [{"type": "thinking", "thinking": "One\n\nTwo", "signature": ""}]


def test_a_refusal_is_text() -> None:
    events = write(START, PartStart(0, Refusal("")), Piece(0, "No."), PartEnd(0), Finish("refusal"))
    assert blocks(events) == [{"type": "text", "text": "No."}]
    assert events[-2]["delta"]["stop_reason"] == "refusal"


def test_citations_of_urls() -> None:
    citation = Citation(url="https://x.test", title="T", start=0, end=4)
    events = write(
        START,
        PartStart(0, Text("")),
        Piece(0, "Fact here"),
        Piece(0, "", "citation", citation=citation),
        Piece(0, "", "citation", citation=Citation(file_id="f")),
        PartEnd(0),
        *END,
    )
    (cited,) = blocks(events)[0]["citations"]
    assert cited == {
        "type": "web_search_result_location",
        "url": "https://x.test",
        "title": "T",
        "cited_text": "Fact",
        "encrypted_index": "",
    }


def test_what_others_alone_know_is_said_or_left_out() -> None:
    events = write(
        START,
        PartStart(0, Opaque("other", "x", b"{}", "Said")),  # type: ignore[arg-type]
        PartEnd(0),
        PartStart(1, Opaque("other", "x", b"{}")),  # type: ignore[arg-type]
        PartEnd(1),
        *END,
    )
    assert blocks(events) == [{"type": "text", "text": "Said"}]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finish("stop", stopped_by="END"), "stop_sequence"),
        (Finish("length"), "max_tokens"),
        (Finish("content_filter"), "refusal"),
        (Finish("pause"), "pause_turn"),
        (Finish("length", raw="model_context_window_exceeded"), "model_context_window_exceeded"),
        (Finish("other", raw="strange"), "end_turn"),
    ],
)
def test_stop_reasons(finish: Finish, reason: str) -> None:
    delta = write(START, finish)[-2]["delta"]
    assert delta["stop_reason"] == reason
    assert delta["stop_sequence"] == finish.stopped_by


def test_a_failure_is_an_error_event() -> None:
    writer = MessagesCodec().writer(REQUEST, losses=Losses())
    out = writer.write([START, Failed("Busy", "overloaded_error")])
    assert out.endswith(
        b"event: error\n"
        b'data: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n'
    )


def test_other_choices_are_left_out() -> None:
    events = write(
        START,
        PartStart(0, Text(""), choice=1),
        Piece(0, "B", choice=1),
        PartStart(0, Text("")),
        Piece(0, "A"),
        Finish("stop", choice=1),
        *END,
    )
    assert blocks(events) == [{"type": "text", "text": "A"}]


def sse(*events: Any) -> bytes:
    """Return a stream of these events."""
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)


def test_blocks_of_anthropics_own_are_read_whole() -> None:
    stream = sse(
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "server_tool_use", "id": "s", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"q":'},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "1}"},
        },
        {"type": "content_block_stop", "index": 0},
    )
    start, end = MessagesCodec().reader(traits={}).feed(stream)
    assert isinstance(start, PartStart)
    assert isinstance(start.part, Opaque)
    assert start.part.type == "server_tool_use"
    assert json.loads(bytes(start.part.raw))["input"] == {"q": 1}
    assert isinstance(end, PartEnd)


@pytest.mark.parametrize("pieces", [[], [""], ["{}"], ['{"a"', ":1}"]])
def test_a_tool_that_takes_nothing_takes_an_object(pieces: list[str]) -> None:
    call = {"type": "tool_use", "id": "t", "name": "now", "input": {}}
    more = [
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": one},
        }
        for one in pieces
    ]
    stream = sse(
        {"type": "content_block_start", "index": 1, "content_block": call},
        *more,
        {"type": "content_block_stop", "index": 1},
    )
    events = MessagesCodec().reader(traits={}).feed(stream)
    said = [one.text for one in events if isinstance(one, Piece)]
    assert "".join(said) == ("".join(pieces) or "{}")
    assert isinstance(events[-1], PartEnd)


def test_a_citation_is_read() -> None:
    cited = {"type": "char_location", "cited_text": "so", "document_index": 0}
    delta = {"type": "citations_delta", "citation": cited}
    events = (
        MessagesCodec()
        .reader(traits={})
        .feed(
            sse(
                {"type": "content_block_delta", "index": 0, "delta": delta},
                {"type": "content_block_delta", "index": 0, "delta": {**delta, "citation": None}},
            )
        )
    )
    (piece,) = events
    assert isinstance(piece, Piece)
    assert piece.citation is not None
    assert json.loads(bytes(piece.citation.raw or b"")) == cited


def test_a_thought_that_only_its_vendor_can_read_is_whole_when_its_block_begins() -> None:
    hidden = PartStart(0, Reasoning(dialect=DIALECT, redacted=True))
    events = write(
        START, hidden, Piece(0, "QU", "encrypted"), Piece(0, "JD", "encrypted"), PartEnd(0), *END
    )
    assert blocks(events) == [{"type": "redacted_thinking", "data": "QUJD"}]


def test_what_a_stream_cannot_say_is_noted() -> None:
    losses = Losses()
    writer = MessagesCodec().writer(REQUEST, losses=losses)
    out = writer.write(
        [
            START,
            PartStart(0, Reasoning("Hm", dialect="x")),
            Piece(0, "sig", "signature"),
            PartStart(1, Text("Fact", signature="s")),
            Piece(1, "", "citation", citation=Citation(file_id="f")),
            PartStart(2, ToolCall("t", "f", "{}", signature="s")),
            PartStart(3, Media("image", data="AA", media_type="image/png")),
            PartStart(4, Opaque("x", "web_search", Raw(b"{}"))),
            PartStart(0, Text("Other"), choice=1),
            *END,
        ]
    )
    assert out
    assert losses.found == (
        "reply.signature",
        "choices[1]",
        "reply.citations",
        "reply.image",
        "reply.web_search",
    )
