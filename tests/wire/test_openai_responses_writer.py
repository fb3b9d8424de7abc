"""Streams of openai.responses, written: every event, in order, adding up to the last one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Raw
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from gomodel_proxy.api import Losses, Usage
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    Citation,
    Failed,
    Finish,
    Media,
    Opaque,
    Part,
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
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import FinishReason

CODEC = ResponsesCodec()
REQUEST = b'{"model":"m","input":"Hi","stream":true,"temperature":0.5}'
START = Start("chatcmpl-1", "gpt-x", 7)
SCORE = {"token": "Hi", "logprob": -0.5, "bytes": [72], "top_logprobs": []}
valid: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def written(*events: StreamEvent, close: bool = True) -> list[dict[str, Any]]:
    writer = CODEC.writer(CODEC.read_request(REQUEST), losses=Losses())
    out = b"".join([writer.write([event]) for event in events])
    out += writer.close() if close else b""
    whole = CODEC.writer(CODEC.read_request(REQUEST), losses=Losses())
    assert whole.write(events) + (whole.close() if close else b"") == out
    found = []
    for number, event in enumerate(out.decode().removesuffix("\n\n").split("\n\n")):
        name, data = event.split("\n")
        told = json.loads(data.removeprefix("data: "))
        assert name == f"event: {told['type']}"
        assert told["sequence_number"] == number
        valid.validate_python(told, strict=True)
        found.append(told)
    return found


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def streamed(*parts: Part, finish: FinishReason = "stop") -> list[StreamEvent]:
    """Return the events of a reply, text by text of two pieces."""
    events: list[StreamEvent] = [START]
    for index, part in enumerate(parts):
        events += [*pieces(index, part), PartEnd(index)]
    return [*events, Finish(finish), UsageReport(Usage(input=3, output=4))]


def pieces(index: int, part: Part) -> list[StreamEvent]:
    if isinstance(part, Text):
        notes = [Piece(index, "", "citation", citation=one) for one in part.citations]
        return [PartStart(index, Text("")), *halves(index, part.text), *notes]
    if isinstance(part, Refusal):
        return [PartStart(index, Refusal("")), *halves(index, part.text)]
    if isinstance(part, ToolCall):
        begun = ToolCall(part.id, part.name, "", part.kind, signature=part.signature)
        return [PartStart(index, begun), *halves(index, part.arguments, "arguments")]
    if isinstance(part, Reasoning):
        told: list[StreamEvent] = [PartStart(index, Reasoning(dialect=part.dialect))]
        told += halves(index, part.text)
        for number, text in enumerate(part.summary):
            told += halves(index, text, "summary", number)
        told += halves(index, part.signature or "", "signature")
        return told + halves(index, part.encrypted or "", "encrypted")
    return [PartStart(index, part)]


def halves(index: int, text: str, field: Any = "text", number: int = 0) -> list[StreamEvent]:
    middle = len(text) // 2
    both = (text[:middle], text[middle:])
    return [Piece(index, half, field, number=number) for half in both if half]


def test_text() -> None:
    events = written(
        START,
        PartStart(0, Text("")),
        Piece(0, "Hi"),
        Piece(0, ' "you"\n'),
        PartEnd(0),
        Finish("stop"),
        UsageReport(Usage(input=3, output=4, cache_read=2)),
    )
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    created, last = events[0]["response"], events[-1]["response"]
    assert (created["status"], created["output"], created["temperature"]) == (
        "in_progress",
        [],
        0.5,
    )
    assert (created["id"], created["model"], created["created_at"]) == (
        "resp_chatcmpl-1",
        "gpt-x",
        7,
    )
    assert events[4]["delta"] + events[5]["delta"] == 'Hi "you"\n' == events[6]["text"]
    assert events[4]["logprobs"] == []
    assert last["output"] == [events[8]["item"]]
    assert last["usage"]["input_tokens_details"]["cached_tokens"] == 2
    assert (last["id"], last["status"]) == (created["id"], "completed")


def test_thoughts() -> None:
    thought = Reasoning("Hmm", summary=["One", "Two"], signature="sig", dialect="acme")
    events = written(*streamed(thought, Text("Hi")))
    assert kinds(events)[2:17] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        *(
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
        )
        * 2,
        "reasoning_text.done",
    ]
    added, done = events[2]["item"], events[18]["item"]
    assert added["summary"] == []
    assert added["id"] == done["id"]
    assert [part["text"] for part in done["summary"]] == ["One", "Two"]
    assert [event["summary_index"] for event in events[6:16]] == [0] * 5 + [1] * 5
    assert done["encrypted_content"].startswith("gomodel.1.")


def test_calls() -> None:
    events = written(
        START,
        PartStart(0, ToolCall("c1", "f", "")),
        PartStart(1, ToolCall("c2", "sql", "", "custom", signature="s")),
        Piece(0, '{"a"', "arguments"),
        Piece(1, "SELECT", "arguments"),
        Piece(0, ":1}", "arguments"),
        PartEnd(0),
        PartEnd(1),
        Finish("tool_calls"),
    )
    assert kinds(events)[2:-1] == [
        "output_item.added",
        "output_item.added",
        "function_call_arguments.delta",
        "custom_tool_call_input.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    first, second = events[-1]["response"]["output"]
    assert (first["call_id"], first["arguments"]) == ("c1", '{"a":1}')
    assert events[7]["arguments"] == '{"a":1}'
    assert (second["call_id"], second["input"], second["signature"]) == ("c2", "SELECT", "s")
    assert events[2]["item"]["arguments"] == ""
    assert [events[n]["output_index"] for n in (4, 5, 6)] == [0, 1, 0]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = written(START, PartStart(0, ToolCall("c", "f", "")), PartEnd(0), Finish("tool_calls"))
    assert kinds(events)[3:5] == ["function_call_arguments.delta", "function_call_arguments.done"]
    assert events[3]["delta"] == events[4]["arguments"] == "{}"


def test_citations_and_probabilities() -> None:
    logprobs = Raw(json.dumps({"content": [SCORE]}).encode())
    events = written(
        START,
        PartStart(0, Text("")),
        Piece(0, "Hi", logprobs=logprobs),
        Piece(0, "", "citation", citation=Citation(url="https://a/", title="A")),
        Piece(0, "", "citation", citation=Citation(url="https://b/")),
        PartEnd(0),
        Finish("stop"),
    )
    assert events[4]["logprobs"] == [SCORE]
    assert [event["annotation_index"] for event in events[5:7]] == [0, 1]
    assert events[5]["annotation"]["end_index"] == 2
    part = events[-1]["response"]["output"][0]["content"][0]
    assert [note["url"] for note in part["annotations"]] == ["https://a/", "https://b/"]
    assert part["logprobs"] == [SCORE]


@pytest.mark.parametrize(
    "parts",
    [
        [Text("Hi")],
        [Text("Hi"), Text(" there"), Refusal("No")],
        [Reasoning("Hmm", dialect="openai.chat"), Text("Hi"), ToolCall("c", "f", '{"a":1}')],
        [Reasoning(summary=["A", "B"], encrypted="gAA", dialect="openai.responses"), Text("Hi")],
        [Reasoning("Hmm", signature="sig", dialect="acme"), ToolCall("c", "f", "", signature="s")],
        [ToolCall("c", "sql", "SELECT 1", "custom"), Text("Hi"), ToolCall("d", "f", "{}")],
        [Text("See", citations=[Citation(url="https://a/", title="A", start=0, end=3)])],
        [Text("An image:"), Media("image", data="QQ==", media_type="image/png"), Text("There")],
        [Opaque("openai.responses", "web_search_call", Raw(b'{"type":"web_search_call"}'))],
        [Opaque("acme", "search", Raw(b"{}"), "Found it"), Text("Hi")],
        [Text("Hi"), ToolCall("c", "f", "{}"), Reasoning("Hmm", dialect="acme"), Text("Bye")],
        [],
    ],
)
@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
def test_a_stream_ends_in_what_a_whole_reply_is(parts: list[Part], finish: FinishReason) -> None:
    usage = Usage(input=3, output=4)
    reply = ChatReply("chatcmpl-1", "gpt-x", [Choice(parts=parts, finish=finish)], 7, usage)
    request = CODEC.read_request(REQUEST)
    whole = json.loads(CODEC.write_reply(reply, request, losses=Losses()))
    writer = CODEC.writer(request, losses=Losses())
    out = writer.write(streamed(*parts, finish=finish)) + writer.close()
    last = json.loads(out.rpartition(b"data: ")[2])
    assert last["response"] == whole


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("stop", "response.completed"),
        ("length", "response.incomplete"),
        ("content_filter", "response.incomplete"),
        ("error", "response.failed"),
    ],
)
def test_how_it_ends(finish: FinishReason, kind: str) -> None:
    assert written(*streamed(Text("Hi"), finish=finish))[-1]["type"] == kind


def test_what_never_ended_is_ended() -> None:
    events = written(START, PartStart(0, Text("")), Piece(0, "Hi"))
    assert kinds(events)[-4:] == [
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_nothing_ends_before_it_is_closed() -> None:
    events = written(*streamed(Text("Hi")), close=False)
    assert not {"completed", "incomplete", "failed"} & set(kinds(events))


def test_a_stream_that_began_without_saying_so() -> None:
    events = written(PartStart(0, Text("")), Piece(0, "Hi"))
    assert kinds(events)[:2] == ["created", "in_progress"]
    assert events[0]["response"]["model"] == "m"


def test_parts_that_overlap() -> None:
    events = written(
        START,
        PartStart(0, Text("")),
        Piece(0, "A"),
        PartStart(1, ToolCall("c", "f", "")),
        Piece(0, "B"),
        Piece(1, "{}", "arguments"),
        PartStart(2, Text("")),
        Piece(2, "C"),
        Piece(0, "D"),
        Finish("tool_calls"),
    )
    output = events[-1]["response"]["output"]
    assert output[0]["content"][0]["text"] == "ABD"
    assert output[1]["arguments"] == "{}"
    assert output[2]["content"][0]["text"] == "C"


def test_other_choices_are_left_out() -> None:
    events = written(
        START,
        PartStart(0, Text("")),
        PartStart(0, Text(""), choice=1),
        Piece(0, "A"),
        Piece(0, "B", choice=1),
        PartEnd(0, choice=1),
        Finish("stop"),
        Finish("length", choice=1),
    )
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "A"


def test_pieces_of_nothing_are_left_out() -> None:
    assert kinds(written(START, Piece(7, "?"), PartEnd(7))) == [
        "created",
        "in_progress",
        "completed",
    ]


def test_usage_that_comes_with_the_start() -> None:
    begun = Start("1", "x", 7, Usage(input=3, output=0))
    response = written(begun, Finish("stop"))[-1]["response"]
    assert response["usage"]["input_tokens"] == 3


def test_a_failure() -> None:
    events = written(
        START,
        PartStart(0, Text("")),
        Piece(0, "Hi"),
        Failed("Slow down", "rate_limit_error", None),
        PartEnd(0),
        Finish("stop"),
    )
    assert events[-1]["type"] == "response.failed"
    response = events[-1]["response"]
    assert (response["status"], response["completed_at"]) == ("failed", None)
    assert response["error"]["code"] == "rate_limit_exceeded"
    assert response["error"]["message"] == "Slow down"


def test_a_failure_before_anything() -> None:
    events = written(Failed("Out of order", "server_error", "oops"))
    assert kinds(events) == ["error"]
    assert (events[0]["message"], events[0]["code"]) == ("Out of order", "oops")


def test_events_are_not_used_up() -> None:
    events = streamed(Reasoning("Hmm", dialect="acme"), Text("Hi"), ToolCall("c", "f", "{}"))
    first = CODEC.writer(CODEC.read_request(REQUEST), losses=Losses())
    second = CODEC.writer(CODEC.read_request(REQUEST), losses=Losses())
    assert first.write(events) + first.close() == second.write(events) + second.close()
