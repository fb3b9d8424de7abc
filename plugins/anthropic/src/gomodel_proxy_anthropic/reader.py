"""Streams of the Messages API, read into neutral events.

platform.claude.com/docs/en/build-with-claude/streaming (2026-11). A block that only Anthropic knows
is one event of the model, so its pieces are collected until it is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
    Opaque,
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
from gomodel_proxy.wire.sse import Cutter

from .citations import read_citation
from .content import read_block
from .names import DIALECT
from .replies import FINISHES
from .usage import merge_usage, read_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Usage

__all__ = ["MessageReader"]


class _Delta(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    citation: Raw = json.NULL
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Message(msgspec.Struct, gc=False):
    id: str = ""
    model: str = ""
    usage: Raw = json.NULL


class _Error(msgspec.Struct, gc=False):
    type: str | None = None
    message: str = "The provider failed."


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: Raw = json.NULL
    message: _Message | None = None
    usage: Raw = json.NULL
    error: _Error | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


class _Block:
    """A block of Anthropic's own that is not whole yet: its start, and its input so far."""

    __slots__ = ("input", "start")

    def __init__(self, start: Raw) -> None:
        self.start = start
        self.input: list[str] = []

    def whole(self) -> Raw:
        """Return the block as it stands in a whole message."""
        text = "".join(self.input)
        if not text:
            return self.start
        members = json.members(bytes(self.start))
        return Raw(json.encode(members | {"input": Raw(text.encode())}))


class MessageReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._usage = b""
        self._opaque: dict[int, _Block] = {}
        self._silent: set[int] = set()  # calls without arguments so far

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, _, payload in self._cutter.feed(data):
            if payload and payload != b"[DONE]":
                event = _decode(payload)
                delta = event.delta
                if delta is None or event.type != "content_block_delta":
                    self._other(event, events)
                elif delta.type == "text_delta":  # by far the commonest
                    events.append(Piece(event.index, delta.text))
                else:
                    self._delta(delta, event.index, events)
        return events

    def close(self) -> Sequence[StreamEvent]:
        """Return nothing: the stream's own end says all."""
        return ()

    def _delta(self, delta: _Delta, index: int, events: list[StreamEvent]) -> None:
        kind = delta.type
        if kind == "input_json_delta":
            if index in self._opaque:
                self._opaque[index].input.append(delta.partial_json)
            elif delta.partial_json:
                self._silent.discard(index)
                events.append(Piece(index, delta.partial_json, "arguments"))
        elif kind == "thinking_delta":
            events.append(Piece(index, delta.thinking))
        elif kind == "signature_delta":
            events.append(Piece(index, delta.signature, "signature"))
        elif kind == "citations_delta" and delta.citation != json.NULL:
            citation = read_citation(delta.citation)
            events.append(Piece(index, "", "citation", citation=citation))

    def _other(self, event: _Event, events: list[StreamEvent]) -> None:
        kind = event.type
        if kind == "content_block_start":
            self._begin(event, events)
        elif kind == "content_block_stop":
            self._end(event.index, events)
        elif kind == "message_start" and event.message is not None:
            message = event.message
            usage = self._count(message.usage)
            events.append(Start(message.id, message.model, usage=usage))
        elif kind == "message_delta":
            reason = None if event.delta is None else event.delta.stop_reason
            if event.delta is not None and reason is not None:
                finish = FINISHES.get(reason, "other")
                stopped_by = event.delta.stop_sequence
                events.append(Finish(finish, stopped_by=stopped_by, raw=reason))
            usage = self._count(event.usage)
            if usage is not None:
                events.append(UsageReport(usage))
        elif kind == "error":
            error = event.error or _Error()
            events.append(Failed(error.message, error.type))

    def _count(self, usage: Raw) -> Usage | None:
        if json.kind(usage) != "object":
            return None
        self._usage = merge_usage(self._usage, bytes(usage))
        return read_usage(self._usage)

    def _begin(self, event: _Event, events: list[StreamEvent]) -> None:
        index = event.index
        part = read_block(event.content_block, f"content[{index}]", strict=False)
        if isinstance(part, Opaque):
            self._opaque[index] = _Block(event.content_block)
            return
        pieces: list[StreamEvent] = []
        if isinstance(part, ToolCall):
            if part.arguments != "{}":
                pieces.append(Piece(index, part.arguments, "arguments"))
            else:
                self._silent.add(index)
            part.arguments = ""
        elif isinstance(part, (Text, Reasoning)) and part.text:
            pieces.append(Piece(index, part.text))
            part.text = ""
        if isinstance(part, Reasoning) and not part.signature:
            part.signature = None
        events.append(PartStart(index, part))
        events += pieces

    def _end(self, index: int, events: list[StreamEvent]) -> None:
        block = self._opaque.pop(index, None)
        if index in self._silent:  # a call of a tool that takes nothing
            self._silent.discard(index)
            events.append(Piece(index, "{}", "arguments"))
        if block is not None:
            raw = block.whole()
            kind = msgspec.json.decode(raw, type=_Delta).type
            events.append(PartStart(index, Opaque(DIALECT, kind, raw, at=f"content[{index}]")))
        events.append(PartEnd(index))
