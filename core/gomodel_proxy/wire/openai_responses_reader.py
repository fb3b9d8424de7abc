"""Streams of ``openai.responses``, read into neutral events.

platform.openai.com/docs/api-reference/responses-streaming (2026-11). Vendors leave events out, and
a stream may be joined in its middle, so every event is enough to begin what it belongs to, and
those that carry a whole item (its own end, the last one) make good for what has not come before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
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

from . import json
from .members import Members
from .openai_responses_content import DIALECT, read_citation
from .openai_responses_items import read_call, read_output
from .openai_responses_replies import finish_of, read_logprobs
from .openai_usage import read_usage
from .sse import Cutter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ResponsesReader"]

_MESSAGE: Final = "message"
_CALLS: Final = ("function_call", "custom_tool_call")


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: str | None = None
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    logprobs: list[Raw] | None = None
    item: Raw = json.NULL
    part: Raw = json.NULL
    annotation: Raw = json.NULL
    response: Raw = json.NULL


class _Named(msgspec.Struct, gc=False):
    type: str = ""


_decode: Final = msgspec.json.Decoder(_Event).decode
_name: Final = msgspec.json.Decoder(_Named).decode


class _Open:
    """A part that grows: where it is, what it is, how much of it has come."""

    __slots__ = ("cited", "index", "length", "part", "summaries")

    def __init__(self, index: int, part: Part) -> None:
        self.index = index
        self.part = part
        self.length = 0
        self.cited = 0
        self.summaries: set[int] = set()


class ResponsesReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._started = False
        self._next = 0
        self._calls = False
        self._open: dict[tuple[int, int], _Open] = {}
        self._seen: set[int] = set()
        self._ended: set[int] = set()

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, name, payload in self._cutter.feed(data):
            if not payload or payload == b"[DONE]":
                continue
            try:
                event = _decode(payload)
            except msgspec.ValidationError:
                if _name(payload).type in _HANDLERS:
                    raise
                continue
            kind = event.type or name.decode()
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, event, events)
            elif kind == "error":
                events.append(_failure(Members(payload)))
        return events

    def close(self) -> Sequence[StreamEvent]:
        """End what never ended."""
        events: list[StreamEvent] = []
        self._end_all(events)
        return events

    # ------------------------------------------------------------ the response

    def _start(self, event: _Event, events: list[StreamEvent]) -> None:
        if not self._started and event.response != json.NULL:
            self._started = True
            told = Members(event.response)
            created = int(told.number("created_at") or 0)
            events.append(Start(told.text("id") or "", told.text("model") or "", created))

    def _last(self, event: _Event, events: list[StreamEvent]) -> None:
        self._start(event, events)
        response = Members(event.response)
        for number, raw in enumerate(response.array("output") or ()):
            self._whole(number, raw, events)
        self._end_all(events)
        usage = response.raw("usage")
        counted = None if usage is None else read_usage(usage)
        if counted is not None:
            events.append(UsageReport(counted))
        error, status = response.members("error"), response.text("status")
        if event.type == "response.failed" or status == "failed":
            events.append(_failure(error or Members(b"{}")))
            return
        details = response.members("incomplete_details")
        reason = details.text("reason") if details is not None else None
        finish = finish_of(status or event.type.rpartition(".")[2], reason, self._calls)
        events.append(Finish(finish, raw=reason or status))

    def _end_all(self, events: list[StreamEvent]) -> None:
        for number, content in list(self._open):
            self._end(number, content, events)

    # ------------------------------------------------------------ items

    def _item_added(self, event: _Event, events: list[StreamEvent]) -> None:
        if event.item == json.NULL:
            return
        item = Members(event.item)
        kind = item.text("type") or _MESSAGE
        if kind in _CALLS:
            call = read_call(kind, item)
            call.arguments = ""
            self._begin(event.output_index, 0, call, events)
        elif kind == "reasoning":
            part = Reasoning(dialect=DIALECT, item=item.text("id"))
            self._begin(event.output_index, 0, part, events)

    def _item_done(self, event: _Event, events: list[StreamEvent]) -> None:
        if event.item != json.NULL:
            self._whole(event.output_index, event.item, events)

    def _whole(self, number: int, raw: Raw, events: list[StreamEvent]) -> None:
        """Add of a complete item whatever has not come yet, and end it."""
        if number in self._ended:
            return
        self._ended.add(number)
        for content, part in enumerate(read_output(raw)):
            grown = self._open.get((number, content))
            if isinstance(part, (Text, Refusal, Reasoning, ToolCall)):
                if grown is None:
                    grown = self._begin(number, content, _empty(part), events)
                _complete(grown, part, events)
            else:
                self._begin(number, content, part, events)
            self._end(number, content, events)

    def _begin(self, number: int, content: int, part: Part, events: list[StreamEvent]) -> _Open:
        if not self._started:
            self._started = True
            events.append(Start("", ""))
        grown = self._open[number, content] = _Open(self._next, part)
        self._next += 1
        self._calls = self._calls or isinstance(part, ToolCall)
        events.append(PartStart(grown.index, part))
        return grown

    def _end(self, number: int, content: int, events: list[StreamEvent]) -> None:
        grown = self._open.pop((number, content), None)
        if grown is not None:
            events.append(PartEnd(grown.index))

    # ------------------------------------------------------------ content

    def _content_added(self, event: _Event, events: list[StreamEvent]) -> None:
        kind = Members(event.part).text("type") if event.part != json.NULL else None
        if kind == "output_text":
            self._at(event, Text, events)
        elif kind == "refusal":
            self._at(event, Refusal, events)

    def _at(
        self, event: _Event, kind: type[Text] | type[Refusal], events: list[StreamEvent]
    ) -> _Open:
        grown = self._open.get((event.output_index, event.content_index))
        if grown is None:
            grown = self._begin(event.output_index, event.content_index, kind(""), events)
        return grown

    def _text(self, event: _Event, events: list[StreamEvent]) -> None:
        grown = self._open.get((event.output_index, event.content_index))
        if grown is None:
            grown = self._at(event, Text, events)
        if event.delta:
            grown.length += len(event.delta)
            scores = read_logprobs(event.logprobs) if event.logprobs else None
            events.append(Piece(grown.index, event.delta, logprobs=scores))

    def _refused(self, event: _Event, events: list[StreamEvent]) -> None:
        self._grow(self._at(event, Refusal, events), event, "text", events)

    def _cited(self, event: _Event, events: list[StreamEvent]) -> None:
        if event.annotation != json.NULL:
            grown = self._at(event, Text, events)
            grown.cited += 1
            citation = read_citation(Members(event.annotation))
            events.append(Piece(grown.index, "", "citation", citation=citation))

    def _thinking(self, event: _Event, events: list[StreamEvent]) -> _Open:
        grown = self._open.get((event.output_index, 0))
        if grown is None:
            part = Reasoning(dialect=DIALECT)
            grown = self._begin(event.output_index, 0, part, events)
        return grown

    def _thought(self, event: _Event, events: list[StreamEvent]) -> None:
        self._grow(self._thinking(event, events), event, "text", events)

    def _summary(self, event: _Event, events: list[StreamEvent]) -> None:
        grown = self._thinking(event, events)
        if event.delta:
            grown.summaries.add(event.summary_index)
            number = event.summary_index
            events.append(Piece(grown.index, event.delta, "summary", number=number))

    def _arguments(self, event: _Event, events: list[StreamEvent]) -> None:
        grown = self._open.get((event.output_index, 0))
        if grown is not None:
            self._grow(grown, event, "arguments", events)

    def _grow(self, grown: _Open, event: _Event, field: Any, events: list[StreamEvent]) -> None:
        if event.delta:
            grown.length += len(event.delta)
            events.append(Piece(grown.index, event.delta, field))


_HANDLERS: Final[dict[str, Callable[[ResponsesReader, _Event, list[StreamEvent]], None]]] = {
    "response.created": ResponsesReader._start,
    "response.queued": ResponsesReader._start,
    "response.in_progress": ResponsesReader._start,
    "response.output_item.added": ResponsesReader._item_added,
    "response.output_item.done": ResponsesReader._item_done,
    "response.content_part.added": ResponsesReader._content_added,
    "response.output_text.delta": ResponsesReader._text,
    "response.output_text.annotation.added": ResponsesReader._cited,
    "response.refusal.delta": ResponsesReader._refused,
    "response.reasoning_text.delta": ResponsesReader._thought,
    "response.reasoning_summary_text.delta": ResponsesReader._summary,
    "response.function_call_arguments.delta": ResponsesReader._arguments,
    "response.custom_tool_call_input.delta": ResponsesReader._arguments,
    "response.completed": ResponsesReader._last,
    "response.incomplete": ResponsesReader._last,
    "response.failed": ResponsesReader._last,
}
"""Events that say anything new; the others repeat, or tell of a built-in tool's progress."""


def _empty(part: Text | Refusal | Reasoning | ToolCall) -> Part:
    """Return the beginning of a part whose events have not come."""
    if isinstance(part, ToolCall):
        return ToolCall(
            part.id,
            part.name,
            "",
            part.kind,
            item=part.item,
            signature=part.signature,
            extra=part.extra,
        )
    if isinstance(part, Reasoning):
        return Reasoning(dialect=DIALECT, item=part.item)
    return Text("") if isinstance(part, Text) else Refusal("")


def _complete(grown: _Open, part: Part, events: list[StreamEvent]) -> None:
    """Add what a whole part holds and its events did not."""
    index = grown.index
    if isinstance(part, ToolCall):
        if not grown.length and part.arguments:
            events.append(Piece(index, part.arguments, "arguments"))
    elif isinstance(part, Reasoning):
        if not grown.length and part.text:
            events.append(Piece(index, part.text))
        for number, text in enumerate(part.summary):
            if number not in grown.summaries:
                events.append(Piece(index, text, "summary", number=number))
        if part.encrypted is not None:
            events.append(Piece(index, part.encrypted, "encrypted"))
    elif isinstance(part, (Text, Refusal)):
        scores = part.extra.get("logprobs")
        if not grown.length and part.text:
            logprobs = read_logprobs(msgspec.json.decode(scores)) if scores is not None else None
            events.append(Piece(index, part.text, logprobs=logprobs))
        notes = part.citations[grown.cited :] if isinstance(part, Text) else ()
        events.extend(Piece(index, "", "citation", citation=note) for note in notes)


def _failure(told: Members) -> Failed:
    inner = (
        told.members("error") if json.kind(told.rest.get("error", json.NULL)) == "object" else None
    )
    error = inner or told
    code = error.raw("code")
    return Failed(
        error.text("message") or "The provider failed.",
        error.text("type") if inner else None,
        None if code is None else str(msgspec.json.decode(code)),
    )
