"""Whole replies of ``openai.chat``, to and from the neutral model.

platform.openai.com/docs/api-reference/chat/object (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    Citation,
    FinishReason,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)

from .members import Members
from .openai_chat_content import DIALECT, read_content, read_thoughts, read_tool_calls
from .openai_chat_turns import write_call, write_media, write_thoughts
from .openai_tiers import write_tier
from .openai_usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Losses, Usage

__all__ = [
    "FINISHES",
    "drop_part",
    "read_citation",
    "read_reply",
    "write_citation",
    "write_reply",
    "write_usage",
]

FINISHES: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "error": "error",
}
_WORDS: Final[dict[str, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "error": "stop",
    "other": "stop",
}


def word(reason: FinishReason | None) -> str:
    """Return the dialect's word for the end of a choice."""
    return _WORDS.get(reason or "stop", "stop")


def read_reply(body: bytes) -> ChatReply:
    """Return a whole reply; raises ValueError if it is none."""
    try:
        members = Members(body)
        choices = [_read_choice(choice) for choice in members.objects("choices")]
        usage = members.raw("usage")
        return ChatReply(
            members.text("id") or "",
            members.text("model") or "",
            choices,
            created=members.integer("created") or 0,
            usage=None if usage is None else read_usage(usage),
            service_tier=members.text("service_tier"),
            extra=members.extra,
        )
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read_choice(choice: Members) -> Choice:
    message = choice.members("message") or Members(b"{}")
    parts = [*read_thoughts(message), *read_content(message)]
    citations = [read_citation(one) for one in message.objects("annotations")]
    if citations:
        texts = [part for part in parts if isinstance(part, Text)]
        if texts:
            texts[-1].citations = citations
    refusal = message.text("refusal")
    if refusal:
        parts.append(Refusal(refusal))
    audio = message.members("audio")
    if audio is not None:
        parts.append(_read_audio(audio))
    parts.extend(read_tool_calls(message))
    reason = choice.text("finish_reason")
    message.text("role")
    return Choice(
        index=choice.integer("index") or 0,
        parts=parts,
        finish=None if reason is None else FINISHES.get(reason, "other"),
        raw_finish=reason,
        logprobs=choice.raw("logprobs"),
        extra={**choice.extra, **message.extra},
    )


def _read_audio(audio: Members) -> Media:
    return Media(
        "audio",
        data=audio.text("data"),
        text=audio.text("transcript"),
        file_id=audio.text("id"),
        extra=audio.extra,
    )


def read_citation(annotation: Members) -> Citation:
    """Return an annotation; one of another type than a cited URL is kept as it came."""
    raw = Raw(msgspec.json.encode(annotation.rest))
    if annotation.text("type") != "url_citation":
        return Citation(raw=raw, dialect=DIALECT)
    inner = annotation.members("url_citation") or Members(b"{}")
    return Citation(
        url=inner.text("url"),
        title=inner.text("title"),
        cited=inner.text("content"),
        start=inner.integer("start_index"),
        end=inner.integer("end_index"),
        raw=raw,
        dialect=DIALECT,
    )


def write_reply(reply: ChatReply, *, losses: Losses) -> bytes:
    """Return a whole reply."""
    out: dict[str, Any] = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [_write_choice(choice, losses) for choice in reply.choices],
    }
    if reply.usage is not None:
        out["usage"] = write_usage(reply.usage)
    out |= write_tier(reply.service_tier, losses)
    return msgspec.json.encode(out)


def _write_choice(choice: Choice, losses: Losses) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    annotations: list[Any] = []
    thoughts: list[Reasoning] = []
    for part in choice.parts:
        if isinstance(part, Text):
            start = sum(map(len, texts))
            for one in part.citations:
                annotations.append(write_citation(one, start, start + len(part.text)))
            texts.append(part.text)
            if part.signature is not None:
                losses.drop("choices.signature")
        elif isinstance(part, ToolCall):
            # Callers send back what they got, so that is where a proof survives.
            proof = {} if part.signature is None else {"signature": part.signature}
            calls.append({**write_call(part), **proof})
        elif isinstance(part, Reasoning):
            thoughts.append(part)
        else:
            _write_other(part, message, texts, losses)
    if texts:
        message["content"] = "".join(texts)
    if annotations:
        message["annotations"] = annotations
    if calls:
        message["tool_calls"] = calls
    message.update(write_thoughts(thoughts, "reasoning_content"))
    return {
        "index": choice.index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": word(choice.finish),
    }


def _write_other(part: Part, message: dict[str, Any], texts: list[str], losses: Losses) -> None:
    if isinstance(part, Refusal):
        message["refusal"] = (message["refusal"] or "") + part.text
    elif isinstance(part, Media) and part.kind == "image":
        message.setdefault("images", []).append(write_media(part))
    elif isinstance(part, Media) and part.kind == "audio":
        message["audio"] = {"id": part.file_id, "data": part.data, "transcript": part.text}
    else:
        drop_part(part, losses)
        if isinstance(part, Opaque) and part.text:
            texts.append(part.text)


def drop_part(part: Part, losses: Losses) -> None:
    """Note a part that an answer has no place for."""
    kind = part.type if isinstance(part, Opaque) else getattr(part, "kind", "part")
    losses.drop(f"choices.{kind}")


def write_citation(citation: Citation, start: int, end: int) -> Any:
    """Return a citation as an annotation of the whole content, of which its text is this much."""
    if citation.raw is not None and citation.dialect == DIALECT:
        return citation.raw
    inner = {
        "url": citation.url or (f"file:{citation.file_id}" if citation.file_id else ""),
        "title": citation.title or "",
        "start_index": start + (citation.start or 0),
        "end_index": end if citation.end is None else start + citation.end,
    }
    if citation.cited is not None:
        inner["content"] = citation.cited
    return {"type": "url_citation", "url_citation": inner}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return usage in the dialect's words; a class nobody reported is left out."""
    prompt = {
        "cached_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "audio_tokens": usage.audio_input,
    }
    completion = {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_output}
    return {
        "prompt_tokens": usage.input or 0,
        "completion_tokens": usage.output or 0,
        "total_tokens": usage.total or 0,
        "prompt_tokens_details": _known(prompt.items()),
        "completion_tokens_details": _known(completion.items()),
    }


def _known(counts: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    return {name: count for name, count in counts if count is not None}
