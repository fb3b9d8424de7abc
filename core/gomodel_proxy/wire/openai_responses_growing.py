"""Items of a streamed response while they grow: each writes the events of its own kind.

platform.openai.com/docs/api-reference/responses-streaming (2026-11). What an item adds up to is
gathered beside the events, in the neutral part, and written the way whole replies write it.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api.chat import Refusal, Text

from .openai_responses_content import write_citation, write_text
from .openai_responses_replies import message_item, write_item, write_logprobs

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Citation, Part, Piece, Reasoning, ToolCall

__all__ = ["Call", "Events", "Message", "Spoken", "Thought", "Whole"]

_encode: Final = msgspec.json.Encoder().encode


class Events:
    """Numbers the events of one stream and puts them on ``out``; ``losses`` has what none says."""

    __slots__ = ("losses", "out", "sequence")

    def __init__(self, losses: Losses) -> None:
        self.losses = losses
        self.out: list[bytes] = []
        self.sequence = 0

    def add(self, kind: str, members: dict[str, Any]) -> None:
        """Add one event."""
        number = self.sequence
        self.sequence = number + 1
        event = _encode({"type": kind, **members, "sequence_number": number})
        self.out.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), event))

    def delta(self, prefix: bytes, text: str) -> None:
        """Add one event that differs from the one before in its text and number alone."""
        number = self.sequence
        self.sequence = number + 1
        self.out.append(b'%b%b,"sequence_number":%d}\n\n' % (prefix, _encode(text), number))


def _prefix(kind: str, members: dict[str, Any]) -> bytes:
    """Return an event of this kind up to its ``delta``."""
    event = _encode({"type": kind, **members})[:-1]
    return b'event: %b\ndata: %b,"delta":' % (kind.encode(), event)


class Item:
    """One item of the output, ``done`` once it is complete."""

    def __init__(self, events: Events, id_: str, index: int, begun: Any) -> None:
        self.done: Any = None
        self._events = events
        self._id = id_
        self._index = index
        events.add("response.output_item.added", {"output_index": index, "item": begun})

    def _place(self, **members: Any) -> dict[str, Any]:
        return {"item_id": self._id, "output_index": self._index, **members}

    def _finish(self, item: Any) -> None:
        self.done = item
        self._events.add("response.output_item.done", {"output_index": self._index, "item": item})


class Message(Item):
    """The model's message: one part of content after the other."""

    def __init__(self, events: Events, id_: str, index: int, first: Part) -> None:
        super().__init__(events, id_, index, message_item(id_, first, (), "in_progress"))
        self._first = first
        self._spoken: list[Spoken] = []

    @property
    def quiet(self) -> bool:
        """Whether all of it that has begun is complete."""
        return all(spoken.done for spoken in self._spoken)

    def say(self, part: Text | Refusal) -> Spoken:
        """Begin a part of content."""
        spoken = Spoken(self._events, self._place(content_index=len(self._spoken)), part)
        self._spoken.append(spoken)
        return spoken

    def end(self, status: str) -> None:
        """Complete the message, and whatever in it is not."""
        if self.done is None:
            content = [spoken.end() for spoken in self._spoken]
            self._finish(message_item(self._id, self._first, content, status))


class Spoken:
    """A part of a message's content."""

    __slots__ = (
        "_done",
        "_events",
        "_kind",
        "_noted",
        "_part",
        "_pieces",
        "_place",
        "_prefix",
        "_scores",
    )

    def __init__(self, events: Events, place: dict[str, Any], part: Text | Refusal) -> None:
        self._events = events
        self._place = place
        self._part = part = copy(part)
        self._done: dict[str, Any] | None = None
        self._pieces: list[str] = []
        self._scores: list[Any] = []
        refused = isinstance(part, Refusal)
        self._kind = "response.refusal" if refused else "response.output_text"
        more: dict[str, Any] = {} if refused else {"logprobs": []}
        self._prefix = _prefix(f"{self._kind}.delta", {**place, **more})
        self._noted = 0
        first, part.text = part.text, ""
        notes: list[Citation] = []
        if isinstance(part, Text):
            notes, part.citations = part.citations, []
        events.add("response.content_part.added", {**place, "part": self._whole()})
        if first:
            self.grow(first)
        for citation in notes:
            self._cite(citation)

    @property
    def done(self) -> bool:
        """Whether the part is complete."""
        return self._done is not None

    def grow(self, text: str) -> None:
        """Add text."""
        self._pieces.append(text)
        self._events.delta(self._prefix, text)

    def piece(self, piece: Piece) -> None:
        """Add a piece of the part."""
        if piece.citation is not None:
            self._cite(piece.citation)
        elif piece.field == "signature" and isinstance(self._part, Text):
            self._part.signature = (self._part.signature or "") + piece.text
        elif piece.logprobs is not None:
            scores = write_logprobs(piece.logprobs)
            self._scores.extend(scores)
            self._pieces.append(piece.text)
            members = {**self._place, "logprobs": scores, "delta": piece.text}
            self._events.add(f"{self._kind}.delta", members)
        elif piece.text:
            self.grow(piece.text)

    def _cite(self, citation: Citation) -> None:
        """Add a citation, which ends where the text does so far if nothing is said of that."""
        if not isinstance(self._part, Text):
            return
        self._part.citations.append(citation)
        note = write_citation(citation, "".join(self._pieces))
        if note is None:
            self._events.losses.drop("output.annotations")
        else:
            members = {**self._place, "annotation_index": self._noted, "annotation": note}
            self._noted += 1
            self._events.add("response.output_text.annotation.added", members)

    def end(self) -> dict[str, Any]:
        """Complete the part; return it."""
        if self._done is None:
            self._part.text = "".join(self._pieces)
            self._done = self._whole()
            told = "refusal" if isinstance(self._part, Refusal) else "text"
            done: dict[str, Any] = {told: self._done[told]}
            if isinstance(self._part, Text):
                done["logprobs"] = self._scores
            self._events.add(f"{self._kind}.done", {**self._place, **done})
            self._events.add("response.content_part.done", {**self._place, "part": self._done})
        return self._done

    def _whole(self) -> dict[str, Any]:
        if isinstance(self._part, Refusal):
            return {"type": "refusal", "refusal": self._part.text}
        return write_text(self._part, self._scores)


class Thought(Item):
    """The model's thoughts: text, parts of a summary, and at the end their proof."""

    def __init__(self, events: Events, id_: str, index: int, part: Reasoning) -> None:
        begun = {"type": "reasoning", "id": id_, "summary": [], "status": "in_progress"}
        super().__init__(events, id_, index, begun)
        self._part = part = copy(part)
        part.item = id_
        text, part.text = part.text, ""
        summary, part.summary = part.summary, []
        self._pieces: list[str] = []
        self._prefix = self._summary_prefix = b""
        self._number = -1
        self._summary: list[str] = []
        if text:
            self._think(text)
        for number, told in enumerate(summary):
            self._tell(number, told)

    def piece(self, piece: Piece) -> None:
        """Add a piece of the thoughts, or of their proof."""
        part = self._part
        if piece.field == "summary":
            self._tell(piece.number, piece.text)
        elif piece.field == "signature":
            part.signature = (part.signature or "") + piece.text
        elif piece.field == "encrypted":
            part.encrypted = (part.encrypted or "") + piece.text
        elif piece.text:
            self._think(piece.text)

    def _think(self, text: str) -> None:
        if not self._pieces:
            place = self._place(content_index=0)
            self._prefix = _prefix("response.reasoning_text.delta", place)
            part = {"type": "reasoning_text", "text": ""}
            self._events.add("response.content_part.added", {**place, "part": part})
        self._pieces.append(text)
        self._events.delta(self._prefix, text)

    def _tell(self, number: int, text: str) -> None:
        if number != self._number:
            self._end_summary()
            self._number = number
            place = self._place(summary_index=len(self._part.summary))
            self._summary_prefix = _prefix("response.reasoning_summary_text.delta", place)
            part = {"type": "summary_text", "text": ""}
            self._events.add("response.reasoning_summary_part.added", {**place, "part": part})
        if text:
            self._summary.append(text)
            self._events.delta(self._summary_prefix, text)

    def _end_summary(self) -> None:
        if self._number < 0:
            return
        text = "".join(self._summary)
        place = self._place(summary_index=len(self._part.summary))
        part = {"type": "summary_text", "text": text}
        self._events.add("response.reasoning_summary_text.done", {**place, "text": text})
        self._events.add("response.reasoning_summary_part.done", {**place, "part": part})
        self._part.summary.append(text)
        self._summary = []
        self._number = -1

    def end(self) -> None:
        """Complete the item."""
        if self.done is not None:
            return
        self._end_summary()
        if self._pieces:
            text = self._part.text = "".join(self._pieces)
            place = self._place(content_index=0)
            part = {"type": "reasoning_text", "text": text}
            self._events.add("response.reasoning_text.done", {**place, "text": text})
            self._events.add("response.content_part.done", {**place, "part": part})
        self._finish(write_item(self._part, "", self._index))


class Call(Item):
    """The model's call of a tool."""

    def __init__(self, events: Events, id_: str, index: int, part: ToolCall) -> None:
        self._part = part = copy(part)
        part.item = id_
        first, part.arguments = part.arguments, ""
        self._member = "arguments" if part.kind == "function" else "input"
        begun = {**write_item(part, "", index), self._member: "", "status": "in_progress"}
        super().__init__(events, id_, index, begun)
        kind = "function_call_arguments" if part.kind == "function" else "custom_tool_call_input"
        self._kind = f"response.{kind}"
        self._prefix = _prefix(f"{self._kind}.delta", self._place())
        self._pieces: list[str] = []
        if first:
            self._grow(first)

    def _grow(self, text: str) -> None:
        self._pieces.append(text)
        self._events.delta(self._prefix, text)

    def piece(self, piece: Piece) -> None:
        """Add a piece of the arguments, or of the call's proof."""
        if piece.field == "signature":
            self._part.signature = (self._part.signature or "") + piece.text
        elif piece.text:
            self._grow(piece.text)

    def end(self) -> None:
        """Complete the item."""
        if self.done is not None:
            return
        if not self._pieces and self._part.kind == "function":
            self._grow("{}")
        text = self._part.arguments = "".join(self._pieces)
        self._events.add(f"{self._kind}.done", self._place(**{self._member: text}))
        self._finish(write_item(self._part, "", self._index))


class Whole(Item):
    """An item that comes in one piece."""

    def __init__(self, events: Events, index: int, item: Any) -> None:
        super().__init__(events, "", index, item)
        self._finish(item)

    def piece(self, piece: Piece) -> None:
        """Take nothing: the item is whole."""

    def end(self) -> None:
        """Do nothing: the item is complete."""
