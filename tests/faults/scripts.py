"""Streams as vendors send them, in every framing, and what a client must see of what arrived.

The expectation is made from the events' own list and from design §6.2, not from the product's
parsers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from .conftest import CHAT, RESPONSES, asking

DONE = b"[DONE]"


def _event(value: Any, *, name: str = "", end: str = "\n") -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    named = f"event: {name}{end}" if name else ""
    return f"{named}data: {text}{end}{end}".encode()


def _chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "c-1", "choices": list(choices), **more}


def _delta(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish}


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@dataclass(frozen=True)
class Script:
    """One stream: its request, its events, and whether the client asked for the usage."""

    path: str
    body: dict[str, Any]
    events: tuple[bytes, ...]

    @cached_property
    def data(self) -> bytes:
        """The body."""
        return b"".join(self.events)

    @cached_property
    def ends(self) -> list[int]:
        """Where each event ends in the body."""
        return list(accumulate(map(len, self.events)))

    @property
    def asks_usage(self) -> bool:
        """Whether the usage chunk is the client's."""
        return "stream_options" in self.body


def _lines(end: str) -> tuple[bytes, ...]:
    return (
        _event(_chunk(_delta(role="assistant", content="")), end=end),
        f": so far so good{end}{end}".encode(),
        _event(_chunk(_delta(content="Grüße, ")), end=end),
        _event(_chunk(_delta(content="世界 🌍")), end=end),
        _event(_chunk(_delta(1, content="zwei")), end=end),
        _event(_chunk(_delta(finish="stop"), _delta(1, finish="length")), end=end),
        _event(_chunk(usage=USAGE), end=end),
        _event("[DONE]", end=end),
    )


def _call(**function: str) -> dict[str, Any]:
    return _delta(tool_calls=[{"index": 0, "id": "call_1", "function": function}])


def _response(**more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "output": [], **more}


SCRIPTS = {
    "chat": Script(CHAT, asking(stream=True, n=2), _lines("\n")),
    "chat_crlf": Script(CHAT, asking(stream=True, n=2), _lines("\r\n")),
    "tools": Script(
        CHAT,
        asking(stream=True, stream_options={"include_usage": True}),
        (
            _event(_chunk(_call(name="weather", arguments=""))),
            _event(_chunk(_call(arguments='{"city": "Zür'))),
            _event(_chunk(_call(arguments='ich"}'))),
            _event(_chunk(_delta(finish="tool_calls"))),
            _event(_chunk(usage=USAGE)),
            _event("[DONE]"),
        ),
    ),
    "responses": Script(
        RESPONSES,
        {"model": "m", "input": "Hello", "stream": True},
        tuple(
            _event({"type": kind, **more}, name=kind)
            for kind, more in (
                ("response.created", {"response": _response(status="in_progress")}),
                ("response.output_text.delta", {"delta": "Grüße, "}),
                ("response.output_text.delta", {"delta": "世界"}),
                ("response.output_text.done", {"text": "Grüße, 世界"}),
                (
                    "response.completed",
                    {
                        "response": _response(
                            status="completed", usage={"input_tokens": 11, "output_tokens": 7}
                        )
                    },
                ),
            )
        ),
    ),
}


# ---------------------------------------------------------------- on the wire


@dataclass(frozen=True)
class Wire:
    """A whole answer as bytes; ``arrived[n]`` is how much of the body its first n bytes hold."""

    data: bytes
    arrived: tuple[int, ...]
    delimited: bool  # whether the end can be told from a cut


_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{}\r\n\r\n"
FRAMINGS = ("chunked", "length", "closed")


def wire(script: Script, framing: str, piece: int = 97) -> Wire:
    """Return a script's answer; ``piece`` is the size of a chunk, so that none ends as an event."""
    body = script.data
    if framing == "chunked":
        parts = [(_HEAD.format("Transfer-Encoding: chunked").encode(), False)]
        for start in range(0, len(body), piece):
            some = body[start : start + piece]
            parts += [(b"%x\r\n" % len(some), False), (some, True), (b"\r\n", False)]
        parts.append((b"0\r\n\r\n", False))
    else:
        line = f"Content-Length: {len(body)}" if framing == "length" else "Connection: close"
        parts = [(_HEAD.format(line).encode(), False), (body, True)]
    steps = [int(counts) for part, counts in parts for _ in part]
    return Wire(
        b"".join(part for part, _ in parts), (0, *accumulate(steps)), delimited=framing != "closed"
    )


# ---------------------------------------------------------------- what is due


@dataclass(frozen=True)
class Due:
    """What a client must see when that much of a body arrived."""

    bytes: bytes  # the whole events, as they came
    data: tuple[bytes, ...]  # the events' data, ours included
    clean: bool
    usage: tuple[int | None, int | None, str | None]  # input (None: any), output, provenance


def due(script: Script, arrived: int, framed: bool) -> Due:
    """Return what must come out, and what the ledger must say."""
    count = sum(end <= arrived for end in script.ends)
    whole = script.events[:count]
    rest = script.data[sum(map(len, whole)) : arrived].rstrip(b"\r\n")
    tail = (
        (script.events[count],)
        if rest and rest == script.events[count].rstrip(b"\r\n") and b"data:" in rest
        else ()
    )
    seen = [_data(event) for event in (*whole, *tail)]
    values = [json.loads(data) for data in seen if data not in (None, DONE)]
    shown = [data for data in seen if data is not None and not _hidden(script, data)]
    visible = [event for event in whole if not _hidden(script, _data(event))]
    clean = _finished(script, seen, values, framed)
    if clean and script.path == CHAT and DONE not in seen:
        shown.append(DONE)
    return Due(
        b"".join(visible), tuple(shown), clean, _usage(script, values, bool(visible or tail))
    )


def _data(event: bytes) -> bytes | None:
    for line in event.splitlines():
        if line.startswith(b"data: "):
            return line[6:]
    return None


def _hidden(script: Script, data: bytes | None) -> bool:
    return (
        data is not None
        and b'"usage": {' in data
        and script.path == CHAT
        and not (script.asks_usage)
    )


def _finished(script: Script, seen: list[Any], values: list[Any], framed: bool) -> bool:
    if script.path == RESPONSES:
        return any(value["type"] == "response.completed" for value in values)
    choices = [choice for value in values for choice in value["choices"]]
    begun = {choice["index"] for choice in choices}
    ended = {choice["index"] for choice in choices if choice["finish_reason"]}
    return DONE in seen or (bool(begun) and (framed or begun == ended))


def _usage(
    script: Script, values: list[Any], began: bool
) -> tuple[int | None, int | None, str | None]:
    if any(value.get("usage") or value.get("response", {}).get("usage") for value in values):
        return 11, 7, "reported"
    if not began:
        return None, None, None
    spoken = [value for value in values if _says_something(value)]
    return None, len(spoken), "partial"


def _says_something(value: dict[str, Any]) -> bool:
    if "type" in value:
        return str(value["type"]).endswith(".delta")
    return any(
        member
        for choice in value["choices"]
        for name, member in choice["delta"].items()
        if name != "role"
    )


def read_events(body: bytes) -> list[bytes]:
    """Return the data of each event that has some, by the letter of the WHATWG's text."""
    text = body.decode("utf-8")  # cut characters raise
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    events: list[bytes] = []
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            events.append("\n".join(data).encode())
            data.clear()
    assert not data, "half an event reached the client"
    return events
