"""What vendors stream: recordings, and short streams that are written here.

Kinds of content are text, thoughts, calls, sources (which are cited), and an error in the stream.
"""

from __future__ import annotations

import json
import re
import struct
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from gomodel_proxy.api import Losses, Usage
from gomodel_proxy.api.chat import (
    Citation,
    Failed,
    Finish,
    PartEnd,
    PartStart,
    Piece,
    Reasoning,
    Start,
    Text,
    ToolCall,
    UsageReport,
)

from .recorded import ACCOUNTS, body, broken_off, files, load, replies, told
from .vendors import VENDORS, beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gomodel_proxy.api.chat import StreamEvent

_SSE = "text/event-stream"
_FRAMES = "application/vnd.amazon.eventstream"


class Stream(NamedTuple):
    """One whole stream of a vendor's; ``dialect`` is what recordings call it."""

    name: str
    dialect: str
    model: str
    content_type: str
    kinds: frozenset[str]
    data: bytes

    def events(self) -> list[bytes]:
        """Return the bytes of each event."""
        if self.content_type != _FRAMES:
            return re.findall(rb".+?(?:(?:\r?\n){2,}|\Z)", self.data, re.DOTALL)
        found, rest = [], self.data
        while rest:
            (size,) = struct.unpack_from("!I", rest)
            found.append(rest[:size])
            rest = rest[size:]
        return found


_LIMIT = 1_500  # bytes; there are longer recordings, for `make soak`


def chosen() -> list[Stream]:
    """Return the fewest bytes that have each dialect's kinds: of recordings, abridged, if any."""
    out: list[Stream] = []
    found = [abridged(one) for one in recordings()]
    for dialect in ACCOUNTS:
        some = [one for one in found if one.dialect == dialect and len(one.data) <= _LIMIT]
        some = _fewest(some, frozenset())
        made = [one for one in written() if one.dialect == dialect]
        out += [*some, *_fewest(made, _kinds(some))]
    return out


def _fewest(streams: Sequence[Stream], there: frozenset[str]) -> Sequence[Stream]:
    """Return the fewest bytes that have all the kinds, but those that are there already."""
    choices = (combinations(streams, count) for count in range(len(streams) + 1))
    wanted = _kinds(streams) | there
    enough = [some for some in chain(*choices) if _kinds(some) | there == wanted]
    return min(enough, key=lambda some: sum(len(one.data) for one in some))


def _kinds(streams: Sequence[Stream]) -> frozenset[str]:
    return frozenset(chain.from_iterable(one.kinds for one in streams))


# ---------------------------------------------------------------- recorded


def recordings() -> list[Stream]:
    """Return every recorded stream."""
    loaded = [(file, load(file)) for file in files(*ACCOUNTS)]
    return [
        Stream(file, one["dialect"], one["model"], one["content_type"], _said(file), body(one))
        for file, one in loaded
        if one["stream"]
    ]


def _said(file: str) -> frozenset[str]:
    if file in broken_off():
        return frozenset({"error"})
    if file not in replies(stream=True):
        return frozenset()
    said = told(load(file))
    names = ("text", "thoughts", "calls", "sources")
    return frozenset(name for name in names if getattr(said, name))


_LONG = re.compile(rb"([ !#-\[\]-~]{64})[ !#-\[\]-~]{64,}")
"""A part of a string, of which the beginning does; its length stays one of base64."""


def abridged(stream: Stream) -> Stream:
    """Return a stream without what only makes it longer.

    Of events in a row that have the same members the first and the last are kept, so that each
    kind of event and each step from one to the next still is there; of a long text its beginning.
    """
    events = stream.events()
    shapes = [None, *(_shape(event, stream.content_type) for event in events), None]
    alike = [before == after for before, after in pairwise(shapes)]
    like_last, like_next = alike[:-1], alike[1:]
    kept = [
        event for event, *both in zip(events, like_last, like_next, strict=True) if not all(both)
    ]
    data = b"".join(kept)
    if stream.content_type != _FRAMES:  # those are checksummed
        data = _LONG.sub(rb"\1", data)
    return stream._replace(name=f"{stream.name}-abridged", data=data)


def _shape(event: bytes, content_type: str) -> Any:
    """Return an event's name and members; values count by their type, places and names whole."""
    if content_type == _FRAMES:
        size = 12 + struct.unpack_from("!I", event, 4)[0]
        return event[12:size], _members(json.loads(event[size:-4]))
    (*_, line) = event.strip().splitlines()
    if not line.startswith(b"data: {"):
        return line
    return _members(json.loads(line[6:]))


_WHOLE = ("type", "index", "output_index", "content_index", "contentBlockIndex")
_PADDING = ("obfuscation", "p")


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: inner if name in _WHOLE else _members(inner)
            for name, inner in value.items()
            if name not in _PADDING
        }
    if isinstance(value, list):
        return [_members(inner) for inner in value]
    return type(value), bool(value)


# ---------------------------------------------------------------- written


def written() -> list[Stream]:
    """Return short streams in every dialect, one of which fails."""
    return [*_by_codecs(), *_by_cohere(), *_by_bedrock()]


def _written(dialect: str, name: str, kinds: str, data: bytes) -> Stream:
    content_type = _FRAMES if dialect == "bedrock" else _SSE
    return Stream(name, dialect, "any", content_type, frozenset(kinds.split()), data)


_CALLED: tuple[StreamEvent, ...] = (
    Start("r-1", "any", 7),
    PartStart(0, Reasoning("")),
    Piece(0, "Hm."),
    PartEnd(0),
    PartStart(1, ToolCall("call_1", "look", "")),
    Piece(1, '{"at":', "arguments"),
    Piece(1, '"\\n"}', "arguments"),
    PartEnd(1),
    Finish("tool_calls"),
    UsageReport(Usage(input=11, output=7, cache_read=3)),
)
_FAILED: tuple[StreamEvent, ...] = (
    Start("r-1", "any", 7),
    PartStart(0, Text("")),
    Piece(0, "Grüße 🙂"),
    Piece(0, "", "citation", citation=Citation(url="https://sun.es", title="S", start=0, end=5)),
    Failed("No more."),
)
_SAID = (("called", "thoughts calls", _CALLED), ("failed", "text sources error", _FAILED))
_NULL = re.compile(rb',"[a-z_]+":null\b')


def _by_codecs() -> Iterator[Stream]:
    hello = {
        "openai-chat": b'{"model":"any","messages":[],"stream_options":{"include_usage":true}}',
        "openai-responses": b'{"model":"any","input":"Hi"}',
        "anthropic": b'{"model":"any","messages":[],"max_tokens":9}',
        "gemini": b'{"contents":[]}',
    }
    for dialect, request in hello.items():
        codec = VENDORS[dialect].codec
        for name, kinds, events in _SAID:
            writer = codec.writer(codec.read_request(request), losses=Losses())
            data = writer.write(events) + (writer.close() if name == "called" else b"")
            data = _NULL.sub(b"", data)  # which says nothing
            if dialect == "gemini":  # this vendor's lines end so
                data = data.replace(b"\n", b"\r\n")
                kinds = kinds.replace("sources ", "")  # which it names at the end
            yield _written(dialect, name, kinds, data)


def _by_cohere() -> Iterator[Stream]:
    made = beside("cohere", "streams")
    yield _written("cohere", "called", "thoughts calls", made.CALLS)
    yield _written("cohere", "answer", "text sources", made.ANSWER)
    yield _written("cohere", "thought", "text thoughts sources", made.THOUGHT)
    spoken = made.start("r-1"), *made.content(0, "text", "Grü", "ße")
    failed = made.stream(*spoken, made.end("ERROR", (3, 2), error="No more."))
    yield _written("cohere", "failed", "text error", failed)


def _by_bedrock() -> Iterator[Stream]:
    made = beside("bedrock", "frames")
    *begun, stop, metadata = made.said("Grü", "ße", reason="tool_use")
    called = (
        (0, "Delta", {"delta": {"reasoningContent": {"text": "Hm."}}}),
        (0, "Stop", {}),
        (1, "Start", {"start": {"toolUse": {"toolUseId": "call_1", "name": "look"}}}),
        (1, "Delta", {"delta": {"toolUse": {"input": '{"at":1}'}}}),
        (1, "Stop", {}),
    )
    call = [
        made.frame({"contentBlockIndex": index, **event}, f"contentBlock{name}")
        for index, name, event in called
    ]
    data = b"".join([begun[0], *call, stop, metadata])
    yield _written("bedrock", "called", "thoughts calls", data)
    fault = made.exception("throttlingException", "No more.")
    yield _written("bedrock", "failed", "text error", b"".join([*begun, fault]))
