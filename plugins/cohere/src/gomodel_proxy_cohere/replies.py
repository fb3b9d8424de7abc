"""Whole replies of Cohere's chat, read: docs.cohere.com/reference/chat (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    FinishReason,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
)
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

from .citations import DIALECT, decode_citation, read_citations
from .logprobs import LogProbs, read_logprobs
from .usage import read_chat_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAILED", "FINISHES", "read_reply"]

FINISHES: Final[dict[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
}
FAILED: Final = frozenset({"ERROR", "TIMEOUT"})
"""Ends of what is no answer."""


def read_reply(body: bytes) -> ChatReply:
    """Return a whole reply; raises ValueError if it is none."""
    try:
        return _read(Members(body))
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read(reply: Members) -> ChatReply:
    message = reply.members("message")
    if message is None:
        raise ValueError("the reply has no message")
    usage = reply.raw("usage")
    reason = reply.text("finish_reason")
    logprobs = reply.raw("logprobs")
    message.raw("role")
    choice = Choice(
        parts=_parts(message),
        finish=None if reason is None else FINISHES.get(reason, "other"),
        raw_finish=reason,
        logprobs=None if logprobs is None else _logprobs(logprobs),
        extra=message.extra,
    )
    return ChatReply(
        reply.text("id") or "",
        "",
        [choice],
        usage=None if usage is None else read_chat_usage(usage),
        extra=reply.extra,
    )


def _logprobs(raw: Raw) -> Raw:
    return read_logprobs(msgspec.json.decode(raw, type=list[LogProbs]))


def _parts(message: Members) -> list[Part]:
    """Return the plan, the content and the calls, in the order in which the model made them."""
    plan = message.text("tool_plan")
    thoughts: list[Part] = [Reasoning(plan, dialect=DIALECT)] if plan else []
    content = _content(message)
    _cite(message.array("citations") or (), content, thoughts)
    calls = [_call(call) for call in message.objects("tool_calls")]
    return [*thoughts, *content, *calls]


def _content(message: Members) -> list[Part]:
    raw = message.rest.get("content", json.NULL)
    if json.kind(raw) == "string":
        text = message.needed("content")
        return [Text(text)] if text else []
    return [_block(block) for block in message.objects("content")]


def _block(block: Members) -> Part:
    kind = block.text("type") or "text"
    if kind == "text":
        return Text(block.text("text") or "", extra=block.extra)
    if kind == "thinking":
        return Reasoning(block.text("thinking") or "", dialect=DIALECT, extra=block.extra)
    return Opaque(DIALECT, kind, Raw(json.encode({"type": kind, **block.rest})))


def _cite(citations: Sequence[Raw], content: Sequence[Part], plan: Sequence[Part]) -> None:
    """Put citations to the text they are of; those of thoughts and plans stay as they came."""
    for raw in citations:
        cited = decode_citation(raw)
        part = _cited(cited.content_index, cited.type, content, plan)
        if isinstance(part, Text):
            part.citations = [*part.citations, *read_citations(raw, cited)]
        elif part is not None:
            before = part.extra.get("citations", Raw(b"[]"))
            kept = [*msgspec.json.decode(before, type=list[Raw]), raw]
            part.extra = {**part.extra, "citations": Raw(json.encode(kept))}


def _cited(
    index: int | None, kind: str, content: Sequence[Part], plan: Sequence[Part]
) -> Part | None:
    if kind == "PLAN":
        return plan[0] if plan else None
    if index is not None and index < len(content):
        return content[index]
    wanted = Reasoning if kind == "THINKING_CONTENT" else Text
    return next((part for part in content if isinstance(part, wanted)), None)


def _call(call: Members) -> ToolCall:
    call.raw("type")
    made = call.members("function") or Members(b"{}")
    return ToolCall(
        call.text("id") or "",
        made.text("name") or "",
        made.text("arguments") or "{}",
        extra={**call.extra, **made.extra},
    )
