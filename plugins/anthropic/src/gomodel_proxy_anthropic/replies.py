"""Whole messages, read and written: platform.claude.com/docs/en/api/messages (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    FinishReason,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

from .blocks import tool_input
from .citations import write_citation
from .content import read_content
from .names import DIALECT
from .usage import read_usage, write_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses

__all__ = [
    "FINISHES",
    "call_input",
    "drop_part",
    "drop_proof",
    "read_reply",
    "stop_reason",
    "write_reply",
]

FINISHES: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}
_REASONS: Final[dict[str | None, str]] = {
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_TIERS: Final = {"default": "standard", "standard": "standard", "priority": "priority"}


# ---------------------------------------------------------------- reading


def read_reply(body: bytes) -> ChatReply:
    """Return a whole message; raises ValueError if it is none."""
    try:
        return _read(Members(body))
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read(members: Members) -> ChatReply:
    reason = members.text("stop_reason")
    members.raw("type")
    members.raw("role")
    usage = members.raw("usage")
    choice = Choice(
        parts=read_content(members.raw("content"), "content", strict=False),
        finish=None if reason is None else FINISHES.get(reason, "other"),
        stopped_by=members.text("stop_sequence"),
        raw_finish=reason,
    )
    rest = {name: raw for name, raw in members.rest.items() if raw != json.NULL}
    model, id_ = rest.pop("model", None), rest.pop("id", None)
    return ChatReply(
        "" if id_ is None else json.string(id_, "id"),
        "" if model is None else json.string(model, "model"),
        [choice],
        usage=None if usage is None else read_usage(usage),
        service_tier=None if usage is None else _tier(usage),
        extra=rest,
    )


def _tier(usage: Raw) -> str | None:
    return Members(usage, "usage").text("service_tier")


# ---------------------------------------------------------------- writing


def write_reply(reply: ChatReply, *, losses: Losses) -> bytes:
    """Return a whole message; of several choices the first, the others are noted."""
    choice = reply.choices[0] if reply.choices else Choice()
    for other in reply.choices[1:]:
        losses.drop(f"choices[{other.index}]")
    usage = write_usage(reply.usage)
    if reply.service_tier is not None:
        if reply.service_tier in _TIERS:
            usage["service_tier"] = _TIERS[reply.service_tier]
        else:
            losses.drop("service_tier")
    if choice.logprobs is not None and choice.logprobs != json.NULL:
        losses.drop("logprobs")
    blocks = [_write_part(part, losses) for part in choice.parts]
    return msgspec.json.encode(
        {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [block for block in blocks if block is not None],
            "stop_reason": stop_reason(choice.finish, choice.stopped_by, choice.raw_finish),
            "stop_sequence": choice.stopped_by,
            "usage": usage,
        }
    )


def stop_reason(reason: str | None, stopped_by: str | None, raw: str | None) -> str:
    """Return Anthropic's word for the end of an answer; its own goes before the neutral one."""
    if raw is not None and FINISHES.get(raw) == reason:
        return raw
    if reason == "stop" and stopped_by is not None:
        return "stop_sequence"
    return _REASONS.get(reason, "end_turn")


def _write_part(part: Part, losses: Losses) -> Any:
    if isinstance(part, Text):
        return _write_text(part, losses) if part.text else None
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    drop_proof(part, losses)
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": call_input(part)}
    if isinstance(part, Reasoning):
        return _thought(part)
    if isinstance(part, Opaque) and part.dialect == DIALECT:
        return part.raw
    drop_part(part, losses)
    said = getattr(part, "text", None)
    return {"type": "text", "text": said} if said else None


def drop_part(part: Part, losses: Losses) -> None:
    """Note a part that no block can be."""
    kind = part.kind if isinstance(part, Media) else getattr(part, "type", "part")
    losses.drop(f"reply.{kind}")


def drop_proof(part: Part, losses: Losses) -> None:
    """Note a proof that is not Anthropic's own thought's: no block has a place for it."""
    if isinstance(part, Reasoning) and part.dialect == DIALECT:
        return
    for name in ("signature", "encrypted"):
        if getattr(part, name, None) is not None:
            losses.drop("reply", name)


def _write_text(part: Text, losses: Losses) -> dict[str, Any]:
    drop_proof(part, losses)
    block: dict[str, Any] = {"type": "text", "text": part.text}
    if part.citations:
        written = [write_citation(one, part.text) for one in part.citations]
        kept = [one for one in written if one is not None]
        if kept:
            block["citations"] = kept
        if len(kept) < len(written):
            losses.drop("reply.citations")
    return block


def _thought(part: Reasoning) -> dict[str, Any] | None:
    """Return a thought as a block, None if nothing of it can be shown.

    Another vendor's has no signature, as Anthropic could not check it.
    """
    if part.dialect == DIALECT and part.redacted:
        return {"type": "redacted_thinking", "data": part.encrypted or ""}
    text = part.text or "\n\n".join(part.summary)
    mine = part.dialect == DIALECT
    if not text and not mine:
        return None
    signature = part.signature if mine else None
    return {"type": "thinking", "thinking": text, "signature": signature or ""}


def call_input(call: ToolCall) -> Any:
    """Return a model's arguments as an object; what is none is put into one, as it came."""
    given = tool_input(call)
    return {"arguments": call.arguments} if given is None else given
