"""Token counts of the Messages API: platform.claude.com/docs/en/api/messages (2026-11).

Anthropic's ``input_tokens`` leaves out what was read from and written to the cache; ours has it.
The counts of a stream are cumulative: those of ``message_delta`` replace ``message_start``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Usage
from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["merge_usage", "read_usage", "write_usage"]

_LARGEST: Final = 2**53  # what JSON carries exactly; a count beyond it is no count
_COUNTS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


def read_usage(raw: Raw | bytes) -> Usage | None:
    """Return a ``usage`` object's counts, None if it has none; what is no count is not there."""
    try:
        given = json.loads(bytes(raw))
    except ValueError:
        return None
    if not isinstance(given, dict):
        return None
    fresh, output, read, written = (_count(given.get(name)) for name in _COUNTS)
    if fresh is None and output is None:
        return None
    return Usage(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=output,
        cache_read=read,
        cache_write=written,
        cache_write_1h=_within(given, "cache_creation", "ephemeral_1h_input_tokens"),
        reasoning=_within(given, "output_tokens_details", "thinking_tokens"),
        raw=bytes(raw),
    )


def _within(given: dict[str, Any], outer: str, inner: str) -> int | None:
    details = given.get(outer)
    return _count(details.get(inner)) if isinstance(details, dict) else None


def _count(value: Any) -> int | None:
    """Return a count, also one written as ``7.0``."""
    if type(value) not in (int, float) or not 0 <= value <= _LARGEST or value != int(value):
        return None
    return int(value)


def merge_usage(before: bytes, after: bytes) -> bytes:
    """Return the usage of a stream so far; members keep their bytes."""
    if not before:
        return after
    news = json.members(after)
    return json.encode(
        json.members(before) | {name: raw for name, raw in news.items() if raw != json.NULL}
    )


def write_usage(usage: Usage | None) -> dict[str, Any]:
    """Return usage in Anthropic's words; the two counts that must be there are, as 0 if unknown."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    read, written = usage.cache_read, usage.cache_write
    out: dict[str, Any] = {
        "input_tokens": max(0, (usage.input or 0) - (read or 0) - (written or 0)),
        "output_tokens": usage.output or 0,
    }
    if read is not None:
        out["cache_read_input_tokens"] = read
    if written is not None:
        out["cache_creation_input_tokens"] = written
    if written is not None and usage.cache_write_1h is not None:
        out["cache_creation"] = {
            "ephemeral_5m_input_tokens": max(0, written - usage.cache_write_1h),
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    if usage.reasoning is not None:
        out["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return out
