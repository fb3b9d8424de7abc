"""Probabilities of tokens, in OpenAI's form: docs.cohere.com/reference/chat (2026-11).

The vendor gives them for stretches of text; those of a stretch's tokens multiply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LogProbs", "read_logprobs"]


class LogProbs(msgspec.Struct, gc=False):
    """One stretch of text."""

    text: str | None = None
    logprobs: list[float] | None = None


def read_logprobs(items: Iterable[LogProbs]) -> Raw:
    """Return ``{"content": [...]}``."""
    content = [
        {
            "token": item.text or "",
            "logprob": sum(item.logprobs or ()),
            "bytes": list((item.text or "").encode()),
            "top_logprobs": [],
        }
        for item in items
    ]
    return Raw(msgspec.json.encode({"content": content}))
