"""Streams as Cohere's documentation shows them: docs.cohere.com/docs/streaming (2026-11)."""

from __future__ import annotations

import json
from typing import Any


def stream(*events: dict[str, Any], done: bool = True) -> bytes:
    """Return events as they come over the wire."""
    lines = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def message(type_: str, index: int | None = None, **members: Any) -> dict[str, Any]:
    """Return an event with something new in the message."""
    numbered = {} if index is None else {"index": index}
    return {"type": type_, **numbered, "delta": {"message": members}}


def start(id_: str) -> dict[str, Any]:
    members = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    return {"id": id_, **message("message-start", **members, citations=[])}


def end(reason: str, tokens: tuple[int, int], **more: Any) -> dict[str, Any]:
    usage = {
        "billed_units": {"input_tokens": 37.0, "output_tokens": 28.0},
        "tokens": {"input_tokens": float(tokens[0]), "output_tokens": float(tokens[1])},
        "cached_tokens": 64.0,
    }
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage, **more}}


def call(index: int, id_: str, *pieces: str) -> list[dict[str, Any]]:
    begun = {"id": id_, "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    return [
        message("tool-call-start", index, tool_calls=begun),
        *(
            message("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
            for piece in pieces
        ),
        {"type": "tool-call-end", "index": index},
    ]


def content(index: int, kind: str, *pieces: str) -> list[dict[str, Any]]:
    return [
        message("content-start", index, content={"type": kind, kind: ""}),
        *(message("content-delta", index, content={kind: piece}) for piece in pieces),
    ]


CITATION = {
    "start": 16,
    "end": 20,
    "text": "24°C",
    "sources": [
        {"type": "tool", "id": "get_weather_1:0", "tool_output": {"result": "24°C in Madrid"}},
        {"type": "document", "id": "doc:1", "document": {"title": "Sun", "url": "https://sun.es"}},
    ],
    "type": "TEXT_CONTENT",
}

CALLS = stream(
    start("fba98ad3"),
    message("tool-plan-delta", tool_plan="I will"),
    message("tool-plan-delta", tool_plan=" look, twice."),
    *call(0, "get_weather_p1", '{\n    "', 'location": "Madrid"', "}"),
    *call(1, "get_weather_ay", '{"location":', '"Brasília"}'),
    end("TOOL_CALL", (913, 83)),
)
ANSWER = stream(
    start("e8f9afc1"),
    *content(0, "text", "It is currently ", "24°C", " in Madrid."),
    message("citation-start", 0, citations=CITATION),
    {"type": "citation-end", "index": 0},
    {"type": "content-end", "index": 0},
    end("COMPLETE", (1061, 85)),
)
THOUGHT = stream(
    start("0a1b"),
    *content(0, "thinking", "Hm", ", 2+2"),
    {"type": "content-end", "index": 0},
    *content(1, "text", "4"),
    {"type": "content-end", "index": 1},
    # the documentation has citations after the end of their text too
    message("citation-start", 0, citations={**CITATION, "start": 0, "end": 1, "content_index": 1}),
    {"type": "citation-end", "index": 0},
    end("MAX_TOKENS", (20, 9)),
    done=False,
)
