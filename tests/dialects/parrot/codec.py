"""Between ``parrot.talk`` and the neutral model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import InvalidRequest, Usage
from gomodel_proxy.api.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Failed,
    Finish,
    Message,
    PartEnd,
    PartStart,
    Piece,
    Start,
    Text,
    UsageReport,
)
from gomodel_proxy.wire.members import Members
from gomodel_proxy.wire.sse import Cutter, event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import FinishReason, StreamEvent

ROLES: Any = {"parrot": "assistant", "keeper": "system", "guest": "user"}
SPEAKERS = {"assistant": "parrot", "system": "keeper", "developer": "keeper", "user": "guest"}
REASONS: dict[str, FinishReason] = {"done": "stop", "tired": "length"}
WHYS = {"stop": "done", "length": "tired"}


class Talked(msgspec.Struct, omit_defaults=True):
    """A reply, or an event of a stream."""

    words: str = ""
    why: str | None = None
    heard: int | None = None
    spoken: int | None = None
    oops: str | None = None

    @property
    def usage(self) -> Usage | None:
        """What it took, where it says so."""
        return None if self.heard is None else Usage(input=self.heard, output=self.spoken)


decode = msgspec.json.Decoder(Talked).decode


class TalkCodec:
    """An `api.Codec` without state."""

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request."""
        members = Members(body)
        return ChatRequest(
            members.needed("model"),
            [_read(one) for one in members.objects("said")],
            max_tokens=members.integer("most"),
            stream=bool(members.boolean("stream")),
            names={"messages": "said", "max_tokens": "most"},
            extra=members.extra,
        )

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for the vendor, who has no tools."""
        said = []
        for message in request.messages:
            texts = [part.text for part in message.parts if isinstance(part, Text)]
            if len(texts) < len(message.parts):
                losses.drop(message.at)
            said.append({"by": SPEAKERS[message.role], "words": "".join(texts)})
        out = {"model": request.model, "said": said, "stream": request.stream}
        if request.max_tokens is not None:
            out["most"] = request.max_tokens
        if request.tools:
            losses.drop(request.names.get("tools", "tools"))
        losses.drop_extra("", request.extra)
        return msgspec.json.encode(out)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return the vendor's whole reply."""
        talked = decode(body)
        finish = REASONS.get(talked.why or "", "other")
        choice = Choice(parts=[Text(talked.words)], finish=finish, raw_finish=talked.why)
        return ChatReply("talk-1", "", [choice], usage=talked.usage)

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a whole reply for a caller."""
        (choice,) = reply.choices
        words = "".join(part.text for part in choice.parts if isinstance(part, Text))
        usage = reply.usage or Usage(input=0, output=0)
        why = WHYS.get(choice.finish or "", "done")
        return msgspec.json.encode(Talked(words, why, usage.input, usage.output))

    def reader(self, *, traits: Mapping[str, Any]) -> TalkReader:
        """Return the reader of one stream."""
        return TalkReader()

    def writer(self, request: ChatRequest, *, losses: Losses) -> TalkWriter:
        """Return the writer of one stream."""
        return TalkWriter()


def _read(one: Members) -> Message:
    by = one.needed("by")
    if by not in ROLES:
        at = one.place("by")
        raise InvalidRequest(f"'{at}' is nobody: {by}.", code="invalid_value", param=at)
    text = Text(one.needed("words"), at=one.place("words"))
    return Message(ROLES[by], [text], at=one.at, extra=one.extra)


class TalkReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._begun = False

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes."""
        events: list[StreamEvent] = []
        for _, _, payload in self._cutter.feed(data):
            if payload:
                self._take(decode(payload), events)
        return events

    def _take(self, talked: Talked, events: list[StreamEvent]) -> None:
        if not self._begun:
            self._begun = True
            events += [Start("talk-1", ""), PartStart(0, Text(""))]
        if talked.words:
            events.append(Piece(0, talked.words))
        if talked.oops is not None:
            events.append(Failed(talked.oops))
        if talked.why is not None:
            events += [PartEnd(0), Finish(REASONS.get(talked.why, "other"), raw=talked.why)]
        if talked.usage is not None:
            events.append(UsageReport(talked.usage))

    def close(self) -> Sequence[StreamEvent]:
        """Return nothing: the last event says all."""
        return ()


class TalkWriter:
    """Writes one stream, whose last event has the reason and the usage."""

    def __init__(self) -> None:
        self._last = Talked(why="done", heard=0, spoken=0)

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""
        out: list[bytes] = []
        for one in events:
            if isinstance(one, Piece) and one.field == "text":
                out.append(event(msgspec.json.encode({"words": one.text})))
            elif isinstance(one, Finish):
                self._last.why = WHYS.get(one.reason, "done")
            elif isinstance(one, UsageReport):
                self._last.heard, self._last.spoken = one.usage.input, one.usage.output
        return b"".join(out)

    def close(self) -> bytes:
        """Return the last event."""
        return event(msgspec.json.encode(self._last))
