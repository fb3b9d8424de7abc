"""Streams of the Messages API, written from neutral events.

platform.claude.com/docs/en/build-with-claude/streaming (2026-11). Content blocks come one after the
other, numbered from 0 and never interleaved: what comes for a later part while one is open waits
for that one's end. A part without content makes no block, except a tool call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
    Opaque,
    Part,
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
from gomodel_proxy.wire.counting import estimate_input

from .citations import write_citation
from .names import DIALECT
from .replies import call_input, drop_part, drop_proof, stop_reason
from .usage import write_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses, Usage
    from gomodel_proxy.api.chat import ChatRequest, Citation, StreamEvent

__all__ = ["MessageWriter"]

_encode: Final = msgspec.json.Encoder().encode
_DELTAS: Final = {
    kind: (
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":%%d,"delta":{"type":"%b","%b":%%b}}\n\n'
        % (kind.encode(), member.encode())
    )
    for kind, member in (
        ("text_delta", "text"),
        ("input_json_delta", "partial_json"),
        ("thinking_delta", "thinking"),
        ("signature_delta", "signature"),
        ("citations_delta", "citation"),
    )
}


class _Open:
    """A part under way: its block's number once it has one, and what it has said so far.

    ``proven`` is a thought of Anthropic's own; of a ``hidden`` one there is nothing but its proof.
    """

    __slots__ = ("block", "hidden", "number", "part", "proven", "said")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.proven = isinstance(part, Reasoning) and part.dialect == DIALECT
        self.hidden = self.proven and isinstance(part, Reasoning) and part.redacted
        self.block: int | None = None
        self.number = 0
        self.said: list[str] = []


class MessageWriter:
    """Writes one stream: the first choice, which is all that a message can have."""

    def __init__(self, request: ChatRequest, losses: Losses) -> None:
        self._request = request
        self._losses = losses
        self._started = False
        self._blocks = 0
        self._current = -1
        self._open: _Open | None = None
        self._waiting: list[PartStart | Piece | PartEnd] = []
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, (Piece, PartStart, PartEnd)):
                if event.choice == 0:
                    self._content(event, out)
                elif isinstance(event, PartStart):
                    self._losses.drop(f"choices[{event.choice}]")
            elif isinstance(event, Start):
                self._start(event.id, event.model, event.usage, out)
            elif isinstance(event, Finish):
                if event.choice == 0:
                    self._flush(out)
                    self._finish = event
            elif isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Failed):
                out.append(_failure(event))
        return b"".join(out)

    def close(self) -> bytes:
        """Return the stop reason, the usage and the end."""
        out: list[bytes] = []
        self._flush(out)
        if not self._started:
            self._start("", "", self._usage, out)
        finish = self._finish or Finish("stop")
        reason = stop_reason(finish.reason, finish.stopped_by, finish.raw)
        delta = {"stop_reason": reason, "stop_sequence": finish.stopped_by}
        out.append(_event("message_delta", {"delta": delta, "usage": write_usage(self._usage)}))
        out.append(_event("message_stop", {}))
        return b"".join(out)

    def _start(self, id_: str, model: str, usage: Usage | None, out: list[bytes]) -> None:
        self._started = True
        counts = write_usage(usage)
        if usage is None:
            # the truth follows at the end; until then clients that show it have a guess
            counts["input_tokens"] = estimate_input(self._request)
        message: dict[str, Any] = {
            "id": id_,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts,
        }
        out.append(_event("message_start", {"message": message}))

    # ---------------------------------------------------------------- order

    def _content(self, event: PartStart | Piece | PartEnd, out: list[bytes]) -> None:
        """Write what belongs to the open part; all else waits for its end."""
        if self._open is None and isinstance(event, PartStart):
            self._current = event.index
            self._begin(event.part, out)
        elif self._open is None or event.index != self._current or isinstance(event, PartStart):
            self._waiting.append(event)
        elif isinstance(event, Piece):
            self._piece(self._open, event, out)
        else:
            self._end(out)
            self._resume(out)

    def _resume(self, out: list[bytes]) -> None:
        """Go on with what has waited, up to the next part that is still open."""
        while self._open is None and self._waiting:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                self._content(event, out)
            if len(self._waiting) == len(waiting):
                self._waiting = []  # pieces of parts that never began

    def _flush(self, out: list[bytes]) -> None:
        """End every part: all there will be has come."""
        while self._open is not None or self._waiting:
            if self._open is not None:
                self._end(out)
            self._resume(out)

    # ---------------------------------------------------------------- blocks

    def _begin(self, part: Part, out: list[bytes]) -> None:
        self._open = one = _Open(part)
        drop_proof(part, self._losses)
        if isinstance(part, ToolCall):
            block = {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}
            self._block(one, block, out)
            if part.arguments and part.arguments != "{}":
                self._say(one, part.arguments, out)
        elif isinstance(part, Reasoning) and one.hidden:
            one.said.append(part.encrypted or "")
        elif isinstance(part, Opaque) and part.dialect == DIALECT:
            self._block(one, part.raw, out)
        else:
            if not isinstance(part, (Text, Refusal, Reasoning)):
                drop_part(part, self._losses)
            text = getattr(part, "text", None)
            if text:
                self._say(one, text, out)
            if one.proven and isinstance(part, Reasoning) and part.signature:
                self._sign(one, part.signature, out)

    def _block(self, one: _Open, block: Any, out: list[bytes]) -> None:
        one.block = self._blocks
        self._blocks += 1
        out.append(_event("content_block_start", {"index": one.block, "content_block": block}))

    def _end(self, out: list[bytes]) -> None:
        one = self._open
        self._open = None
        if one is not None and one.hidden:  # its block begins whole
            hidden = {"type": "redacted_thinking", "data": "".join(one.said)}
            self._block(one, hidden, out)
        if one is None or one.block is None:
            return
        if isinstance(one.part, ToolCall) and one.part.kind == "custom":
            text = _encode(call_input(_said(one))).decode()
            out.append(_DELTAS["input_json_delta"] % (one.block, _encode(text)))
        out.append(_event("content_block_stop", {"index": one.block}))

    # ---------------------------------------------------------------- pieces

    def _piece(self, one: _Open, piece: Piece, out: list[bytes]) -> None:
        field = piece.field
        if field in ("text", "arguments", "summary"):
            if field == "summary" and piece.number != one.number:
                one.number = piece.number
                self._say(one, "\n\n", out)
            if piece.text:
                self._say(one, piece.text, out)
        elif field == "citation" and piece.citation is not None:
            self._cite(one, piece.citation, out)
        elif field == "signature" and one.proven:
            self._sign(one, piece.text, out)
        elif field == "encrypted" and one.hidden:
            one.said.append(piece.text)
        else:
            self._losses.drop("reply", field)

    def _cite(self, one: _Open, citation: Citation, out: list[bytes]) -> None:
        written = write_citation(citation, "".join(one.said))
        if written is None:
            self._losses.drop("reply.citations")
            return
        if one.block is None:  # some vendors cite before they speak
            self._block(one, {"type": "text", "text": ""}, out)
        out.append(_DELTAS["citations_delta"] % (one.block, _encode(written)))

    def _say(self, one: _Open, text: str, out: list[bytes]) -> None:
        part = one.part
        if isinstance(part, ToolCall):
            if part.kind == "custom":
                one.said.append(text)  # free text becomes an object only when it is whole
                return
            kind = "input_json_delta"
        elif isinstance(part, Reasoning):
            self._think(one, out)
            kind = "thinking_delta"
        else:
            if one.block is None:
                self._block(one, {"type": "text", "text": ""}, out)
            one.said.append(text)
            kind = "text_delta"
        out.append(_DELTAS[kind] % (one.block, _encode(text)))

    def _think(self, one: _Open, out: list[bytes]) -> None:
        if one.block is None:
            self._block(one, {"type": "thinking", "thinking": "", "signature": ""}, out)

    def _sign(self, one: _Open, signature: str, out: list[bytes]) -> None:
        self._think(one, out)
        out.append(_DELTAS["signature_delta"] % (one.block, _encode(signature)))


def _said(one: _Open) -> ToolCall:
    part = one.part
    assert isinstance(part, ToolCall)  # noqa: S101
    return ToolCall(part.id, part.name, "".join(one.said), part.kind)


def _failure(event: Failed) -> bytes:
    error = {"type": event.type or "api_error", "message": event.message}
    return _event("error", {"error": error})


def _event(name: str, members: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **members}))
