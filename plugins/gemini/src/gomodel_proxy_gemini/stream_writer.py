"""Streams, written: events that are whole replies of what is new, the last with the reasons.

ai.google.dev/api/generate-content#method:-models.streamgeneratecontent (2026-11). Calls of
functions are written whole, as the vendor does. The reasons to finish wait for the end, because
they stand in one event with the usage.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
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

from .answer_writer import write_answer, write_call, write_thoughts
from .grounding import Sources
from .offsets import Offsets
from .proofs import pack
from .reply_writer import write_metadata
from .words import word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses, Usage
    from gomodel_proxy.api.chat import Part, StreamEvent

__all__ = ["GeminiWriter"]

_encode: Final = msgspec.json.Encoder().encode
_Key = tuple[int, int]


class GeminiWriter:
    """Writes one stream."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._head: dict[str, Any] = {}
        self._tail = b"}\n\n"
        self._parts: dict[_Key, Part] = {}
        self._arguments: dict[_Key, list[str]] = {}
        self._offsets: dict[int, Offsets] = {}
        self._sources: dict[int, Sources] = {}
        self._finishes: dict[int, Finish] = {}
        self._usage: Usage | None = None

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, Piece):
                self._piece(event, out)
            elif isinstance(event, PartStart):
                self._part(event, out)
            elif isinstance(event, PartEnd):
                self._complete((event.choice, event.index), out)
            elif isinstance(event, Start):
                self._start(event)
            elif isinstance(event, Finish):
                self._finishes[event.choice] = event
            elif isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Failed):
                out.append(_failed(event))
        return b"".join(out)

    def close(self) -> bytes:
        """Return what is left of unfinished parts, and the event with reasons and usage."""
        out: list[bytes] = []
        for key in list(self._parts):
            self._complete(key, out)
        # One vendor names no reason, and a stream of this dialect is whole only with one.
        finishes = self._finishes or {0: Finish("stop")}
        candidates = [self._candidate(finish) for finish in finishes.values()]
        last: dict[str, Any] = {"candidates": candidates}
        if self._usage is not None:
            last["usageMetadata"] = write_metadata(self._usage, None)
        out.append(b"data: %b\n\n" % _encode({**last, **self._head}))
        return b"".join(out)

    def _start(self, event: Start) -> None:
        self._head = {"modelVersion": event.model, "responseId": event.id}
        if event.created:
            created = datetime.fromtimestamp(event.created, UTC)
            self._head["createTime"] = created.isoformat()
        self._tail = b",%b\n\n" % _encode(self._head)[1:]

    def _say(self, choice: int, part: bytes, out: list[bytes]) -> None:
        out.append(
            b'data: {"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d}]%b'
            % (part, choice, self._tail)
        )

    def _part(self, event: PartStart, out: list[bytes]) -> None:
        key, part = (event.choice, event.index), event.part
        if isinstance(part, ToolCall):
            self._parts[key] = part
            self._arguments[key] = [part.arguments]
        elif isinstance(part, Reasoning):
            self._parts[key] = part
            self._think(key, part.text or "\n\n".join(part.summary), out)
        elif isinstance(part, Text | Refusal):
            self._parts[key] = part
            if part.text or getattr(part, "signature", None):
                self._text(event.choice, part, out)
        else:
            written = write_answer(part, self._losses)
            if written is not None:
                self._say(event.choice, _encode(written), out)

    def _text(self, choice: int, part: Part, out: list[bytes]) -> None:
        if isinstance(part, Text):
            self._offset(choice).add(part.text)
        self._say(choice, _encode(write_answer(part, self._losses)), out)

    def _think(self, key: _Key, text: str, out: list[bytes]) -> None:
        if text:
            self._say(key[0], _encode(write_thoughts(text, None, self._losses)), out)

    def _piece(self, event: Piece, out: list[bytes]) -> None:
        key = (event.choice, event.index)
        part = self._parts.get(key)
        if event.field == "arguments":
            self._arguments.setdefault(key, []).append(event.text)
        elif event.field == "citation":
            self._cite(event)
        elif isinstance(part, Reasoning):
            self._reason(key, part, event, out)
        elif event.field == "signature" and isinstance(part, ToolCall):
            part.signature = event.text
        elif event.field == "text" and event.text:
            if isinstance(part, Text):
                self._offset(event.choice).add(event.text)
            self._say(event.choice, b'{"text":%b}' % _encode(event.text), out)

    def _reason(self, key: _Key, part: Reasoning, event: Piece, out: list[bytes]) -> None:
        if event.field == "signature":
            part.signature = (part.signature or "") + event.text
        elif event.field == "encrypted":
            part.encrypted = (part.encrypted or "") + event.text
        else:
            self._think(key, event.text, out)

    def _complete(self, key: _Key, out: list[bytes]) -> None:
        """Write what only the end of a part completes: a call, the proof of a thought."""
        part = self._parts.pop(key, None)
        if isinstance(part, ToolCall):
            arguments = "".join(self._arguments.pop(key, ()))
            self._say(key[0], _encode(write_call(part, arguments, self._losses)), out)
        elif isinstance(part, Reasoning):
            proof = write_thoughts("", pack(part), self._losses)
            if proof is not None:
                self._say(key[0], _encode(proof), out)

    def _offset(self, choice: int) -> Offsets:
        return self._offsets.setdefault(choice, Offsets())

    def _cite(self, event: Piece) -> None:
        if event.citation is not None:
            sources = self._sources.setdefault(event.choice, Sources())
            sources.add(event.citation, 0, self._offset(event.choice), None)

    def _candidate(self, finish: Finish) -> dict[str, Any]:
        out: dict[str, Any] = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": word_of(finish.reason, finish.raw),
            "index": finish.choice,
        }
        sources = self._sources.get(finish.choice)
        grounding = None if sources is None else sources.written()
        if grounding is not None:
            out["groundingMetadata"] = grounding
        return out


def _failed(event: Failed) -> bytes:
    error = {"code": 500, "message": event.message, "status": event.code or "INTERNAL"}
    return b"data: %b\n\n" % _encode({"error": error})
