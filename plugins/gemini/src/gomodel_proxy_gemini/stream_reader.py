"""Streams, read: each event is a whole reply that holds what is new.

ai.google.dev/api/generate-content#method:-models.streamgeneratecontent (2026-11). There is no
closing event; the last chunk of a candidate has its ``finishReason``, which some models repeat in
every chunk, so choices are finished when the stream ends. Usage counts up; the last is the sum.
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
    Start,
    Text,
    ToolCall,
    UsageReport,
)
from gomodel_proxy.wire import json, sse

from .failure import told
from .grounding import in_characters
from .logprobs import read_logprobs
from .nodes import Node
from .offsets import Offsets
from .proofs import thought
from .reply_reader import ReplyIds, blocked, citations_of, read_answer, seconds
from .usage import read_usage
from .words import finish_of

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import StreamEvent

    from .call_ids import CallIds

__all__ = ["GeminiReader"]

_NONE: Final = Raw(b"")


class _Content(msgspec.Struct):
    parts: list[Raw] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    index: int = 0
    finish_reason: str | None = None
    grounding_metadata: Raw = _NONE
    citation_metadata: Raw = _NONE
    logprobs_result: Raw = _NONE


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    usage_metadata: Raw = _NONE
    prompt_feedback: Raw = _NONE
    response_id: str | None = None
    model_version: str | None = None
    create_time: str | None = None
    error: Raw = _NONE


class _Said(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of text, by far the commonest; any other is read member by member."""

    text: str
    thought: bool = False
    thought_signature: str | None = None


_chunk: Final = msgspec.json.Decoder(_Chunk)
_said: Final = msgspec.json.Decoder(_Said)


class _State:
    """One choice: its parts so far. ``kind`` is what the growing part is."""

    __slots__ = ("calls", "current", "finish", "ids", "kind", "next", "offsets")

    def __init__(self, ids: CallIds) -> None:
        self.ids = ids
        self.next = 0
        self.current = 0
        self.kind: type[Part] | None = None
        self.calls = False
        self.finish: str | None = None
        self.offsets = Offsets()


class GeminiReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = sse.Cutter()
        self._choices: dict[int, _State] = {}
        self._usage = _NONE
        self._id: str | None = None
        self._blocked: Raw | None = None

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, _, content in self._cutter.feed(data):
            if content:
                self._take(_decoded(content), events)
        return events

    def close(self) -> list[StreamEvent]:
        """Return the finishes and the usage."""
        events: list[StreamEvent] = []
        if self._blocked is not None and not self._choices:
            self._refuse(blocked(self._blocked), events)
        for index, state in self._choices.items():
            self._end(state, index, events)
            word = state.finish or "OTHER"
            events.append(Finish(finish_of(word, calls=state.calls), index, raw=word))
        usage = read_usage(self._usage) if self._usage else None
        if usage is not None:
            events.append(UsageReport(usage))
        return events

    def _take(self, chunk: _Chunk, events: list[StreamEvent]) -> None:
        if chunk.error:
            message, kind, code = told(chunk.error)
            events.append(Failed(message, kind, code))
            return
        if chunk.usage_metadata:
            self._usage = chunk.usage_metadata
        if self._id is None:
            self._start(chunk, events)
        if chunk.prompt_feedback:
            self._blocked = chunk.prompt_feedback
        for candidate in chunk.candidates:
            state = self._choices.get(candidate.index)
            if state is None:
                ids = ReplyIds(self._id or "", candidate.index)
                state = self._choices[candidate.index] = _State(ids)
            self._candidate(candidate, state, events)

    def _start(self, chunk: _Chunk, events: list[StreamEvent]) -> None:
        self._id = chunk.response_id or ""
        usage = read_usage(self._usage) if self._usage else None
        model, created = chunk.model_version or "", seconds(chunk.create_time)
        events.append(Start(self._id, model, created, usage))

    def _candidate(self, one: _Candidate, state: _State, events: list[StreamEvent]) -> None:
        logprobs = read_logprobs(one.logprobs_result) if one.logprobs_result else None
        for raw in one.content.parts if one.content is not None else ():
            try:
                said = _said.decode(raw)
            except msgspec.ValidationError:
                self._other(read_answer(Node(raw), state.ids), state, one.index, events)
            else:
                self._text(said, logprobs, state, one.index, events)
                logprobs = None
        if one.finish_reason is not None:
            state.finish = one.finish_reason
        if one.grounding_metadata or one.citation_metadata:
            self._cite(one, state, events)

    def _text(
        self,
        said: _Said,
        logprobs: Raw | None,
        state: _State,
        choice: int,
        events: list[StreamEvent],
    ) -> None:
        if said.thought:
            self._thought(said, state, choice, events)
            return
        if not said.text and said.thought_signature is None:
            return
        if state.kind is not Text or said.thought_signature is not None:
            self._begin(Text("", signature=said.thought_signature), state, choice, events)
        if said.text:
            state.offsets.add(said.text)
            events.append(Piece(state.current, said.text, choice=choice, logprobs=logprobs))

    def _thought(self, said: _Said, state: _State, choice: int, events: list[StreamEvent]) -> None:
        part = thought("", said.thought_signature)
        if part.encrypted is not None or state.kind is not Reasoning:
            start = Reasoning(
                encrypted=part.encrypted,
                redacted=part.redacted,
                item=part.item,
                dialect=part.dialect,
            )
            self._begin(start, state, choice, events)
        if said.text:
            events.append(Piece(state.current, said.text, choice=choice))
        if part.signature is not None:
            events.append(Piece(state.current, part.signature, "signature", choice))
            self._end(state, choice, events)

    def _begin(self, part: Part, state: _State, choice: int, events: list[StreamEvent]) -> None:
        self._end(state, choice, events)
        state.kind, state.current = type(part), state.next
        state.next += 1
        events.append(PartStart(state.current, part, choice))

    def _end(self, state: _State, choice: int, events: list[StreamEvent]) -> None:
        if state.kind is not None:
            state.kind = None
            events.append(PartEnd(state.current, choice))

    def _other(self, part: Part, state: _State, choice: int, events: list[StreamEvent]) -> None:
        arguments = ""
        if isinstance(part, ToolCall):
            state.calls = True
            arguments, part.arguments = part.arguments, ""
        self._begin(part, state, choice, events)
        if arguments:
            events.append(Piece(state.current, arguments, "arguments", choice))
        self._end(state, choice, events)

    def _cite(self, one: _Candidate, state: _State, events: list[StreamEvent]) -> None:
        """Pass citations on; their segments count from the beginning of all the text."""
        named = {
            "groundingMetadata": one.grounding_metadata,
            "citationMetadata": one.citation_metadata,
        }
        found = citations_of({name: raw for name, raw in named.items() if raw})
        if found and state.kind is not Text:
            self._begin(Text(""), state, one.index, events)
        for _, citation in found:
            citation = in_characters(citation, state.offsets)
            events.append(Piece(state.current, "", "citation", one.index, citation=citation))

    def _refuse(self, choice: Any, events: list[StreamEvent]) -> None:
        for part in choice.parts:
            events += [PartStart(0, part), PartEnd(0)]
        events.append(Finish(choice.finish, raw=choice.raw_finish))


def _decoded(content: bytes) -> _Chunk:
    try:
        return _chunk.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # what a lenient decoder still takes
        return msgspec.convert(json.loads(content), _Chunk, strict=False)
