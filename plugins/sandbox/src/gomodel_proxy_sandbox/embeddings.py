"""Embeddings: OpenAI's ``/v1/embeddings``; texts that share words lie near each other.

Format: https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import math
import struct
from array import array
from base64 import b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from . import replies, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .replies import Prompt, Reply

__all__ = ["reply", "vector"]


class EmbeddingForm(msgspec.Struct):
    """The members of a request that change the answer."""

    input: str | Annotated[list[str | int | list[int]], msgspec.Meta(min_length=1, max_length=2048)]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    encoding_format: Literal["float", "base64"] | None = None

    @property
    def inputs(self) -> list[list[str]]:
        """Each input as its tokens."""
        if isinstance(self.input, str):
            return [tokens.split(self.input)]
        if all(isinstance(part, int) for part in self.input):
            return [[str(part) for part in self.input]]
        return [
            [str(token) for token in part] if isinstance(part, list) else tokens.split(str(part))
            for part in self.input
        ]


def reply(prompt: Prompt) -> Reply:
    """Return the reply to an embedding request; raises `InvalidRequest`."""
    form = prompt.read(EmbeddingForm)
    inputs = form.inputs
    spent = sum(map(len, inputs))
    usage = {"prompt_tokens": spent, "total_tokens": spent}
    data = [
        {"object": "embedding", "index": index, "embedding": _shown(form, words)}
        for index, words in enumerate(inputs)
    ]
    whole: dict[str, Any] = {"object": "list", "data": data, "model": prompt.members["model"]}
    if prompt.faults.nousage:
        return replies.json(whole)
    return replies.json(whole | {"usage": usage}, usage=usage)


def vector(words: Sequence[str], dimensions: int) -> array[float]:
    """Return a unit vector: each word adds one or takes one off at eight places of its own."""
    sums = [0] * dimensions
    for word in words:
        places = blake2b(word.strip().lower().encode(), digest_size=16).digest()
        for low, high in zip(places[::2], places[1::2], strict=True):
            sums[(high * 128 + low // 2) % dimensions] += 1 if low & 1 else -1
    if not any(sums):  # no words, or words that cancel each other out
        sums[0] = 1
    length = math.sqrt(sum(value * value for value in sums))
    # Rounded to 32 bits, so that both encodings say the same.
    return array("f", [value / length for value in sums])


def _shown(form: EmbeddingForm, words: Sequence[str]) -> Any:
    found = vector(words, form.dimensions or 256)
    if form.encoding_format == "base64":
        return b64encode(struct.pack(f"<{len(found)}f", *found)).decode()
    return found.tolist()
