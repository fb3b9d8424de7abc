"""Streams of Cohere's chat, read into neutral events.

docs.cohere.com/docs/streaming and /docs/tool-use-streaming (2026-11). The vendor numbers contents
and calls each by themselves; here every part has its own number. A text stays open until the next
part begins, as its citations may come after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
    Part,
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

from .citations import DIALECT, decode_citation, read_citations
from .events import Call, Content, Delta, Event, Function, Message, decode_event
from .logprobs import read_logprobs
from .replies import FAILED, FINISHES
from .usage import read_chat_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

__all__ = ["StreamReader"]


_NOTHING: Final = Delta()
_SILENCE: Final = Message()


class StreamReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._next = 0
        self._kind = ""
        self._silent = False  # whether this is a call without arguments so far
        self._texts: dict[int, int] = {}
        self._text = -1

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, _, payload in self._cutter.feed(data):
            if payload and payload != b"[DONE]":
                self._read(decode_event(payload), events)
        return events

    def close(self) -> Sequence[StreamEvent]:
        """Return nothing: the stream's own end says all."""
        return ()

    def _read(self, event: Event, events: list[StreamEvent]) -> None:
        delta = event.delta or _NOTHING
        message = delta.message or _SILENCE
        kind = event.type
        if kind in ("content-delta", "content-start"):
            if isinstance(message.content, Content):
                self._content(event, message.content, events)
        elif kind in ("tool-call-delta", "tool-call-start"):
            if isinstance(message.tool_calls, Call):
                self._call(kind, message.tool_calls, events)
        elif kind == "tool-plan-delta":
            if message.tool_plan:
                self._grow("plan", Reasoning(dialect=DIALECT), events)
                events.append(Piece(self._next - 1, message.tool_plan))
        elif kind == "citation-start":
            self._cite(message.citations, events)
        elif kind == "message-start":
            events.append(Start(event.id or "", ""))
        elif kind == "message-end":
            self._finish(delta, events)
        elif not kind and event.message is not None:
            events.append(Failed(event.message))

    # ---------------------------------------------------------------- parts

    def _grow(self, kind: str, part: Part, events: list[StreamEvent]) -> None:
        """Let the part of this kind grow, beginning one if another kind did so far."""
        if self._kind != kind:
            self._end(events)
            self._kind = kind
            events.append(PartStart(self._next, part))
            self._next += 1

    def _end(self, events: list[StreamEvent]) -> None:
        if self._kind:
            if self._silent:  # a call of a tool that takes nothing
                events.append(Piece(self._next - 1, "{}", "arguments"))
                self._silent = False
            events.append(PartEnd(self._next - 1))
            self._kind = ""

    def _content(self, event: Event, content: Content, events: list[StreamEvent]) -> None:
        if content.thinking is not None or content.type == "thinking":
            text = content.thinking
            self._grow(f"thinking {event.index}", Reasoning(dialect=DIALECT), events)
        else:
            text = content.text
            self._grow(f"text {event.index}", Text(""), events)
            self._text = self._texts[event.index] = self._next - 1
        if text:
            given = event.logprobs
            logprobs = None if given is None else read_logprobs([given])
            events.append(Piece(self._next - 1, text, logprobs=logprobs))

    def _call(self, kind: str, call: Call, events: list[StreamEvent]) -> None:
        made = call.function or Function()
        if kind == "tool-call-start":
            self._end(events)
            self._grow("call", ToolCall(call.id or "", made.name or "", ""), events)
            self._silent = True
        if made.arguments and self._kind == "call":
            self._silent = False
            events.append(Piece(self._next - 1, made.arguments, "arguments"))

    def _cite(self, raw: Raw, events: list[StreamEvent]) -> None:
        if json.kind(raw) != "object":
            return
        cited = decode_citation(raw)
        if cited.type != "TEXT_CONTENT" or self._text < 0:
            return  # of thoughts and plans, which have no place for them in a stream
        index = self._text
        if cited.content_index is not None:
            index = self._texts.get(cited.content_index, index)
        for citation in read_citations(raw, cited):
            events.append(Piece(index, "", "citation", citation=citation))

    # ---------------------------------------------------------------- the end

    def _finish(self, delta: Delta, events: list[StreamEvent]) -> None:
        self._end(events)
        usage = None if delta.usage == json.NULL else read_chat_usage(delta.usage)
        if usage is not None:
            events.append(UsageReport(usage))
        reason = delta.finish_reason
        if delta.error is not None or reason in FAILED:
            events.append(Failed(delta.error or f"The provider ended with {reason}."))
        elif reason is not None:
            events.append(Finish(FINISHES.get(reason, "other"), raw=reason))
