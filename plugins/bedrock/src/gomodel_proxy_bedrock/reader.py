"""Streams of ConverseStream, read into neutral events.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html (2026-11), in
the form that `meter` gives them. Only blocks of tools and images have a start of their own; others
begin with their first delta. What the model has no pieces for is collected until it is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import (
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
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members
from gomodel_proxy.wire.sse import Cutter

from .replies import FINISHES, new_id, now, read_block, read_citation, stopped_by
from .usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EXCEPTION", "StreamReader"]

EXCEPTION: Final = "exception"
"""The name of the event that a vendor's exception becomes."""


class _Thought(msgspec.Struct, gc=False):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None


class _Input(msgspec.Struct, gc=False):
    input: str = ""


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    toolUse: _Input | None = None
    reasoningContent: _Thought | None = None
    citation: Raw = json.NULL
    toolResult: list[Raw] | None = None
    image: Raw = json.NULL


class _Call(msgspec.Struct, gc=False):
    toolUseId: str = ""
    name: str = ""
    type: str | None = None


class _Start(msgspec.Struct, gc=False):
    toolUse: _Call | None = None


class _Event(msgspec.Struct, gc=False):
    contentBlockIndex: int = 0
    delta: _Delta | None = None
    start: Raw = json.NULL
    stopReason: str | None = None
    additionalModelResponseFields: Raw = json.NULL
    usage: Raw = json.NULL
    message: str = ""
    type: str = ""


_decode: Final = msgspec.json.Decoder(_Event).decode
_EXCEPTION: Final = EXCEPTION.encode()
_decode_start: Final = msgspec.json.Decoder(_Start).decode


class _Held:
    """A block that comes in pieces and is one part: run by the vendor, or an image."""

    __slots__ = ("input", "kind", "members", "pieces")

    def __init__(self, start: Raw) -> None:
        (self.kind, inner), *_ = msgspec.json.decode(start, type=dict[str, Raw]).items()
        self.members = msgspec.json.decode(inner, type=dict[str, Any])
        self.input: list[str] = []
        self.pieces: list[Raw] = []

    def take(self, delta: _Delta) -> None:
        if delta.toolUse is not None:
            self.input.append(delta.toolUse.input)
        elif delta.toolResult is not None:
            self.pieces += delta.toolResult
        elif delta.image != json.NULL:
            self.members |= msgspec.json.decode(delta.image, type=dict[str, Raw])

    def whole(self) -> Raw:
        """Return the block as it stands in a whole message."""
        if self.kind == "toolUse":
            self.members["input"] = Raw("".join(self.input).encode() or b"{}")
        elif self.kind == "toolResult":
            self.members["content"] = self.pieces
        return Raw(json.encode({self.kind: self.members}))


class StreamReader:
    """Reads one stream."""

    def __init__(self, proofs: str) -> None:
        self._proofs = proofs
        self._cutter = Cutter()
        self._open: dict[int, str] = {}
        self._silent: set[int] = set()
        self._held: dict[int, _Held] = {}

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, name, payload in self._cutter.feed(data):
            if payload:
                self._read(name, _decode(payload), events)
        return events

    def close(self) -> Sequence[StreamEvent]:
        """Return nothing: the stream's own end says all."""
        return ()

    def _read(self, name: bytes, event: _Event, events: list[StreamEvent]) -> None:
        if name == b"contentBlockDelta":
            if event.delta is not None:
                self._delta(event.contentBlockIndex, event.delta, events)
        elif name == b"contentBlockStart":
            self._start(event, events)
        elif name == b"contentBlockStop":
            self._stop(event.contentBlockIndex, events)
        elif name == b"messageStart":
            events.append(Start(new_id(), "", now()))
        elif name == b"messageStop":
            reason = event.stopReason or "end_turn"
            by = stopped_by(event.additionalModelResponseFields)
            finish = FINISHES.get(reason, "other")
            events.append(Finish(finish, stopped_by=by, raw=event.stopReason))
        elif name == b"metadata":
            usage = read_usage(event.usage)
            if usage is not None:
                events.append(UsageReport(usage))
        elif name == _EXCEPTION:
            events.append(Failed(event.message, code=event.type))

    def _delta(self, index: int, delta: _Delta, events: list[StreamEvent]) -> None:
        if index in self._held:
            self._held[index].take(delta)
        elif delta.text is not None:
            self._begin(index, "text", events)
            events.append(Piece(index, delta.text))
        elif delta.toolUse is not None:
            if delta.toolUse.input:
                self._silent.discard(index)
                events.append(Piece(index, delta.toolUse.input, "arguments"))
        elif delta.reasoningContent is not None:
            self._think(index, delta.reasoningContent, events)
        elif delta.citation != json.NULL:
            self._begin(index, "text", events)
            citation = read_citation(Members(delta.citation))
            events.append(Piece(index, "", "citation", citation=citation))

    def _think(self, index: int, thought: _Thought, events: list[StreamEvent]) -> None:
        if thought.redactedContent is not None:
            self._begin(index, "hidden", events)
            events.append(Piece(index, thought.redactedContent, "encrypted"))
            return
        self._begin(index, "thought", events)
        if thought.text:
            events.append(Piece(index, thought.text))
        if thought.signature:
            events.append(Piece(index, thought.signature, "signature"))

    def _begin(self, index: int, kind: str, events: list[StreamEvent]) -> None:
        if index in self._open:
            return
        self._open[index] = kind
        thought = Reasoning(dialect=self._proofs, redacted=kind == "hidden")
        part = Text("") if kind == "text" else thought
        events.append(PartStart(index, part))

    def _start(self, event: _Event, events: list[StreamEvent]) -> None:
        if event.start == json.NULL:
            return
        index, call = event.contentBlockIndex, _decode_start(event.start).toolUse
        if call is None or call.type not in (None, "tool_use"):
            self._held[index] = _Held(event.start)
            return
        self._open[index] = "call"
        self._silent.add(index)
        events.append(PartStart(index, ToolCall(call.toolUseId, call.name, "")))

    def _stop(self, index: int, events: list[StreamEvent]) -> None:
        held = self._held.pop(index, None)
        if held is not None:
            events.append(PartStart(index, read_block(held.whole(), self._proofs)))
        elif index in self._silent:  # a call of a tool that takes nothing
            events.append(Piece(index, "{}", "arguments"))
        elif index not in self._open:
            return  # an empty block
        events.append(PartEnd(index))
