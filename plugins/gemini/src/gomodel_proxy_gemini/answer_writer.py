"""Parts of an answer, written for a caller of this dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall

from .media import write_media
from .proofs import is_proof, pack
from .words import DIALECT

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses

__all__ = ["write_answer", "write_call", "write_thoughts"]


def write_answer(part: Part, losses: Losses) -> Any:
    """Return a part of an answer, None if there is nothing left of it."""
    if isinstance(part, Text):
        return _signed({"text": part.text}, part.signature, losses)
    if isinstance(part, Reasoning):
        return write_thoughts(part.text or "\n\n".join(part.summary), pack(part), losses)
    if isinstance(part, ToolCall):
        return write_call(part, part.arguments, losses)
    if isinstance(part, Refusal):
        return {"text": part.text}
    if isinstance(part, Opaque) and part.dialect == DIALECT:
        return part.raw
    if isinstance(part, Media):
        try:
            return write_media(part, losses)
        except InvalidRequest:
            losses.drop(f"candidates.{part.kind}")
            return None
    kind = part.type if isinstance(part, Opaque) else "tool_result"
    losses.drop(f"candidates.{kind}")
    return {"text": part.text} if isinstance(part, Opaque) and part.text else None


def write_thoughts(text: str, signature: str | None, losses: Losses) -> dict[str, Any] | None:
    """Return a thought; one of which nothing may be seen has its proof alone."""
    if not text and signature is None:
        return None
    return _signed({"text": text, "thought": True}, signature, losses)


def write_call(call: ToolCall, arguments: str, losses: Losses) -> dict[str, Any]:
    """Return a call of a function; arguments that are no object become one."""
    try:
        args: Any = msgspec.json.decode(arguments or "{}", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        losses.change(f"candidates.{call.name}.args", "text", "object")
        args = {"input": arguments}
    written = {"functionCall": {"id": call.id, "name": call.name, "args": args}}
    return _signed(written, call.signature, losses)


def _signed(part: dict[str, Any], signature: str | None, losses: Losses) -> dict[str, Any]:
    if signature is not None and is_proof(signature):
        part["thoughtSignature"] = signature
    elif signature is not None:
        losses.drop("candidates.thoughtSignature")
    return part
