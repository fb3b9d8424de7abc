"""Streams of ``openai.chat``, written from neutral events.

platform.openai.com/docs/api-reference/chat-streaming (2026-11). Text, by far the commonest, is
put between a prefix and a suffix made once per choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api.chat import (
    Failed,
    Finish,
    Media,
    Opaque,
    PartStart,
    Piece,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolCall,
    UsageReport,
)

from .openai_chat_replies import drop_part, word, write_citation, write_usage
from .openai_chat_turns import write_media

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Losses, Usage
    from gomodel_proxy.api.chat import ChatRequest, Part, StreamEvent

__all__ = ["ChatWriter"]

_encode: Final = msgspec.json.Encoder().encode
_DONE: Final = b"data: [DONE]\n\n"
_TEXT: Final = b'%b%b},"logprobs":null,"finish_reason":null}]}\n\n'


class ChatWriter:
    """Writes one stream."""

    def __init__(self, request: ChatRequest, losses: Losses) -> None:
        self._losses = losses
        self._usage_asked = bool(request.stream_usage)
        self._head: dict[str, Any] = {}
        self._parts: dict[tuple[int, int], Part] = {}
        self._calls: dict[tuple[int, int], int] = {}
        self._prefixes: dict[tuple[int, str], bytes] = {}
        self._plain: dict[tuple[int, int], bytes] = {}
        self._opened: set[int] = set()
        self._texts: dict[int, int] = {}
        self._notes: dict[int, int] = {}
        self._summaries: dict[tuple[int, int], int] = {}
        self._usage: Usage | None = None

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, Piece):
                prefix = self._plain.get((event.choice, event.index))
                if prefix is None or event.field != "text" or event.logprobs is not None:
                    self._piece(event, out)
                else:  # by far the commonest
                    self._texts[event.choice] += len(event.text)
                    out.append(_TEXT % (prefix, _encode(event.text)))
            elif isinstance(event, PartStart):
                self._part(event, out)
            elif isinstance(event, Start):
                self._start(event)
            elif isinstance(event, Finish):
                self._open(event.choice, out)
                out.append(self._chunk(event.choice, {}, word(event.reason)))
            elif isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Failed):
                error = {"message": event.message, "type": event.type or "upstream_error"}
                out.append(_event({"error": {**error, "param": None, "code": event.code}}))
        return out[0] if len(out) == 1 else b"".join(out)

    def close(self) -> bytes:
        """Return the usage, if the caller asked for it, and the end."""
        if not self._usage_asked or self._usage is None:
            return _DONE
        return _event({**self._head, "choices": [], "usage": write_usage(self._usage)}) + _DONE

    def _start(self, event: Start) -> None:
        self._head = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }

    def _open(self, choice: int, out: list[bytes]) -> None:
        """Begin a choice: its first chunk names the role."""
        if choice not in self._opened:
            self._opened.add(choice)
            out.append(self._chunk(choice, {"role": "assistant", "content": ""}))

    def _chunk(
        self,
        choice: int,
        delta: dict[str, Any],
        finish: str | None = None,
        logprobs: Raw | None = None,
    ) -> bytes:
        one = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return _event({**self._head, "choices": [one]})

    def _part(self, event: PartStart, out: list[bytes]) -> None:
        self._open(event.choice, out)
        part, choice = event.part, event.choice
        self._parts[choice, event.index] = part
        if isinstance(part, Text):
            self._plain[choice, event.index] = self._prefix(choice, "content")
            self._texts.setdefault(choice, 0)
        if isinstance(part, ToolCall):
            self._call(event, part, out)
        elif isinstance(part, Media) and part.kind == "image":
            out.append(self._chunk(choice, {"images": [write_media(part)]}))
        elif isinstance(part, (Text, Refusal, Reasoning)):
            if part.text:
                self._text(choice, part, part.text, out)
            if isinstance(part, Reasoning) and part.encrypted is not None:
                self._proof(event, part, "data", part.encrypted, out)
            if isinstance(part, Text) and part.signature is not None:
                self._losses.drop("choices.signature")
        else:
            drop_part(part, self._losses)
            if isinstance(part, Opaque) and part.text:
                self._text(choice, part, part.text, out)

    def _call(self, event: PartStart, part: ToolCall, out: list[bytes]) -> None:
        number = sum(1 for choice, _ in self._calls if choice == event.choice)
        self._calls[event.choice, event.index] = number
        member = "arguments" if part.kind == "function" else "input"
        call: dict[str, Any] = {
            "index": number,
            "id": part.id,
            "type": part.kind,
            part.kind: {"name": part.name, member: part.arguments},
        }
        if part.signature is not None:
            call["signature"] = part.signature
        out.append(self._chunk(event.choice, {"tool_calls": [call]}))

    def _piece(self, event: Piece, out: list[bytes]) -> None:
        part = self._parts.get((event.choice, event.index))
        if event.field == "arguments" and isinstance(part, ToolCall):
            member = "arguments" if part.kind == "function" else "input"
            number = self._calls[event.choice, event.index]
            call = {"index": number, part.kind: {member: event.text}}
            out.append(self._chunk(event.choice, {"tool_calls": [call]}))
        elif event.field == "citation" and event.citation is not None:
            so_far = self._texts.get(event.choice, event.citation.start or 0)
            note = write_citation(event.citation, 0, so_far)
            if isinstance(note, dict):  # SDKs add up lists by this
                note["index"] = self._notes.get(event.choice, 0)
                self._notes[event.choice] = note["index"] + 1
            out.append(self._chunk(event.choice, {"annotations": [note]}))
        elif event.field in ("signature", "encrypted"):
            if isinstance(part, Reasoning):
                name = "signature" if event.field == "signature" else "data"
                self._proof(event, part, name, event.text, out)
            else:
                self._losses.drop("choices", event.field)
        elif event.field == "summary" and isinstance(part, Reasoning):
            # Parts of a summary are paragraphs, as in whole replies.
            last = self._summaries.get((event.choice, event.index), event.number)
            self._summaries[event.choice, event.index] = event.number
            apart = "\n\n" if event.number != last else ""
            self._text(event.choice, part, apart + event.text, out)
        elif event.logprobs is not None and isinstance(part, Text):
            self._texts[event.choice] = self._texts.get(event.choice, 0) + len(event.text)
            delta = {"content": event.text}
            out.append(self._chunk(event.choice, delta, logprobs=event.logprobs))
        elif part is not None:
            self._text(event.choice, part, event.text, out)

    def _text(self, choice: int, part: Part, text: str, out: list[bytes]) -> None:
        name = _MEMBERS.get(type(part), "content")
        if name == "content":
            self._texts[choice] = self._texts.get(choice, 0) + len(text)
        out.append(_TEXT % (self._prefix(choice, name), _encode(text)))

    def _prefix(self, choice: int, name: str) -> bytes:
        """Return what stands before the text in a chunk of a choice's ``name``."""
        prefix = self._prefixes.get((choice, name))
        if prefix is None:
            whole = self._chunk(choice, {name: ""})
            prefix = self._prefixes[choice, name] = whole[: whole.index(b'""},"logprobs"')]
        return prefix

    def _proof(
        self, event: PartStart | Piece, part: Reasoning, name: str, text: str, out: list[bytes]
    ) -> None:
        """Write a proof under the number of its thought, by which SDKs add up lists."""
        thoughts = [
            index
            for (choice, index), other in self._parts.items()
            if choice == event.choice and isinstance(other, Reasoning)
        ]
        kind = "reasoning.encrypted" if name == "data" else "reasoning.text"
        number = thoughts.index(event.index)
        detail = {"type": kind, name: text, "format": part.dialect, "index": number}
        if part.item is not None:
            detail["id"] = part.item
        out.append(self._chunk(event.choice, {"reasoning_details": [detail]}))


_MEMBERS: Final = {Reasoning: "reasoning_content", Refusal: "refusal"}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _encode(value)
