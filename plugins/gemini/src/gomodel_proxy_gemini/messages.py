"""Messages, written as contents: ai.google.dev/api/caching#Content (2026-11).

Traits: ``result_media`` (true: results of functions may hold media), ``call_proof`` (true: the
first call of each turn needs a signature, and gets the vendor's stand-in where it has none).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from gomodel_proxy.wire.members import place

from .media import write_media
from .proofs import UNPROVEN, is_proof, write_thought
from .words import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Extra

__all__ = ["ContentWriter"]

_SYSTEM: Final = ("system", "developer")
_PART_EXTRA: Final = frozenset({"videoMetadata", "mediaResolution", "partMetadata"})
_RESULT_EXTRA: Final = frozenset({"willContinue", "scheduling"})
_object: Final = msgspec.json.Decoder(dict[str, Raw])


class ContentWriter:
    """Writes one conversation; ``system`` is what stands before it."""

    def __init__(self, traits: Mapping[str, Any], losses: Losses) -> None:
        self._traits = traits
        self._losses = losses
        self._names: dict[str, str] = {}
        self._last = ""
        self.system: list[dict[str, Any]] = []
        self.contents: list[dict[str, Any]] = []

    def write(self, messages: Sequence[Message]) -> None:
        """Write messages; raises `InvalidRequest` for what the vendor could only refuse."""
        first = next((n for n, m in enumerate(messages) if m.role not in _SYSTEM), len(messages))
        if first == len(messages):
            first = 0  # the vendor wants a content, so instructions alone are said by the user
        for number, message in enumerate(messages):
            self._note(message)
            if number < first:
                self.system.extend(self._parts(message.parts, message))
            elif message.role == "tool":
                self._results(message)
            else:
                self._turn(message)

    def _note(self, message: Message) -> None:
        if message.name is not None:
            self._losses.drop(message.at, "name")
        if message.cache is not None:
            self._losses.drop(message.at, "cache_control")
        self._losses.drop_extra(message.at, message.extra)

    def _turn(self, message: Message) -> None:
        if message.role in _SYSTEM:
            self._losses.change(f"{message.at}.role", message.role, "user")
        role = "model" if message.role == "assistant" else "user"
        parts = self._parts(message.parts, message)
        if role == "model" and self._traits.get("call_proof"):
            _prove(parts)
        if parts:
            self._append(role, message.role, parts)

    def _append(self, role: str, source: str, parts: list[dict[str, Any]]) -> None:
        """Add a content; what one turn of the model or of its tools said stays together."""
        if source == self._last and source in ("assistant", "tool"):
            self.contents[-1]["parts"].extend(parts)
        else:
            self.contents.append({"role": role, "parts": parts})
        self._last = source

    def _parts(self, parts: Iterable[Part], message: Message) -> list[dict[str, Any]]:
        found = (self._part(part, part.at or message.at) for part in parts)
        return [part for part in found if part is not None]

    def _part(self, part: Part, at: str) -> Any:
        if getattr(part, "cache", None) is not None:
            self._losses.drop(at, "cache_control")
        out: Any
        if isinstance(part, Text):
            out = {"text": part.text}
            for citation in part.citations:
                self._losses.drop(citation.at or place(at, "citations"))
            self._sign(out, part.signature, at)
        elif isinstance(part, Media):
            out = write_media(part, self._losses)
        elif isinstance(part, ToolCall):
            out = self._call(part, at)
        elif isinstance(part, Reasoning):
            out = write_thought(part, at, self._losses)
        elif isinstance(part, Refusal):
            out = {"text": part.text}
        elif isinstance(part, Opaque):
            return self._opaque(part, at)
        else:
            raise _misplaced(at)
        if out is not None:
            self._extra(out, part.extra, _PART_EXTRA, at)
        return out

    def _extra(self, out: dict[str, Any], extra: Extra, known: frozenset[str], at: str) -> None:
        for name, value in extra.items():
            if name in known:
                out[name] = value
            else:
                self._losses.drop(at, name)

    def _sign(self, out: dict[str, Any], signature: str | None, at: str) -> None:
        if signature is None:
            return
        if is_proof(signature):
            out["thoughtSignature"] = signature
        else:
            self._losses.drop(at, "signature")

    def _opaque(self, part: Opaque, at: str) -> Any:
        if part.dialect == DIALECT:
            return part.raw
        self._losses.drop(at)
        return {"text": part.text} if part.text else None

    def _call(self, call: ToolCall, at: str) -> dict[str, Any]:
        self._names[call.id] = call.name
        arguments: Any = {"input": call.arguments}
        if call.kind == "function":
            arguments = _arguments(call, at)
        else:
            self._losses.change(f"{at}.type", call.kind, "function")
        out: dict[str, Any] = {
            "functionCall": {"id": call.id, "name": call.name, "args": arguments}
        }
        self._sign(out, call.signature, at)
        return out

    def _results(self, message: Message) -> None:
        """Write results, then as a turn of its own what the model takes no other way."""
        written: list[dict[str, Any]] = []
        beside: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                written.append(self._result(part, part.at or message.at, beside))
            else:
                found = self._part(part, part.at or message.at)
                beside.extend([] if found is None else [found])
        if written:
            self._append("user", "tool", written)
        if beside:
            self._append("user", "media", beside)

    def _result(self, result: ToolResult, at: str, beside: list[Any]) -> dict[str, Any]:
        name = self._names.get(result.call) or result.name
        if name is None:
            raise InvalidRequest(
                f"'{at}' is the result of '{result.call}', which no earlier message calls.",
                code="unknown_tool_call",
                param=at,
            )
        if result.cache is not None:
            self._losses.drop(at, "cache_control")
        written, said = self._split(result, at)
        out: dict[str, Any] = {"id": result.call, "name": name, "response": said}
        if written and self._traits.get("result_media"):
            out["parts"] = written
        else:
            beside.extend(written)
        self._extra(out, result.extra, _RESULT_EXTRA, at)
        return {"functionResponse": out}

    def _split(self, result: ToolResult, at: str) -> tuple[list[dict[str, Any]], Any]:
        """Return the media of a result, and what it says as an object.

        That is the tool's own, or its text under ``output`` or ``error``.
        """
        media: list[dict[str, Any]] = []
        texts: list[str] = []
        for part in result.parts:
            written = self._part(part, part.at or at)
            if isinstance(written, dict) and "text" in written:
                texts.append(written["text"])
            elif isinstance(written, dict):
                media.append(written)
            elif written is not None:
                self._losses.drop(part.at or at)  # what a built-in tool did is no result
        text = "\n".join(text for text in texts if text)
        if result.error:
            return media, {"error": text}
        return media, _parsed(text) or {"output": text}


def _parsed(text: str) -> Raw | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        _object.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Raw(text)


def _arguments(call: ToolCall, at: str) -> Any:
    if not call.arguments.strip():
        return {}
    parsed = _parsed(call.arguments)
    if parsed is None:
        raise InvalidRequest(
            f"'{at}' calls '{call.name}' with arguments that are no JSON object, which is all that "
            "this provider takes.",
            code="invalid_arguments",
            param=at,
        )
    return parsed


def _misplaced(at: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{at}' is the result of a tool, and stands where none can.",
        code="invalid_value",
        param=at,
    )


def _prove(parts: list[dict[str, Any]]) -> None:
    first = next(
        (part for part in parts if isinstance(part, dict) and "functionCall" in part), None
    )
    if first is not None:
        first.setdefault("thoughtSignature", UNPROVEN)
