"""Messages of the neutral model, written as items of ``openai.responses``.

platform.openai.com/docs/api-reference/responses/create#responses-create-input (2026-11). Items of
the model go back with their ids only where the whole turn has them: the vendor refuses thoughts
whose id it knows without the item that followed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

from .members import place
from .openai_responses_content import (
    DIALECT,
    drop_unknown,
    keep_known,
    write_citation,
    write_content,
    write_part,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gomodel_proxy.api import Losses

__all__ = ["write_call", "write_input", "write_reasoning"]

_KNOWN_IN_CALL: Final = frozenset({"async", "caller", "namespace", "status"})
_KNOWN_IN_RESULT: Final = frozenset({"caller", "namespace"})
_KNOWN_IN_MESSAGE: Final = frozenset({"phase"})
_KNOWN_IN_TEXT: Final = frozenset({"logprobs", "phase"})
_KNOWN_IN_REASONING: Final = frozenset({"status"})


def write_input(messages: Iterable[Message], losses: Losses, traits: Mapping[str, Any]) -> Any:
    """Return messages as a request's input: a bare text as the string it was, else items."""
    kept = list(messages)
    if len(kept) == 1 and kept[0].at == "input":
        return write_content(kept[0].parts, losses)
    writer = _Turns(kept, losses, traits)
    for message in kept:
        writer.write(message)
    return writer.items


def write_call(call: ToolCall) -> dict[str, Any]:
    """Return the model's call of a tool, without what says where in a reply it stands."""
    if call.kind == "custom":
        return {
            "type": "custom_tool_call",
            "call_id": call.id,
            "name": call.name,
            "input": call.arguments,
        }
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments or "{}",
    }


def write_reasoning(part: Reasoning, proof: str | None) -> dict[str, Any]:
    """Return the model's thoughts with their proof, without an id."""
    summary = [{"type": "summary_text", "text": text} for text in part.summary]
    out: dict[str, Any] = {"type": "reasoning", "summary": summary}
    if part.text:
        out["content"] = [{"type": "reasoning_text", "text": part.text}]
    if proof is not None:
        out["encrypted_content"] = proof
    return out


class _Turns:
    """Writes messages one after the other into ``items``."""

    def __init__(
        self, messages: Sequence[Message], losses: Losses, traits: Mapping[str, Any]
    ) -> None:
        self.items: list[Any] = []
        self._losses = losses
        self._system = traits.get("system_role")
        self._thoughts = bool(traits.get("plain_thoughts"))
        calls = [part for one in messages for part in one.parts if isinstance(part, ToolCall)]
        self._calls = {call.id: call for call in calls}

    def write(self, message: Message) -> None:
        """Add one message's items."""
        first = len(self.items)
        known = message.item is not None or any(
            part.item if isinstance(part, ToolCall) else isinstance(part, Opaque)
            for part in message.parts
        )
        run: list[Part] = []
        for part in message.parts:
            if _is_word(part):
                run.append(part)
            else:
                self._words(message, run, first)
                run = []
                self._item(part, message, known)
        self._words(message, run, first)
        self._note(message, first)

    def _note(self, message: Message, first: int) -> None:
        """Note what of the message itself is not written."""
        spoken = any("role" in item for item in self.items[first:] if isinstance(item, dict))
        known = _KNOWN_IN_MESSAGE if spoken and message.role == "assistant" else ()
        if message.name:
            self._losses.drop(message.at, "name")
        if message.cache is not None:
            self._losses.drop(message.at, "cache_control")
        drop_unknown(message.at, message.extra, known, self._losses)

    # ------------------------------------------------------------ words

    def _words(self, message: Message, parts: Sequence[Part], first: int) -> None:
        if not parts:
            return
        if message.role == "assistant":
            self._own_words(message, parts, first)
            return
        content = write_content(parts, self._losses)
        if not content and not any(isinstance(part, Text) for part in parts):
            return
        role = "user" if message.role == "tool" else message.role
        if self._system is not None and role in ("system", "developer"):
            role = self._system
        out = {"type": "message", "role": role, "content": content}
        if message.status is not None and message.role != "tool":
            out["status"] = message.status
        self.items.append(out)

    def _own_words(self, message: Message, parts: Sequence[Part], first: int) -> None:
        """Add the model's words; what it showed beside them goes back as the user's."""
        said = [part for part in parts if not isinstance(part, Media)]
        if said:
            self._own_message(message, said, first)
        shown = [part for part in parts if isinstance(part, Media)]
        for part in shown:
            self._losses.change(f"{part.at}.role", "assistant", "user")
        if shown:
            content = [write_part(part, self._losses) for part in shown]
            self.items.append({"type": "message", "role": "user", "content": content})

    def _own_message(self, message: Message, parts: Sequence[Part], first: int) -> None:
        again = any(isinstance(item, dict) and "role" in item for item in self.items[first:])
        extra = {} if again else keep_known(message.extra, _KNOWN_IN_MESSAGE)
        for part in parts:
            extra.update(keep_known(part.extra, _KNOWN_IN_MESSAGE))
        item = None if again else message.item
        if item is None and all(_is_plain(part) for part in parts):
            text = "".join(self._plain(part) for part in parts)
            self.items.append({"type": "message", "role": "assistant", "content": text, **extra})
            return
        content = [one for one in map(self._output, parts) if one is not None]
        self.items.append(
            {
                "type": "message",
                "id": item or f"msg_{len(self.items):032d}",
                "role": "assistant",
                "status": (None if again else message.status) or "completed",
                "content": content,
                **extra,
            }
        )

    def _plain(self, part: Part) -> str:
        written = self._output(part)
        return "" if written is None else written["text"]

    def _output(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Refusal):
            self._losses.drop_extra(part.at, part.extra)
            return {"type": "refusal", "refusal": part.text}
        if isinstance(part, Opaque):
            self._losses.drop(part.at)
            return write_text(Text(part.text)) if part.text else None
        if not isinstance(part, Text):
            return None
        if part.signature is not None:
            self._losses.drop(part.at, "signature")
        if part.cache is not None:
            self._losses.drop(part.at, "cache_control")
        drop_unknown(part.at, part.extra, _KNOWN_IN_TEXT, self._losses)
        out = write_text(part, part.extra.get("logprobs"))
        out.pop("signature", None)
        out["annotations"] = [*self._notes(part)]
        return out

    def _notes(self, part: Text) -> Iterator[Any]:
        for citation in part.citations:
            at = citation.at or place(part.at, "citations")
            note = write_citation(citation, part.text)
            if note is None:
                self._losses.drop(at)
                continue
            if isinstance(note, dict) and note.pop("content", None) is not None:
                self._losses.drop(at, "cited")  # callers are told, but requests have no such member
            yield note

    # ------------------------------------------------------------ items

    def _item(self, part: Part, message: Message, known: bool) -> None:
        if isinstance(part, ToolCall):
            self._call(part)
        elif isinstance(part, ToolResult):
            self._result(part, message.status if message.role == "tool" else None)
        elif isinstance(part, Reasoning):
            self._reasoning(part, known)
        elif isinstance(part, Opaque):
            self.items.append(part.raw)

    def _call(self, call: ToolCall) -> None:
        out = write_call(call)
        if call.item is not None:
            out["id"] = call.item
        if call.signature is not None:
            self._losses.drop(call.at, "signature")
        if call.cache is not None:
            self._losses.drop(call.at, "cache_control")
        drop_unknown(call.at, call.extra, _KNOWN_IN_CALL, self._losses)
        self.items.append({**out, **keep_known(call.extra, _KNOWN_IN_CALL)})

    def _result(self, result: ToolResult, status: str | None) -> None:
        call = self._calls.get(result.call)
        kind = result.kind if call is None else call.kind
        out: dict[str, Any] = {
            "type": f"{kind}_call_output" if kind == "function" else "custom_tool_call_output",
            "call_id": result.call,
            "output": write_content(result.parts, self._losses) if result.parts else "",
        }
        if result.item is not None:
            out["id"] = result.item
        if status is not None:
            out["status"] = status
        if result.name is not None and (call is None or call.name != result.name):
            out["name"] = result.name
        if result.error:
            self._losses.drop(result.at, "is_error")
        if result.cache is not None:
            self._losses.drop(result.at, "cache_control")
        drop_unknown(result.at, result.extra, _KNOWN_IN_RESULT, self._losses)
        self.items.append({**out, **keep_known(result.extra, _KNOWN_IN_RESULT)})

    def _reasoning(self, part: Reasoning, known: bool) -> None:
        proven = part.dialect == DIALECT and (part.encrypted is not None or part.item is not None)
        if not proven and not (self._thoughts and (part.text or part.summary)):
            self._losses.drop(part.at)
            return
        if part.signature is not None or (part.encrypted is not None and not proven):
            self._losses.drop(part.at)  # the proof, of which each dialect has its own name
        out = write_reasoning(part, part.encrypted if proven else None)
        if proven and part.item is not None and (known or part.encrypted is None):
            out["id"] = part.item
        drop_unknown(part.at, part.extra, _KNOWN_IN_REASONING, self._losses)
        self.items.append({**out, **keep_known(part.extra, _KNOWN_IN_REASONING)})


def _is_word(part: Part) -> bool:
    """Whether a part belongs into a message, and is no item by itself."""
    if isinstance(part, Opaque):
        return part.dialect != DIALECT
    return isinstance(part, (Text, Media, Refusal))


def _is_plain(part: Part) -> bool:
    """Whether a part is words alone, which need no message with an id."""
    if isinstance(part, Opaque):
        return True
    return isinstance(part, Text) and not part.citations and "logprobs" not in part.extra
