"""Messages, written: docs.cohere.com/reference/chat and /docs/tool-use-usage-patterns (2026-11).

What an assistant said beside its calls is its ``tool_plan``. Its thoughts are content where the
model thinks (trait ``thinking``), part of the plan where there is one, and else left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from gomodel_proxy.wire.tool_order import refuse_orphans

from .documents import document_data, write_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Losses

__all__ = ["MessageWriter"]


class MessageWriter:
    """Writes the messages of one request; ``documents`` gathers what users gave to be cited.

    ``citable`` says that documents may stand beside the messages; else they are a message's text.
    """

    def __init__(self, losses: Losses, *, thinking: bool, citable: bool) -> None:
        self.documents: list[dict[str, Any]] = []
        self._losses = losses
        self._thinking = thinking
        self._citable = citable
        self._images: list[Any] = []

    def write(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Return the messages; raises `InvalidRequest` for what Cohere cannot take."""
        refuse_orphans(messages)
        out: list[dict[str, Any]] = []
        for message in messages:
            self._note(message)
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            rest = [part for part in message.parts if not isinstance(part, ToolResult)]
            out.extend(self._result(result) for result in results)
            if rest or not results:
                self._show(out)
                out.append(self._turn(message, rest))
        self._show(out)
        return out

    def _note(self, message: Message) -> None:
        """Note what belongs to a message as a whole, for which there is no place."""
        members = {
            "name": message.name,
            "id": message.item,
            "status": message.status,
            "cache_control": message.cache,
        }
        for name, value in members.items():
            if value is not None:
                self._losses.drop(message.at, name)
        self._losses.drop_extra(message.at, message.extra)

    def _turn(self, message: Message, parts: Sequence[Part]) -> dict[str, Any]:
        if message.role == "assistant":
            return self._assistant(parts)
        role = "system" if message.role in ("system", "developer") else "user"
        return {"role": role, "content": self._content(parts, role)}

    # ---------------------------------------------------------------- what was asked

    def _content(self, parts: Sequence[Part], role: str) -> Any:
        written = [one for part in parts for one in self._asked(part, role)]
        plain = all(one["type"] == "text" for one in written)
        if plain and (role == "system" or len(written) < 2):
            return "\n\n".join(one["text"] for one in written)
        return written

    def _asked(self, part: Part, role: str) -> Iterable[dict[str, Any]]:
        if isinstance(part, Media):
            if part.kind != "document":
                if role == "system":
                    raise InvalidRequest(
                        f"'{part.at}' cannot be sent to this provider. Cohere takes no {part.kind} "
                        "in what the system says.",
                        code="unsupported_content",
                        param=part.at,
                    )
                return (write_image(part, self._losses),)
            return self._document(part)
        text = self._said(part)
        return ({"type": "text", "text": text},) if text else ()

    def _document(self, part: Media) -> Iterable[dict[str, Any]]:
        data = document_data(part, self._losses)
        if not self._citable:
            return ({"type": "text", "text": "\n".join(data.values())},)
        self.documents.append({"id": part.at, "data": data})
        return ()

    def _said(self, part: Part) -> str:
        """Return what a part says as text, noting the rest of it."""
        losses = self._losses
        if isinstance(part, Text):
            for name in ("cache", "signature"):
                if getattr(part, name) is not None:
                    losses.drop(part.at, "cache_control" if name == "cache" else name)
            for one in part.citations:
                losses.drop(one.at or place(part.at, "citations"))
            losses.drop_extra(part.at, part.extra)
            return part.text
        if isinstance(part, Refusal):
            losses.change(part.at, "refusal", "text")
            return part.text
        losses.drop(part.at)
        return part.text if isinstance(part, Opaque) else ""

    # ---------------------------------------------------------------- what was answered

    def _assistant(self, parts: Sequence[Part]) -> dict[str, Any]:
        calls = [part for part in parts if isinstance(part, ToolCall)]
        content: list[dict[str, Any]] = []
        plan: list[str] = []
        for part in parts:
            if isinstance(part, Reasoning):
                self._thought(part, content, plan if calls else None)
            elif isinstance(part, Media):
                raise InvalidRequest(
                    f"'{part.at}' cannot be sent to this provider. Cohere takes no {part.kind} in "
                    "what the assistant said.",
                    code="unsupported_content",
                    param=part.at,
                )
            elif not isinstance(part, ToolCall) and (text := self._said(part)):
                if calls:
                    plan.append(text)
                else:
                    content.append({"type": "text", "text": text})
        out: dict[str, Any] = {"role": "assistant"}
        if content or not calls:
            only = len(content) == 1 and content[0]["type"] == "text"
            out["content"] = content[0]["text"] if only else content or ""
        if plan:
            out["tool_plan"] = "\n\n".join(plan)
        if calls:
            out["tool_calls"] = [self._call(call) for call in calls]
        return out

    def _thought(
        self, part: Reasoning, content: list[dict[str, Any]], plan: list[str] | None
    ) -> None:
        text = part.text or "\n\n".join(part.summary)
        if text and self._thinking:
            content.append({"type": "thinking", "thinking": text})
        elif text and plan is not None:
            plan.append(text)
        else:
            self._losses.drop(part.at)
            return
        proofs = {"signature": part.signature, "data": part.encrypted, "id": part.item}
        for name, value in proofs.items():
            if value is not None:
                self._losses.drop(part.at, name)
        self._losses.drop_extra(part.at, part.extra)

    def _call(self, call: ToolCall) -> dict[str, Any]:
        losses = self._losses
        for name, value in (("signature", call.signature), ("cache_control", call.cache)):
            if value is not None:
                losses.drop(call.at, name)
        if call.item is not None:
            losses.drop(call.at, "item")
        losses.drop_extra(call.at, call.extra)
        function = {"name": call.name, "arguments": _arguments(call)}
        return {"id": call.id, "type": "function", "function": function}

    # ---------------------------------------------------------------- what tools returned

    def _result(self, result: ToolResult) -> dict[str, Any]:
        losses = self._losses
        if result.error:
            losses.drop(result.at, "is_error")
        for name, value in (("cache_control", result.cache), ("item", result.item)):
            if value is not None:
                losses.drop(result.at, name)
        losses.drop_extra(result.at, result.extra)
        parts = [one for part in result.parts for one in self._returned(part)]
        only = len(parts) == 1 and parts[0]["type"] == "text"
        content = parts[0]["text"] if only else parts or ""
        return {"role": "tool", "tool_call_id": result.call, "content": content}

    def _returned(self, part: Part) -> Iterable[dict[str, Any]]:
        if isinstance(part, Media) and part.kind == "document":
            document = {"id": part.at, "data": document_data(part, self._losses)}
            return ({"type": "document", "document": document},)
        if isinstance(part, Media):
            # results hold no images, so they follow as if the user had shown them
            self._images.append(write_image(part, self._losses))
            self._losses.change(part.at, "tool", "user")
            return ()
        text = self._said(part)
        return ({"type": "text", "text": text},) if text else ()

    def _show(self, out: list[dict[str, Any]]) -> None:
        """Write the images that tools returned, once all results of a turn are there."""
        if self._images:
            out.append({"role": "user", "content": self._images})
            self._images = []


def _arguments(call: ToolCall) -> str:
    if call.kind == "custom":
        return msgspec.json.encode({"input": call.arguments}).decode()
    if not call.arguments.strip():
        return "{}"
    try:
        msgspec.json.decode(call.arguments.encode("utf-8", "replace"), type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(
            f"The arguments of '{call.at}' are not a JSON object, which Cohere demands.",
            code="invalid_arguments",
            param=call.at,
        ) from None
    return call.arguments
