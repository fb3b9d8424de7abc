"""Streams of ``openai.chat``, read into neutral events.

platform.openai.com/docs/api-reference/chat-streaming (2026-11).
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

from .members import Members
from .openai_chat_content import DIALECT
from .openai_chat_replies import FINISHES, read_citation
from .openai_reply import find_usage
from .sse import Cutter

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChatReader"]


_NULL: Final = Raw(b"null")


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class _Call(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: _Function | None = None
    custom: _Function | None = None
    signature: str | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | list[Raw] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: Any = None
    reasoning_details: list[Raw] | None = None
    tool_calls: list[_Call] | None = None
    annotations: list[Raw] | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None
    logprobs: Raw = _NULL
    usage: Raw = _NULL


class _Chunk(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    choices: list[_Choice] | None = None
    usage: Raw = _NULL
    x_groq: Raw = _NULL
    error: Raw = _NULL


_decode: Final = msgspec.json.Decoder(_Chunk).decode


class _State:
    """Where one choice is: the part that grows, and the tool calls by the vendor's index."""

    __slots__ = ("calls", "current", "kind", "next")

    def __init__(self) -> None:
        self.next = 0
        self.current = -1
        self.kind = ""
        self.calls: dict[int, int] = {}


class ChatReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._started = False
        self._choices: dict[int, _State] = {}

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, _, payload in self._cutter.feed(data):
            if payload and payload != b"[DONE]":
                self._read(_decode(payload), events)
        return events

    def close(self) -> Sequence[StreamEvent]:
        """End what never ended."""
        events: list[StreamEvent] = []
        for index, state in self._choices.items():
            self._end(state, index, events)
        return events

    def _read(self, chunk: _Chunk, events: list[StreamEvent]) -> None:
        if chunk.error != _NULL:
            events.append(_failure(chunk.error))
        if not self._started and (chunk.choices or chunk.id):
            self._started = True
            events.append(Start(chunk.id or "", chunk.model or "", int(chunk.created or 0)))
        for choice in chunk.choices or ():
            state = self._choices.get(choice.index)
            if state is None:
                state = self._choices[choice.index] = _State()
            if choice.delta is not None:
                self._delta(choice.delta, choice, state, events)
            if choice.finish_reason is not None:
                self._end(state, choice.index, events)
                reason = FINISHES.get(choice.finish_reason, "other")
                events.append(Finish(reason, choice.index, raw=choice.finish_reason))
            if choice.usage != _NULL and chunk.usage == _NULL:
                chunk.usage = choice.usage
        if chunk.usage != _NULL or chunk.x_groq != _NULL:
            usage = find_usage({"usage": chunk.usage, "x_groq": chunk.x_groq})
            if usage is not None:
                events.append(UsageReport(usage))

    def _delta(
        self, delta: _Delta, choice: _Choice, state: _State, events: list[StreamEvent]
    ) -> None:
        thought = delta.reasoning_content
        if thought is None and isinstance(delta.reasoning, str):
            thought = delta.reasoning
        if thought:
            index = self._at("reasoning", Reasoning(dialect=DIALECT), state, choice.index, events)
            events.append(Piece(index, thought, choice=choice.index))
        for detail in delta.reasoning_details or ():
            self._proof(Members(detail), state, choice.index, events)
        if isinstance(delta.content, list):
            self._parts(delta.content, state, choice.index, events)
        elif delta.content:
            index = self._at("text", Text(""), state, choice.index, events)
            logprobs = choice.logprobs if choice.logprobs != _NULL else None
            events.append(Piece(index, delta.content, choice=choice.index, logprobs=logprobs))
        if delta.refusal:
            index = self._at("refusal", Refusal(""), state, choice.index, events)
            events.append(Piece(index, delta.refusal, choice=choice.index))
        for annotation in delta.annotations or ():
            index = self._at("text", Text(""), state, choice.index, events)
            citation = read_citation(Members(annotation))
            events.append(Piece(index, "", "citation", choice.index, citation=citation))
        for call in delta.tool_calls or ():
            self._call(call, state, choice.index, events)

    def _at(
        self, kind: str, part: Part, state: _State, choice: int, events: list[StreamEvent]
    ) -> int:
        """Return the index of the growing part of this kind, beginning one if need be."""
        if state.kind != kind:
            self._end_current(state, choice, events)
            state.kind = kind
            state.current = state.next
            state.next += 1
            events.append(PartStart(state.current, part, choice))
        return state.current

    def _end_current(self, state: _State, choice: int, events: list[StreamEvent]) -> None:
        if state.kind:
            events.append(PartEnd(state.current, choice))
            state.kind = ""

    def _end(self, state: _State, choice: int, events: list[StreamEvent]) -> None:
        self._end_current(state, choice, events)
        events.extend(PartEnd(index, choice) for index in state.calls.values())
        state.calls = {}

    def _call(self, call: _Call, state: _State, choice: int, events: list[StreamEvent]) -> None:
        given = call.function or call.custom or _Function()
        number = len(state.calls) if call.index is None else call.index
        index = state.calls.get(number)
        if index is None:
            self._end_current(state, choice, events)
            index = state.calls[number] = state.next
            state.next += 1
            kind = "custom" if call.custom is not None else "function"
            part = ToolCall(call.id or f"call_{choice}_{number}", given.name or "", "", kind)  # type: ignore[arg-type]
            part.signature = call.signature
            events.append(PartStart(index, part, choice))
        text = given.arguments or given.input
        if text:
            events.append(Piece(index, text, "arguments", choice))

    def _proof(
        self, detail: Members, state: _State, choice: int, events: list[StreamEvent]
    ) -> None:
        dialect = detail.text("format") or DIALECT
        for field, name in (("signature", "signature"), ("encrypted", "data")):
            text = detail.text(name)
            if text:
                part = Reasoning(dialect=dialect)
                index = self._at("reasoning", part, state, choice, events)
                events.append(Piece(index, text, field, choice))  # type: ignore[arg-type]

    def _parts(
        self, parts: list[Raw], state: _State, choice: int, events: list[StreamEvent]
    ) -> None:
        for raw in parts:
            part = Members(raw)
            if part.text("type") == "thinking":
                text = "".join(piece.text("text") or "" for piece in part.objects("thinking"))
                index = self._at("reasoning", Reasoning(dialect=DIALECT), state, choice, events)
            else:
                text = part.text("text") or ""
                index = self._at("text", Text(""), state, choice, events)
            if text:
                events.append(Piece(index, text, choice=choice))


def _failure(raw: Raw) -> Failed:
    try:
        error = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.ValidationError:
        return Failed(str(msgspec.json.decode(raw)))
    kind, code = error.get("type"), error.get("code")
    return Failed(
        str(error.get("message") or "The provider failed."),
        kind if isinstance(kind, str) else None,
        None if code is None else str(code),
    )
