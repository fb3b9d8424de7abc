"""Streams: the meter's judgement, and both ways through the neutral model, cut everywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.api.chat import (
    ChatRequest,
    Citation,
    Failed,
    Finish,
    PartEnd,
    PartStart,
    Piece,
    Reasoning,
    Start,
    StreamEvent,
    Text,
    ToolCall,
    UsageReport,
)
from gomodel_proxy.api.values import Usage
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_gemini.codec import GeminiCodec
from gomodel_proxy_gemini.meter import GeminiMeter
from gomodel_proxy_gemini.stream_reader import GeminiReader
from gomodel_proxy_gemini.stream_writer import GeminiWriter

from .recorded import chunks, files, load, said

STREAMS = [file for file in files("gemini") if load(file)["stream"]]


def sse(*replies: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(reply).encode() for reply in replies)


def reply(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    candidate |= more.pop("candidate", {})
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x", **more}


def read(data: bytes) -> list[StreamEvent]:
    reader = GeminiReader()
    return [*reader.feed(data), *reader.close()]


# ---------------------------------------------------------------- the meter


@pytest.mark.recorded
@pytest.mark.parametrize("file", STREAMS)
def test_cut_at_any_byte_a_stream_is_whole_only_after_its_reason(file: str) -> None:
    body = load(file)["body"].encode()
    last = body.index(b'"finishReason"')
    end = body.find(b"\r\n\r\n", last)
    end = end if end >= 0 else body.index(b"\n\n", last)
    for cut in range(0, len(body), 1 if len(body) < 4000 else 17):
        meter = GeminiMeter()
        passed = meter.feed(body[:cut])
        tail, clean = meter.close(framed=False)
        assert clean == (cut >= end), cut
        assert (passed + tail).strip() == body[: len(passed + tail)].strip()


@pytest.mark.recorded
@pytest.mark.parametrize("file", STREAMS)
def test_in_single_bytes_the_meter_counts_the_same(file: str) -> None:
    body = load(file)["body"].encode()
    meter = GeminiMeter()
    passed = b"".join(meter.feed(body[n : n + 1]) for n in range(len(body)))
    tail, clean = meter.close(framed=True)
    assert clean
    assert (passed + tail).strip() == body.strip()
    usage = meter.usage()
    assert usage is not None
    assert usage.total == said(load(file)).usage["totalTokenCount"]
    assert meter.events == len(chunks(body.decode()))


@pytest.mark.parametrize(
    ("replies", "clean"),
    [
        ([reply({"text": "a"})], False),
        ([reply({"text": "a"}), reply(finish="STOP")], True),
        ([reply({"text": "a"}), {"usageMetadata": {"promptTokenCount": 1}}], False),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], True),
        ([{"usageMetadata": {"promptTokenCount": 1}}], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("framed", [True, False])
def test_the_reason_alone_ends_a_stream(replies: list[Any], clean: bool, framed: bool) -> None:
    meter = GeminiMeter()
    data = sse(*replies)
    assert meter.feed(data) == data
    assert meter.close(framed=framed) == (b"", clean)


RUN = reply({"executableCode": {"language": "PYTHON", "code": "print(1)"}}, finish="STOP")
RAN = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}


@pytest.mark.parametrize(
    ("replies", "cut_whole", "framed_whole"),
    [
        ([RUN], False, True),
        ([RUN, reply(RAN)], False, False),
        ([RUN, reply(RAN, finish="STOP")], True, True),
        ([RUN, reply(RAN), reply({"text": "1"}, finish="STOP")], True, True),
    ],
)
def test_a_reason_with_code_to_be_run_is_not_the_last(
    replies: list[Any], cut_whole: bool, framed_whole: bool
) -> None:
    for framed, whole in ((False, cut_whole), (True, framed_whole)):
        meter = GeminiMeter()
        meter.feed(sse(reply({"text": "a"}), *replies))
        assert meter.close(framed=framed) == (b"", whole)


def test_every_candidate_needs_its_reason() -> None:
    meter = GeminiMeter()
    second = reply({"text": "b"}, candidate={"index": 1})
    meter.feed(sse(reply({"text": "a"}), second, reply(finish="STOP")))
    assert meter.close(framed=True)[1] is False


def test_an_error_goes_on_and_is_remembered() -> None:
    meter = GeminiMeter()
    data = sse(reply({"text": "a"}), {"error": {"code": 503, "message": "busy", "status": "X"}})
    assert meter.feed(data) == data
    assert (meter.error, meter.reported) == ("busy", True)
    assert meter.close(framed=True)[1] is False


def test_what_is_no_event_stops_the_stream() -> None:
    meter = GeminiMeter()
    good = sse(reply({"text": "a"}))
    assert meter.feed(good + b"data: [1]\n\n" + good) == good
    assert meter.error is not None
    assert not meter.reported


# ---------------------------------------------------------------- reading


@pytest.mark.recorded
@pytest.mark.parametrize("file", STREAMS)
def test_read_in_pieces_the_events_add_up_to_the_same(file: str) -> None:
    body = load(file)["body"].encode()
    whole = read(body)
    reader = GeminiReader()
    single = [event for n in range(len(body)) for event in reader.feed(body[n : n + 1])]
    assert single + list(reader.close()) == whole
    texts = [event.text for event in whole if isinstance(event, Piece) and event.field == "text"]
    want = said(load(file))
    assert "".join(texts) == want.thoughts + want.text


def test_parts_of_a_kind_grow_and_others_begin_anew() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
    events = read(
        sse(
            reply({"text": "Hm", "thought": True}),
            reply({"text": "m.", "thought": True}),
            reply({"text": "Let "}, {"text": "me."}),
            reply(call, finish="STOP", usageMetadata={"promptTokenCount": 3, "totalTokenCount": 5}),
        )
    )
    assert isinstance(events[0], Start)
    parts = [event.part for event in events if isinstance(event, PartStart)]
    assert [type(part) for part in parts] == [Reasoning, Text, ToolCall]
    assert parts[2].signature == "c2ln"  # type: ignore[union-attr]
    pieces = [(e.index, e.field, e.text) for e in events if isinstance(e, Piece)]
    assert pieces == [
        (0, "text", "Hm"),
        (0, "text", "m."),
        (1, "text", "Let "),
        (1, "text", "me."),
        (2, "arguments", '{"a": 1}'),
    ]
    assert [event.index for event in events if isinstance(event, PartEnd)] == [0, 1, 2]
    (finish,) = [event for event in events if isinstance(event, Finish)]
    assert (finish.reason, finish.raw) == ("tool_calls", "STOP")
    assert isinstance(events[-1], UsageReport)
    assert (events[-1].usage.input, events[-1].usage.output) == (3, 2)


def test_calls_without_ids_get_the_same_ones_whole_and_streamed() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    body = reply(call, call, finish="STOP")
    whole = GeminiCodec().read_reply(json.dumps(body).encode(), traits={}).choices[0].parts
    streamed = [event.part for event in read(sse(body)) if isinstance(event, PartStart)]
    ids = [part.id for part in whole if isinstance(part, ToolCall)]
    assert ids == [part.id for part in streamed if isinstance(part, ToolCall)]
    assert len(set(ids)) == 2
    assert all(len(one) <= 40 for one in ids)


def test_a_blocked_prompt_is_filtered_content() -> None:
    events = read(sse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r"}))
    (finish,) = [event for event in events if isinstance(event, Finish)]
    assert (finish.reason, finish.raw) == ("content_filter", "PROHIBITED_CONTENT")


def test_an_error_is_read() -> None:
    events = read(sse({"error": {"code": 500, "message": "down", "status": "INTERNAL"}}))
    assert events == [Failed("down", "upstream_error", "INTERNAL")]


def test_a_repeated_reason_finishes_once_and_last() -> None:
    events = read(sse(reply({"text": "a"}, finish="STOP"), reply({"text": "b"}, finish="STOP")))
    assert isinstance(events[-1], Finish)
    assert sum(isinstance(event, Finish) for event in events) == 1


# ---------------------------------------------------------------- writing

HEAD = Start("m1", "gpt-x", 0)


def written(*events: StreamEvent, close: bool = True) -> list[Any]:
    writer = GeminiWriter(Losses())
    data = writer.write([HEAD, *events])
    return chunks((data + (writer.close() if close else b"")).decode())


def test_a_stream_is_written_as_replies() -> None:
    got = written(
        PartStart(0, Text("")),
        Piece(0, 'He said "é"'),
        Piece(0, "\n"),
        PartEnd(0),
        Finish("length"),
        UsageReport(Usage(input=5, output=9, reasoning=4, cache_read=2)),
    )
    texts = [one["candidates"][0]["content"]["parts"][0]["text"] for one in got]
    assert texts == ['He said "é"', "\n", ""]
    assert {(one["modelVersion"], one["responseId"]) for one in got} == {("gpt-x", "m1")}
    assert "finishReason" not in got[1]["candidates"][0]
    assert got[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert got[-1]["usageMetadata"] == {
        "promptTokenCount": 5,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 4,
        "cachedContentTokenCount": 2,
        "totalTokenCount": 14,
    }


def test_a_stream_without_a_reason_just_stops() -> None:
    *_, last = written(PartStart(0, Text("")), Piece(0, "Hi"), PartEnd(0))
    (candidate,) = last["candidates"]
    assert (candidate["finishReason"], candidate["index"]) == ("STOP", 0)


def test_calls_are_written_whole_even_if_they_never_end() -> None:
    got = written(
        PartStart(0, ToolCall("c1", "f", "")),
        PartStart(1, ToolCall("c2", "g", "")),
        Piece(0, '{"a":', "arguments"),
        Piece(1, "", "arguments"),
        Piece(0, "1}", "arguments"),
        PartEnd(0),
        Finish("tool_calls"),
    )
    calls = [one["candidates"][0]["content"]["parts"][0].get("functionCall") for one in got]
    assert calls == [
        {"id": "c1", "name": "f", "args": {"a": 1}},
        {"id": "c2", "name": "g", "args": {}},
        None,
    ]


def test_another_vendors_proof_travels_in_the_signature() -> None:
    got = written(
        PartStart(0, Reasoning(dialect="anthropic.messages")),
        Piece(0, "Hm"),
        Piece(0, "si", "signature"),
        Piece(0, "g==", "signature"),
        PartEnd(0),
        Finish("stop"),
    )
    parts = [one["candidates"][0]["content"]["parts"][0] for one in got][:-1]
    assert parts[0] == {"text": "Hm", "thought": True}
    request = {"contents": [{"role": "model", "parts": [parts[1]]}]}
    (message,) = GeminiCodec().read_request(json.dumps(request).encode()).messages
    (thought,) = message.parts
    assert isinstance(thought, Reasoning)
    assert (thought.signature, thought.dialect) == ("sig==", "anthropic.messages")


def test_sources_are_said_at_the_end_in_bytes() -> None:
    got = written(
        PartStart(0, Text("")),
        Piece(0, "Zürich lies there."),
        Piece(0, "", "citation", citation=Citation(url="https://a.example", start=0, end=6)),
        Finish("stop"),
    )
    grounding = got[-1]["candidates"][0]["groundingMetadata"]
    assert grounding["groundingChunks"] == [{"web": {"uri": "https://a.example"}}]
    (support,) = grounding["groundingSupports"]
    assert support == {
        "segment": {"startIndex": 0, "endIndex": 7},
        "groundingChunkIndices": [0],
    }


def test_a_failure_inside_is_an_error_event() -> None:
    writer = GeminiWriter(Losses())
    data = writer.write([HEAD, Failed("down", code="overloaded")])
    assert json.loads(data[6:]) == {
        "error": {"code": 500, "message": "down", "status": "overloaded"}
    }


@pytest.mark.recorded
@pytest.mark.parametrize("file", STREAMS)
def test_written_again_a_stream_says_the_same(file: str) -> None:
    recorded = load(file)
    writer = GeminiWriter(Losses())
    again = writer.write(read(recorded["body"].encode())) + writer.close()
    got = said({**recorded, "body": again.decode()})
    want = said(recorded)
    assert (got.text, got.thoughts, got.finish) == (want.text, want.thoughts, want.finish)
    names = ("promptTokenCount", "totalTokenCount", "thoughtsTokenCount")
    taken = want.usage["promptTokenCount"] + want.usage.get("toolUsePromptTokenCount", 0)
    want.usage["promptTokenCount"] = taken
    assert [got.usage.get(name) for name in names] == [want.usage.get(name) for name in names]
    assert [chunk for chunk, _ in got.sources] == [chunk for chunk, _ in want.sources]
    for (_, ours), (_, theirs) in zip(got.sources, want.sources, strict=True):
        assert ours["endIndex"] == theirs["endIndex"]


def test_through_a_chat_stream_and_back() -> None:
    request = ChatRequest("m", [], stream_usage=True)
    source = sse(reply({"text": "Hm", "thought": True}), reply({"text": "Yes"}, finish="STOP"))
    writer = ChatCodec().writer(request, losses=Losses())
    chat = writer.write(read(source)) + writer.close()
    reader = ChatCodec().reader(traits={})
    back = GeminiWriter(Losses())
    again = back.write([*reader.feed(chat), *reader.close()]) + back.close()
    got = said({"stream": True, "body": again.decode()})
    assert (got.thoughts, got.text, got.finish) == ("Hm", "Yes", "STOP")
