"""Counting input: platform.openai.com/docs/api-reference/responses/input-tokens (2026-11).

Where nobody can count them they are estimated: four bytes of text are about a token of English, a
picture is taken for one of a megapixel and a half. Good for budgets, not for bills, and marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import json
from .counting import CountingCodec
from .openai_responses import OpenAIResponses
from .openai_responses_codec import ResponsesCodec
from .openai_responses_history import ResponsesHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Usage

    from .openai_request import Request

__all__ = ["OpenAIInputTokens"]

_BYTES_PER_TOKEN: Final = 4
_PER_ITEM: Final = 4
_PER_MEDIUM: Final = 1600
_COUNTED: Final = ("instructions", "input", "tools", "text")
_TAKEN: Final = (
    *("model", "instructions", "input", "tools", "tool_choice"),
    *("text", "reasoning", "parallel_tool_calls", "truncation"),
)
_FRAME: Final = frozenset({"id", "call_id", "role", "status", "type"})
_MEDIA: Final = frozenset({"image_url", "file_data", "file_url", "data", "encrypted_content"})


class OpenAIInputTokens(OpenAIResponses):
    """``openai.input_tokens``: how many tokens a response's input would take."""

    name = "openai.input_tokens"
    operation = "count_tokens"
    paths = ("/v1/responses/input_tokens",)
    answer = "input_tokens"
    codec = CountingCodec(
        ResponsesCodec(), members=_TAKEN, count=answer, frame={"object": "response.input_tokens"}
    )
    history = ResponsesHistory(keeps=False)

    def usage(self, body: bytes) -> Usage | None:
        """Return None: counting is free."""
        return None

    def estimate(self, body: bytes) -> bytes:
        """Return a count for a model whose provider has none, and say that it is estimated."""
        asked = msgspec.json.decode(body)
        size = sum(_size(asked.get(name)) for name in _COUNTED)
        items = len(asked["input"]) if isinstance(asked.get("input"), list) else 1
        return json.encode(
            {
                "object": "response.input_tokens",
                "input_tokens": -(-size // _BYTES_PER_TOKEN) + _PER_ITEM * items,
                "estimated": True,
            }
        )

    def _read(self, body: bytes, members: dict[str, Raw]) -> Request:
        fields = super()._read(body, members)
        fields.stream = False
        return fields

    def _answers(self, reply: dict[str, Raw]) -> bool:
        return json.kind(reply.get(self.answer, json.NULL)) == "number"

    def _created(self, reply: dict[str, Raw]) -> Sequence[str]:
        return ()


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
            media = _MEDIA & value.keys()
            total += len(media) * _PER_MEDIUM * _BYTES_PER_TOKEN
            passed = media | _FRAME
            waiting += [inner for name, inner in value.items() if name not in passed]
    return total
