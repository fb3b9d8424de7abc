"""From OpenAI's embeddings to the vendor's: ai.google.dev/api/embeddings (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import Losses, Translation, Usage
from gomodel_proxy.wire.openai_vectors import pack, read_vector_request, write_vectors

from .request import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.wire.openai_vectors import VectorRequest

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
        request = read_vector_request(body)
        losses = Losses()
        if request.user is not None:
            losses.drop("user")
        losses.drop_extra("", request.extra)
        return EmbeddingPassage(_written(request, model), losses.found, model, request)


def _written(request: VectorRequest, model: str) -> bytes:
    one: dict[str, Any] = {"model": full_name(model)}
    if request.dimensions is not None:
        one["outputDimensionality"] = request.dimensions
    contents = [{**one, "content": {"parts": [{"text": text}]}} for text in request.texts]
    return msgspec.json.encode({"requests": contents})


class EmbeddingPassage:
    """One call on its way; a `Passage`."""

    def __init__(
        self, body: bytes, losses: Sequence[str], model: str, request: VectorRequest
    ) -> None:
        self.body = body
        self.losses = losses
        self._model = model
        self._request = request

    def reply(self, body: bytes) -> Translation:
        """Translate a whole reply; tokens that the vendor did not count are estimated."""
        found = _decode(body)
        texts = self._request.texts
        if len(found.embeddings) != len(texts):
            raise ValueError(f"{len(found.embeddings)} vectors for {len(texts)} texts")
        vectors: list[Any] = [vector.values for vector in found.embeddings]
        if self._request.packed:
            vectors = [pack(_numbers(values)) for values in vectors]
        tokens = found.usage_metadata.prompt_token_count
        if tokens is not None:
            return Translation(write_vectors(vectors, self._model, tokens))
        size = sum(len(text.encode()) for text in texts)
        tokens = max(1, size // _BYTES_PER_TOKEN)
        usage = Usage(input=tokens, output=0, provenance="estimated")
        written = write_vectors(vectors, self._model, tokens, estimated=True)
        return Translation(written, usage=usage)

    def stream(self, losses: Losses) -> Any:
        """Raise: embeddings do not stream."""
        raise NotImplementedError("embeddings do not stream")
