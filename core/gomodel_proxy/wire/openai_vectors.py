"""``openai.embeddings`` for translators: what a caller asks for, and the list that answers it.

platform.openai.com/docs/api-reference/embeddings/create (2026-11). ``base64`` is of 32-bit floats,
the least byte first.
"""

from __future__ import annotations

import base64
import sys
from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest

from .members import Members, elements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api.chat import Extra

__all__ = ["VectorRequest", "pack", "read_vector_request", "write_vectors"]

_FORMS: Final = ("float", "base64")


class VectorRequest(msgspec.Struct, frozen=True):
    """A request: texts, and how the vectors are wanted. ``extra`` is what else it holds."""

    texts: list[str]
    dimensions: int | None
    packed: bool
    user: str | None
    extra: Extra


def read_vector_request(body: bytes) -> VectorRequest:
    """Return a caller's request; raises `InvalidRequest`, also for tokens in place of texts."""
    members = Members(body)
    members.raw("model")
    form = members.text("encoding_format") or "float"
    if form not in _FORMS:
        raise InvalidRequest(
            f"'encoding_format' is '{form}'; it takes {', '.join(_FORMS)}.",
            code="invalid_value",
            param="encoding_format",
        )
    return VectorRequest(
        texts=_texts(members),
        dimensions=members.integer("dimensions"),
        packed=form == "base64",
        user=members.text("user"),
        extra=members.extra,
    )


def _texts(members: Members) -> list[str]:
    raw = members.rest.get("input")
    if raw is not None and memoryview(raw)[0] == ord("["):
        first = next(iter(elements(raw, "input")), None)
        if first is not None and memoryview(first)[0] in b"[-0123456789":
            raise InvalidRequest(
                "'input' holds tokens, which are another vendor's; this provider takes texts.",
                code="unsupported_input",
                param="input",
            )
    texts = members.texts("input")
    if not texts:
        raise InvalidRequest("'input' is missing.", code="missing_parameter", param="input")
    return texts


def write_vectors(vectors: Sequence[Any], model: str, tokens: int, **more: Any) -> bytes:
    """Return the reply: ``vectors`` as they are to be written, ``more`` beside the token counts."""
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens, **more}
    return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage})


def pack(vector: Sequence[float]) -> str:
    """Return a vector in the ``base64`` form."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()
