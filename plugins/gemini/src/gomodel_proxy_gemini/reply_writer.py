"""Whole replies, written: ai.google.dev/api/generate-content#generatecontentresponse (2026-11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api.chat import Text

from .answer_writer import write_answer
from .grounding import Sources
from .logprobs import write_logprobs
from .offsets import Offsets
from .usage import write_usage
from .words import tier_word, word_of

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses, Usage
    from gomodel_proxy.api.chat import ChatReply, Choice

__all__ = ["write_metadata", "write_reply"]

_CANDIDATE: Final = frozenset(
    {
        "avgLogprobs",
        "citationMetadata",
        "finishMessage",
        "groundingMetadata",
        "safetyRatings",
        "tokenCount",
        "urlContextMetadata",
    }
)
_REPLY: Final = frozenset({"modelStatus", "promptFeedback"})


def write_reply(reply: ChatReply, *, losses: Losses) -> bytes:
    """Return a whole reply."""
    out: dict[str, Any] = {
        "candidates": [_candidate(choice, losses) for choice in reply.choices],
        "modelVersion": reply.model,
        "responseId": reply.id,
    }
    if reply.created:
        out["createTime"] = datetime.fromtimestamp(reply.created, UTC).isoformat()
    if reply.usage is not None:
        out["usageMetadata"] = write_metadata(reply.usage, reply.service_tier)
    out.update({name: value for name, value in reply.extra.items() if name in _REPLY})
    return msgspec.json.encode(out)


def write_metadata(usage: Usage, tier: str | None) -> dict[str, Any]:
    """Return ``usageMetadata``."""
    out = write_usage(usage)
    word = None if tier is None else tier_word(tier)
    if word is not None:
        out["serviceTier"] = word
    return out


def _candidate(choice: Choice, losses: Losses) -> dict[str, Any]:
    parts: list[Any] = []
    sources = Sources()
    for part in choice.parts:
        written = write_answer(part, losses)
        if written is None:
            continue
        if isinstance(part, Text):
            offsets = Offsets(part.text)
            for citation in part.citations:
                sources.add(citation, len(parts), offsets, part.text)
        parts.append(written)
    out: dict[str, Any] = {
        "content": {"parts": parts, "role": "model"},
        "finishReason": word_of(choice.finish, choice.raw_finish),
        "index": choice.index,
    }
    logprobs = write_logprobs(choice.logprobs)
    if logprobs is not None:
        out["logprobsResult"] = logprobs
    grounding = sources.written()
    if grounding is not None:
        out["groundingMetadata"] = grounding
    out.update({name: value for name, value in choice.extra.items() if name in _CANDIDATE})
    return out
