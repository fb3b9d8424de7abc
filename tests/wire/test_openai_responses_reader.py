"""Streams of openai.responses, read: also those that leave events out or begin in the middle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
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
from gomodel_proxy.wire import sse
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

if TYPE_CHECKING:
    from collections.abc import Iterable

CODEC = ResponsesCodec()
FOLDER = Path(__file__).parents[2].parent / "shared" / "recorded"
HEAD = {"id": "resp_1", "model": "x", "created_at": 7, "output": []}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [
        {
            "type": "output_text",
            "text": "Hi",
            "annotations": [{"type": "url_citation", "url": "https://a/", "title": "A"}],
        }
    ],
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}],
    "content": [{"type": "reasoning_text", "text": "Hmm"}],
    "encrypted_content": "gAA",
}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def event(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **members}


def last(*items: Any, kind: str = "completed", **more: Any) -> dict[str, Any]:
    response = {**HEAD, "status": kind, "output": items, "usage": USAGE, **more}
    return event(kind, response=response)


def read(events: Iterable[dict[str, Any]], *, named: bool = True) -> list[StreamEvent]:
    body = b"".join(
        sse.event(json.dumps(one).encode(), one["type"] if named else None) for one in events
    )
    whole = CODEC.reader(traits={})
    found = [*whole.feed(body), *whole.close()]
    apart = CODEC.reader(traits={})
    again = [one for n in range(len(body)) for one in apart.feed(body[n : n + 1])]
    assert [*again, *apart.close()] == found
    return found


def gathered(events: Iterable[StreamEvent]) -> list[Part]:
    """Return the parts that events add up to."""
    parts: dict[int, Part] = {}
    ended = []
    for one in events:
        if isinstance(one, PartStart):
            assert one.index == len(parts)
            parts[one.index] = one.part
        elif isinstance(one, Piece):
            assert one.index not in ended
            grow(parts[one.index], one)
        elif isinstance(one, PartEnd):
            ended.append(one.index)
    assert sorted(ended) == list(parts)
    return [placeless(part) for part in parts.values()]


def grow(part: Any, piece: Piece) -> None:
    if piece.citation is not None:
        part.citations.append(piece.citation)
    elif piece.field == "summary":
        assert piece.number in (len(part.summary), len(part.summary) - 1)
        part.summary[piece.number :] = [
            "".join(part.summary[piece.number :]) + piece.text,
        ]
    else:
        setattr(part, piece.field, (getattr(part, piece.field) or "") + piece.text)


def whole(*items: Any) -> list[Part]:
    reply = CODEC.read_reply(json.dumps(last(*items)["response"]).encode(), traits={})
    return [placeless(part) for part in reply.choices[0].parts]


def placeless(part: Part) -> Part:
    """Return a part without what only its place in the body says, and ``phase`` of its item."""
    part.at, part.extra = "", {}
    for citation in getattr(part, "citations", ()):
        citation.at = ""
    return part


EVENTS = [
    event("created", response=HEAD | {"status": "in_progress"}),
    event("in_progress", response=HEAD | {"status": "in_progress"}),
    event("output_item.added", output_index=0, item=THOUGHT | {"summary": [], "content": []}),
    event("reasoning_summary_part.added", output_index=0, summary_index=0, part={}),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="On"),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="e"),
    event("reasoning_summary_text.done", output_index=0, summary_index=0, text="One"),
    event("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="Two"),
    event("content_part.added", output_index=0, content_index=0, part={"type": "reasoning_text"}),
    event("reasoning_text.delta", output_index=0, content_index=0, delta="Hm"),
    event("reasoning_text.delta", output_index=0, content_index=0, delta="m"),
    event("output_item.done", output_index=0, item=THOUGHT),
    event("output_item.added", output_index=1, item=SEARCH | {"status": "in_progress"}),
    event("web_search_call.searching", output_index=1, item_id="ws_1"),
    event("output_item.done", output_index=1, item=SEARCH),
    event("output_item.added", output_index=2, item=MESSAGE | {"content": []}),
    event(
        "content_part.added",
        output_index=2,
        content_index=0,
        part={"type": "output_text", "text": ""},
    ),
    event("output_text.delta", output_index=2, content_index=0, delta="H", logprobs=[]),
    event("output_text.delta", output_index=2, content_index=0, delta="i", logprobs=[]),
    event(
        "output_text.annotation.added",
        output_index=2,
        content_index=0,
        annotation_index=0,
        annotation=MESSAGE["content"][0]["annotations"][0],  # type: ignore[index]
    ),
    event("output_text.done", output_index=2, content_index=0, text="Hi"),
    event("content_part.done", output_index=2, content_index=0, part=MESSAGE["content"][0]),
    event("output_item.done", output_index=2, item=MESSAGE),
    event("output_item.added", output_index=3, item=CALL | {"arguments": ""}),
    event("function_call_arguments.delta", output_index=3, delta='{"a"'),
    event("function_call_arguments.delta", output_index=3, delta=":1}"),
    event("function_call_arguments.done", output_index=3, arguments='{"a":1}'),
    event("output_item.done", output_index=3, item=CALL),
    last(THOUGHT, SEARCH, MESSAGE, CALL),
]


@pytest.mark.parametrize("named", [True, False])
def test_a_whole_stream(named: bool) -> None:
    events = read(EVENTS, named=named)
    assert events[0] == Start("resp_1", "x", 7)
    assert gathered(events) == whole(THOUGHT, SEARCH, MESSAGE, CALL)
    assert [one for one in events if isinstance(one, Finish)] == [
        Finish("tool_calls", raw="completed")
    ]
    assert isinstance(events[-2], UsageReport)
    assert events[-2].usage.total == 7


@pytest.mark.parametrize(
    "left_out",
    [
        ".delta",
        "added",
        "output_item.added",
        "content_part.added",
        "output_item.done",
        "done",
        "annotation.added",
        "response.created",
        "response.in_progress",
        "reasoning",
        "output_text",
        "function_call",
    ],
)
def test_events_that_were_left_out(left_out: str) -> None:
    events = [one for one in EVENTS if left_out not in one["type"]]
    parts = gathered(read(events))
    wanted = whole(THOUGHT, SEARCH, MESSAGE, CALL)
    if "added" in left_out and isinstance(wanted[0], Reasoning):
        wanted[0].item = parts[0].item if isinstance(parts[0], Reasoning) else None
    if left_out in ("output_item.done", "done"):
        # What is opaque is known at the end alone, and comes in the order of its coming.
        parts.sort(key=lambda part: [Reasoning, Opaque, Text, ToolCall].index(type(part)))
    assert parts == wanted


def test_only_the_last_event() -> None:
    events = read([last(MESSAGE)])
    assert events[0] == Start("resp_1", "x", 7)
    assert gathered(events) == whole(MESSAGE)


def test_joined_in_the_middle() -> None:
    events = read([EVENTS[18], *EVENTS[20:23], last(THOUGHT, SEARCH, MESSAGE)])
    assert events[0] == Start("", "")
    text, *before = gathered(events)
    assert isinstance(text, Text)
    assert text.text == "i"
    assert before == whole(THOUGHT, SEARCH)


def test_refusals_and_custom_tools() -> None:
    events = read(
        [
            EVENTS[0],
            event("output_item.added", output_index=0, item=MESSAGE | {"content": []}),
            event("content_part.added", output_index=0, content_index=0, part={"type": "refusal"}),
            event("refusal.delta", output_index=0, content_index=0, delta="N"),
            event("refusal.delta", output_index=0, content_index=0, delta="o"),
            event(
                "output_item.added",
                output_index=1,
                item={"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": ""},
            ),
            event("custom_tool_call_input.delta", output_index=1, delta="SELECT 1"),
            last(),
        ]
    )
    assert gathered(events) == [Refusal("No"), ToolCall("c", "sql", "SELECT 1", "custom")]


def test_probabilities() -> None:
    score = {"token": "Hi", "logprob": -0.5}
    deltas = [event("output_text.delta", output_index=0, delta="Hi", logprobs=[score])]
    told = [one for one in read(deltas) if isinstance(one, Piece)]
    assert told[0].logprobs is not None
    assert json.loads(bytes(told[0].logprobs))["content"] == [score]


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        ("completed", {}, "stop"),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ("incomplete", {"incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ("incomplete", {}, "other"),
    ],
)
def test_how_it_ends(kind: str, more: dict[str, Any], reason: str) -> None:
    (finish,) = [one for one in read([last(MESSAGE, kind=kind, **more)]) if isinstance(one, Finish)]
    assert finish.reason == reason


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        (
            last(kind="failed", error={"code": "server_error", "message": "Oops"}),
            Failed("Oops", None, "server_error"),
        ),
        (last(kind="failed"), Failed("The provider failed.")),
        (
            {"type": "error", "code": "oops", "message": "Oops", "param": None},
            Failed("Oops", None, "oops"),
        ),
        (
            {"type": "error", "error": {"type": "server_error", "code": None, "message": "Oops"}},
            Failed("Oops", "server_error"),
        ),
    ],
)
def test_failures(told: dict[str, Any], failed: Failed) -> None:
    events = read([EVENTS[0], told])
    assert [one for one in events if isinstance(one, Failed)] == [failed]
    assert not [one for one in events if isinstance(one, Finish)]


def test_what_nobody_knows_is_left_out() -> None:
    strange = [event("audio.delta", delta={"x": 1}), event("unheard.of", output_index="x")]
    assert read([EVENTS[0], *strange, last(MESSAGE)]) == read([EVENTS[0], last(MESSAGE)])


def test_what_makes_no_sense_is_an_error() -> None:
    with pytest.raises(ValueError, match="delta"):
        read([event("output_text.delta", output_index=0, delta=7)])


@pytest.mark.recorded
@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.stem[-40:])
        for file in sorted(FOLDER.glob("*/openai-responses*.json"))
        if json.loads(file.read_text())["content_type"].startswith("text/event-stream")
    ],
)
def test_recordings_read_as_their_last_event(file: Path) -> None:
    body = json.loads(file.read_text())["body"]
    reader = CODEC.reader(traits={})
    events = [*reader.feed(body.encode()), *reader.close()]
    response = json.loads(body.rstrip().rpartition("data: ")[2])["response"]
    reply = CODEC.read_reply(json.dumps(response).encode(), traits={})
    assert gathered(events) == [placeless(part) for part in reply.choices[0].parts]
    assert events[0] == Start(reply.id, reply.model, reply.created)
