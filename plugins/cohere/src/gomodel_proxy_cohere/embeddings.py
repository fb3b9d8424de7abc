"""From OpenAI's embeddings to Cohere's: docs.cohere.com/reference/embed (2026-11).

Texts go as ``texts``, ``data:`` URLs as the ``images`` that they are, and a mixture of both as
``inputs``. Traits: ``input_type`` (what is embedded, "search_document" by default), ``dimensions``
(false: the model has vectors of one size). A caller's own ``input_type`` goes before the trait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import Losses, Translation
from gomodel_proxy.wire import data_urls, json
from gomodel_proxy.wire.openai_vectors import VectorRequest, read_vector_request, write_vectors

from .usage import read_embed_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Stage

__all__ = ["EmbeddingsTranslator"]

_KNOWN_EXTRA: Final = frozenset({"input_type", "max_tokens", "priority", "truncate"})
_INPUT_TYPE: Final = "search_document"


class _Vectors(msgspec.Struct):
    float: list[msgspec.Raw] | None = None
    base64: list[msgspec.Raw] | None = None


class _Reply(msgspec.Struct):
    embeddings: _Vectors
    meta: msgspec.Raw = json.NULL


_decode: Final = msgspec.json.Decoder(_Reply).decode


class EmbeddingsTranslator:
    """``openai.embeddings`` to ``cohere.embed``; a `Translator`."""

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> EmbeddingsPassage:
        """Translate a request; raises `InvalidRequest` naming the member."""
        asked = read_vector_request(body)
        losses = Losses()
        if asked.user is not None:
            losses.drop("user")
        out: dict[str, Any] = {
            "model": model,
            "input_type": traits.get("input_type", _INPUT_TYPE),
            "embedding_types": ["base64" if asked.packed else "float"],
            **_inputs(asked.texts),
        }
        if asked.dimensions is not None:
            if traits.get("dimensions", True):
                out["output_dimension"] = asked.dimensions
            else:
                losses.drop("dimensions")
        for name, raw in asked.extra.items():
            if name in _KNOWN_EXTRA:
                out[name] = raw
            else:
                losses.drop(name)
        return EmbeddingsPassage(json.encode(out), losses.found, model, asked)


def _inputs(texts: Sequence[str]) -> dict[str, Any]:
    """Return texts and images under the member that takes them."""
    images = [data_urls.split(text) is not None for text in texts]
    if not any(images):
        return {"texts": texts}
    if all(images):
        return {"images": texts, "input_type": "image"}
    parts = [
        {"type": "image_url", "image_url": {"url": text}}
        if image
        else {"type": "text", "text": text}
        for text, image in zip(texts, images, strict=True)
    ]
    return {"inputs": [{"content": [part]} for part in parts]}


class EmbeddingsPassage:
    """One call on its way; a `Passage`."""

    def __init__(
        self, body: bytes, losses: Sequence[str], model: str, asked: VectorRequest
    ) -> None:
        self.body = body
        self.losses = losses
        self._model = model
        self._asked = asked

    def reply(self, body: bytes) -> Translation:
        """Translate a whole reply; raises ValueError if it is none for this request."""
        reply = _decode(body)
        vectors: Sequence[Raw] | None = reply.embeddings.float
        if self._asked.packed:
            vectors = reply.embeddings.base64
        wanted = len(self._asked.texts)
        if vectors is None or len(vectors) != wanted:
            raise ValueError(f"{len(vectors or ())} vectors for {wanted} inputs")
        usage = read_embed_usage(reply.meta)
        tokens = 0 if usage is None else usage.input or 0
        return Translation(write_vectors(vectors, self._model, tokens), usage=usage)

    def stream(self, losses: Losses) -> Stage:
        """Raise: embeddings do not stream."""
        raise NotImplementedError("embeddings do not stream")
