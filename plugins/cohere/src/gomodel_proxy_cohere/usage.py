"""Token counts of Cohere's API: docs.cohere.com/reference/chat (2026-11).

``tokens`` is what the model took and made, ``billed_units`` what is paid for: the vendor's own
preamble and special tokens are free. ``cached_tokens`` are among the input tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Usage
from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["read_chat_usage", "read_embed_usage"]

_LARGEST: Final = 2**53  # what JSON carries exactly; a count beyond it is no count
_NOTHING: Final[dict[str, Any]] = {}


def read_chat_usage(raw: Raw | bytes) -> Usage | None:
    """Return the counts of a ``usage`` object: ``tokens``, or the billed ones where that is all."""
    given = _object(raw)
    for name in ("tokens", "billed_units"):
        counts = given.get(name)
        if isinstance(counts, dict) and counts.keys() & {"input_tokens", "output_tokens"}:
            return Usage(
                input=_count(counts.get("input_tokens")),
                output=_count(counts.get("output_tokens")),
                cache_read=_count(given.get("cached_tokens")),
                raw=bytes(raw),
            )
    return None


def read_embed_usage(raw: Raw | bytes) -> Usage | None:
    """Return the counts of a ``meta`` object: the tokens of texts and of images."""
    billed = _object(raw).get("billed_units")
    if not isinstance(billed, dict):
        return None
    counts = [_count(billed.get(name)) for name in ("input_tokens", "image_tokens")]
    known = [count for count in counts if count is not None]
    return Usage(input=sum(known), output=0, raw=bytes(raw)) if known else None


def _object(raw: Raw | bytes) -> dict[str, Any]:
    try:
        value = json.loads(bytes(raw))
    except ValueError:
        return _NOTHING
    return value if isinstance(value, dict) else _NOTHING


def _count(value: Any) -> int | None:
    """Return a count, also one written as ``37.0``."""
    if type(value) not in (int, float) or not 0 <= value <= _LARGEST or value != int(value):
        return None
    return int(value)
