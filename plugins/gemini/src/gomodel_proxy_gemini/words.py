"""The dialect's words and ours: reasons to stop, service tiers, kinds of media.

ai.google.dev/api/generate-content (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import FinishReason

__all__ = ["DIALECT", "finish_of", "kind_of", "tier_of", "tier_word", "word_of"]

DIALECT: Final = "gemini.generate"

_FINISHES: Final[dict[str, FinishReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "CONTINUATION": "pause",
    "LANGUAGE": "other",
    "OTHER": "other",
    "IMAGE_OTHER": "other",
    "NO_IMAGE": "other",
}
_WORDS: Final[dict[str, str]] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "pause": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "error": "OTHER",
    "other": "OTHER",
}
_TIERS: Final = {"standard": "default", "flex": "flex", "priority": "priority"}
_TIER_WORDS: Final = {ours: theirs for theirs, ours in _TIERS.items()}

Kind = Literal["image", "audio", "video", "document"]
_KINDS: Final[dict[str, Kind]] = {"image": "image", "audio": "audio", "video": "video"}


def finish_of(word: str, *, calls: bool) -> FinishReason:
    """Return our reason for theirs; a stop after calls of functions is a stop for them."""
    reason = _FINISHES.get(word, "other")
    return "tool_calls" if calls and reason == "stop" else reason


def word_of(reason: FinishReason | None, raw: str | None) -> str:
    """Return their reason for ours; ``raw`` is the vendor's own, if it was this vendor."""
    if raw in _FINISHES:
        return raw
    return _WORDS.get(reason or "stop", "OTHER")


def tier_of(word: str | None) -> str | None:
    """Return our service tier for theirs."""
    return None if word is None else _TIERS.get(word.lower(), word)


def tier_word(tier: str) -> str | None:
    """Return their service tier for ours, None where they have none."""
    return _TIER_WORDS.get(tier)


def kind_of(media_type: str | None) -> Kind:
    """Return the kind of a medium by its MIME type."""
    return _KINDS.get((media_type or "").partition("/")[0].lower(), "document")
