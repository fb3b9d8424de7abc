"""How many tokens a request may take, where nobody can count them.

Four bytes of text are about a token of English; an image is taken for one of a megapixel and a
half, a document for its bytes. Good for budgets, not for bills, and marked as an estimate.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["estimate_tokens"]

_BYTES_PER_TOKEN: Final = 4
_IMAGE: Final = 1600
_BYTES_PER_DOCUMENT_TOKEN: Final = 40  # of base64: a page of a PDF is some 75 KB and 2,000 tokens
_PER_MESSAGE: Final = 4
_COUNTED: Final = ("system", "messages", "tools")


def estimate_tokens(body: bytes) -> int:
    """Return a guess at the input tokens of a Messages request that is valid JSON."""
    request = msgspec.json.decode(body)
    size = sum(_size(request.get(name)) for name in _COUNTED)
    messages = request.get("messages")
    turns = len(messages) if isinstance(messages, list) else 0
    return -(-size // _BYTES_PER_TOKEN) + turns * _PER_MESSAGE


def _size(root: Any) -> int:
    """Return the bytes of text that a value is worth."""
    total = 0
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            total += len(value.encode("utf-8", "replace"))
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            kind = value.get("type")
            if kind == "image":
                total += _IMAGE * _BYTES_PER_TOKEN
            elif kind == "base64" and isinstance(value.get("data"), str):
                tokens = len(value["data"]) // _BYTES_PER_DOCUMENT_TOKEN
                total += tokens * _BYTES_PER_TOKEN
            else:
                waiting += value.values()
                total += sum(map(len, value)) if "properties" in value else 0
        elif value is not None:
            total += 2
    return total
