"""The service tiers of OpenAI's dialects: platform.openai.com/docs/api-reference/chat/object.

Clients hold replies to these words (2026-11), so a vendor's own is told in them or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses

__all__ = ["TIERS", "write_tier"]

TIERS: Final = frozenset({"auto", "default", "fast", "flex", "priority", "scale"})
_WORDS: Final = {**{word: word for word in TIERS}, "standard": "default"}


def write_tier(tier: str | None, losses: Losses) -> dict[str, str]:
    """Return the member of a reply that names its tier; one without a word here is noted."""
    if not tier:
        return {}
    word = _WORDS.get(tier)
    if word is None:
        losses.drop("service_tier")
        return {}
    return {"service_tier": word}
