"""Token counts of Converse.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html (2026-11).
``inputTokens`` leaves out what was read from or written to a cache
(…/userguide/prompt-caching.html, 2026-11). Streams of some models have been seen to include it;
``totalTokens`` tells the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Usage
from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["read_usage"]

_LARGEST: Final = 2**53  # what JSON carries exactly; a count beyond it is no count


def read_usage(raw: Raw | bytes) -> Usage | None:
    """Return a ``usage`` object's counts, None if it has none."""
    try:
        found = json.loads(bytes(raw))
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    fresh, output = _count(found, "inputTokens"), _count(found, "outputTokens")
    if fresh is None and output is None:
        return None
    read = _count(found, "cacheReadInputTokens")
    written = _count(found, "cacheWriteInputTokens")
    cached = (read or 0) + (written or 0)
    if cached <= (fresh or 0) and _count(found, "totalTokens") == (fresh or 0) + (output or 0):
        cached = 0  # counted in already
    return Usage(
        input=None if fresh is None else fresh + cached,
        output=output,
        cache_read=read,
        cache_write=written,
        cache_write_1h=_kept_for_an_hour(found),
        raw=bytes(raw),
    )


def _kept_for_an_hour(members: dict[str, Any]) -> int | None:
    """Return the cache writes of that TTL: API_runtime_CacheDetail.html (2026-11)."""
    details = members.get("cacheDetails")
    entries = details if isinstance(details, list) else ()
    hour = (one for one in entries if isinstance(one, dict) and one.get("ttl") == "1h")
    return sum((_count(one, "inputTokens") or 0) for one in hour) if entries else None


def _count(members: dict[str, Any], name: str) -> int | None:
    value: Any = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= _LARGEST or value != int(value):
        return None
    return int(value)
