"""From OpenAI's embeddings to the vendor's: ai.google.dev/api/embeddings (2026-11)."""

from __future__ import annotations

import base64
import sys
from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses, Translation
from gomodel_proxy.wire.members import Members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["EmbeddingTranslator"]

_BYTES_PER_TOKEN: Final = 4


class _Vector(msgspec.Struct):
    values: Raw = Raw(b"[]")


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Reply(msgspec.Struct, rename="camel"):
    embeddings: list[_Vector]
    usage_metadata: _Usage = msgspec.field(default_factory=_Usage)


_decode: Final = msgspec.json.Decoder(_Reply).decode
_numbers: Final = msgspec.json.Decoder(list[float]).decode


class EmbeddingTranslator:
    """``openai.embeddings`` to ``gemini.embed``; a `Translator`."""

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> EmbeddingPassage:
        """Translate a request; raises `InvalidRequest` naming the member."""
        members = Members(body)
        members.raw("model")
        texts = _texts(members)
        form = members.text("encoding_format") or "float"
        if form not in ("float", "base64"):
            raise InvalidRequest(
                "'encoding_format' takes float or base64.",
                code="invalid_value",
                param="encoding_format",
            )
        one: dict[str, Any] = {"model": f"models/{model.removeprefix('models/')}"}
        dimensions = members.integer("dimensions")
        if dimensions is not None:
            one["outputDimensionality"] = dimensions
        losses = Losses()
        losses.drop_extra("", members.rest)
        requests = [{**one, "content": {"parts": [{"text": text}]}} for text in texts]
        written = msgspec.json.encode({"requests": requests})
        return EmbeddingPassage(written, losses.found, model, texts, packed=form == "base64")


def _texts(members: Members) -> list[str]:
    raw = members.rest.get("input")
    if raw is not None and bytes(raw[:1]) == b"[":
        first = bytes(raw)[1:].lstrip()[:1]
        if first in (b"[", b"-") or first.isdigit():
            raise InvalidRequest(
                "'input' holds tokens; this provider takes texts alone.",
                code="unsupported_input",
                param="input",
            )
    texts = members.texts("input")
    if not texts:
        raise InvalidRequest("'input' is missing.", code="missing_parameter", param="input")
    return texts


class EmbeddingPassage:
    """One call on its way; a `Passage`."""

    def __init__(
        self,
        body: bytes,
        losses: Sequence[str],
        model: str,
        texts: Sequence[str],
        *,
        packed: bool,
    ) -> None:
        self.body = body
        self.losses = losses
        self._model = model
        self._texts = texts
        self._packed = packed

    def reply(self, body: bytes) -> Translation:
        """Translate a whole reply; tokens that the vendor did not count are estimated."""
        found = _decode(body)
        if len(found.embeddings) != len(self._texts):
            raise ValueError(f"{len(found.embeddings)} vectors for {len(self._texts)} texts")
        tokens = found.usage_metadata.prompt_token_count
        usage: dict[str, Any] = {"prompt_tokens": tokens, "total_tokens": tokens}
        if tokens is None:
            size = sum(len(text.encode()) for text in self._texts)
            estimate = max(1, size // _BYTES_PER_TOKEN)
            usage = {"prompt_tokens": estimate, "total_tokens": estimate, "estimated": True}
        data = [
            {"object": "embedding", "index": index, "embedding": self._written(vector.values)}
            for index, vector in enumerate(found.embeddings)
        ]
        out = {"object": "list", "data": data, "model": self._model, "usage": usage}
        return Translation(msgspec.json.encode(out))

    def _written(self, values: Raw) -> Any:
        if not self._packed:
            return values
        packed = array("f", _numbers(values))
        return base64.b64encode(_little(packed)).decode()

    def stream(self) -> Any:
        """Raise: embeddings do not stream."""
        raise NotImplementedError("embeddings do not stream")


def _little(numbers: array[float]) -> bytes:
    """Return 32-bit floats, the least byte first, whatever the machine does."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
