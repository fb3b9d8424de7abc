"""Streams of ``openai.responses``, written from neutral events.

platform.openai.com/docs/api-reference/responses-streaming (2026-11). A stream is one response: its
last event holds all of it, so what was written is kept until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.api.chat import (
    Failed,
    Finish,
    Media,
    Opaque,
    PartEnd,
    PartStart,
    Piece,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolCall,
    UsageReport,
)

from .openai_errors import response_event
from .openai_responses_frame import conclude, frame, item_id, response_id
from .openai_responses_growing import Call, Events, Message, Spoken, Thought, Whole
from .openai_responses_replies import drop_part, has_item, write_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses, Usage
    from gomodel_proxy.api.chat import ChatRequest, FinishReason, Part, StreamEvent

__all__ = ["ResponsesWriter"]


class ResponsesWriter:
    """Writes one stream; of several choices the first."""

    def __init__(self, request: ChatRequest, losses: Losses) -> None:
        self._request = request
        self._losses = losses
        self._events = Events(losses)
        self._response: dict[str, Any] | None = None
        self._items: list[Message | Thought | Call | Whole] = []
        self._parts: dict[int, Spoken | Thought | Call | Whole] = {}
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._failed = False

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""
        out = self._events.out = []
        for event in events:
            if self._failed:
                break
            if isinstance(event, Piece):
                self._piece(event)
            elif isinstance(event, PartStart):
                self._part(event)
            elif isinstance(event, PartEnd):
                part = self._parts.get(event.index)
                if part is not None and event.choice == 0:
                    part.end()
            elif isinstance(event, Start):
                self._start(event)
            elif isinstance(event, Finish):
                self._end(event)
            elif isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Failed):
                self._fail(event)
        return b"".join(out)

    def close(self) -> bytes:
        """Return the last event, unless the stream has failed."""
        out = self._events.out = []
        if not self._failed:
            response = self._begun()
            self._end_items("completed")
            output = [item.done for item in self._items]
            status = conclude(response, output, self._finish, self._usage)
            self._events.add(f"response.{status}", {"response": response})
        return b"".join(out)

    # ------------------------------------------------------------ the response

    def _start(self, event: Start) -> dict[str, Any]:
        if event.usage is not None and self._usage is None:
            self._usage = event.usage
        if self._response is None:
            self._response = frame(
                self._request,
                id=response_id(event.id),
                model=event.model or self._request.model,
                created=event.created,
            )
            self._events.add("response.created", {"response": self._response})
            self._events.add("response.in_progress", {"response": self._response})
        return self._response

    def _begun(self) -> dict[str, Any]:
        """Return the response, which begins here if the provider left that out."""
        return self._start(Start("", "")) if self._response is None else self._response

    def _end(self, event: Finish) -> None:
        if event.choice == 0:
            self._begun()
            self._finish = event.reason
            self._end_items("incomplete" if event.reason == "length" else "completed")

    def _end_items(self, status: str) -> None:
        for item in self._items:
            if isinstance(item, Message):
                item.end(status if item is self._items[-1] else "completed")
            else:
                item.end()

    def _fail(self, event: Failed) -> None:
        if self._failed:
            return
        self._failed = True
        if self._response is None:
            error = UpstreamError(event.message, code=event.code, kind=event.type)
            self._events.out.append(response_event(error, self._events.sequence))
            return
        limited = "rate_limit" in f"{event.type} {event.code}"
        code = "rate_limit_exceeded" if limited else "server_error"
        error_ = {"code": code, "message": event.message, "type": event.type or event.code}
        self._response["error"] = error_
        output = [item.done for item in self._items if item.done is not None]
        conclude(self._response, output, "error", self._usage)
        self._events.add("response.failed", {"response": self._response})

    # ------------------------------------------------------------ parts

    def _piece(self, piece: Piece) -> None:
        part = self._parts.get(piece.index)
        if part is None or piece.choice:
            return
        if type(part) is Spoken and piece.field == "text" and piece.logprobs is None:
            if piece.text:
                part.grow(piece.text)
        else:
            part.piece(piece)

    def _part(self, event: PartStart) -> None:
        if event.choice:
            self._losses.drop(f"choices[{event.choice}]")
            return
        self._begun()
        part = event.part
        if isinstance(part, (Text, Refusal)):
            self._parts[event.index] = self._message(part).say(part)
        elif has_item(part):
            self._end_message()
            self._parts[event.index] = self._item(part)
        else:
            drop_part(part, self._losses)
            if isinstance(part, (Opaque, Media)) and part.text:
                said = Text(part.text)
                self._parts[event.index] = self._message(said).say(said)

    def _message(self, part: Part) -> Message:
        """Return the message that words go into: the last item, if it is one that goes on."""
        last = self._items[-1] if self._items else None
        if isinstance(last, Message) and last.done is None:
            return last
        index = len(self._items)
        message = Message(self._events, self._id("msg", index), index, part)
        self._items.append(message)
        return message

    def _end_message(self) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, Message) and last.quiet:
            last.end("completed")

    def _item(self, part: Part) -> Thought | Call | Whole:
        index = len(self._items)
        item: Thought | Call | Whole
        if isinstance(part, Reasoning):
            item = Thought(self._events, part.item or self._id("rs", index), index, part)
        elif isinstance(part, ToolCall):
            prefix = "fc" if part.kind == "function" else "ctc"
            item = Call(self._events, part.item or self._id(prefix, index), index, part)
        else:
            item = Whole(self._events, index, write_item(part, self._begun()["id"], index))
        self._items.append(item)
        return item

    def _id(self, prefix: str, index: int) -> str:
        return item_id(prefix, self._begun()["id"], index)
