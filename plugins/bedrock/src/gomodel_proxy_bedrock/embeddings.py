"""From OpenAI's embeddings to those of Bedrock's models, and back.

docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html (Cohere 3 and 4),
…/model-parameters-titan-embed-text.html, docs.aws.amazon.com/nova/latest/userguide/
embeddings-schema.html (2026-11). Titan and Nova take one text in a request. The vendor counts
tokens in a header that no dialect sees; where its body has no count, the usage is an estimate and
says so.

Traits: ``embed``, whose form the model takes: "cohere", "cohere4", "titan", "titan1" or "nova".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest, Losses, Translation, Usage
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_vectors import (
    VectorRequest,
    pack,
    read_vector_request,
    write_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gomodel_proxy.api import Stage

__all__ = ["EmbeddingsTranslator"]

_PER_TOKEN: Final = 4  # characters of English, roughly


class EmbeddingsTranslator:
    """A `Translator` from ``openai.embeddings`` to ``bedrock.embed``."""

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> EmbeddingsPassage:
        """Take a caller's request; raises `InvalidRequest` naming the member."""
        return EmbeddingsPassage(read_vector_request(body), model, traits.get("embed", ""))


class EmbeddingsPassage:
    """One call on its way."""

    def __init__(self, request: VectorRequest, model: str, form: str) -> None:
        if form not in _FORMS:
            raise InvalidRequest(
                f"It is not known how '{model}' takes texts. Set 'embed' to one of "
                f"{', '.join(_FORMS)} in the provider's traits of this model.",
                code="operation_not_supported",
                param="model",
            )
        write, many, known = _FORMS[form]
        texts = request.texts
        if not many and len(texts) != 1:
            raise InvalidRequest(
                f"'input' has {len(texts)} texts; '{model}' takes one in a request.",
                code="invalid_value",
                param="input",
            )
        self._request = request
        self._model = model
        losses = Losses()
        written = write(request, losses)
        for name, raw in request.extra.items():
            if name in known:
                written.setdefault(name, raw)
            else:
                losses.drop(name)
        if request.user is not None:
            losses.drop("user")
        self.body = msgspec.json.encode(written)
        self.losses = losses.found

    def reply(self, body: bytes) -> Translation:
        """Return the vectors as OpenAI's list; ValueError if there are none."""
        try:
            reply = msgspec.json.decode(body, type=_Reply)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        vectors = _vectors(reply)
        texts = self._request.texts
        if len(vectors) != len(texts):
            raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
        usage, tokens = None, reply.inputTextTokenCount
        if tokens is None:
            tokens = sum(-(-len(text) // _PER_TOKEN) for text in texts)
            usage = Usage(input=tokens, output=0, provenance="estimated")
        shown = [pack(vector) for vector in vectors] if self._request.packed else vectors
        return Translation(write_vectors(shown, self._model, tokens), usage=usage)

    def stream(self, losses: Losses) -> Stage:
        """Raise: embeddings do not stream."""
        raise NotImplementedError("embeddings do not stream")


# ---------------------------------------------------------------- writing


def _cohere(request: VectorRequest, losses: Losses) -> dict[str, Any]:
    if request.dimensions is not None:
        losses.drop("dimensions")
    return {"texts": request.texts, "input_type": _purpose(request, "search_document")}


def _cohere4(request: VectorRequest, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {
        "texts": request.texts,
        "input_type": _purpose(request, "search_document"),
        "embedding_types": ["float"],
    }
    if request.dimensions is not None:
        written["output_dimension"] = request.dimensions
    return written


def _titan(request: VectorRequest, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {"inputText": request.texts[0]}
    if request.dimensions is not None:
        written["dimensions"] = request.dimensions
    return written


def _titan1(request: VectorRequest, losses: Losses) -> dict[str, Any]:
    if request.dimensions is not None:
        losses.drop("dimensions")
    return {"inputText": request.texts[0]}


def _nova(request: VectorRequest, losses: Losses) -> dict[str, Any]:
    params: dict[str, Any] = {
        "embeddingPurpose": "GENERIC_INDEX",
        "text": {"truncationMode": "END", "value": request.texts[0]},
    }
    if request.dimensions is not None:
        params["embeddingDimension"] = request.dimensions
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def _purpose(request: VectorRequest, usual: str) -> Any:
    """Return what the vectors are for, which OpenAI never asks and Cohere must know."""
    return request.extra.get("input_type", usual)


# Whose form: how it is written, whether it takes many texts, and which members it knows besides.
_FORMS: Final[
    dict[str, tuple[Callable[[VectorRequest, Losses], dict[str, Any]], bool, frozenset[str]]]
] = {
    "cohere": (_cohere, True, frozenset({"input_type", "truncate"})),
    "cohere4": (_cohere4, True, frozenset({"input_type", "truncate", "max_tokens"})),
    "titan": (_titan, False, frozenset({"normalize"})),
    "titan1": (_titan1, False, frozenset()),
    "nova": (_nova, False, frozenset()),
}


# ---------------------------------------------------------------- reading


class _Nova(msgspec.Struct):
    embedding: list[float]


class _ByType(msgspec.Struct):
    floats: list[list[float]] = msgspec.field(default_factory=list, name="float")


class _Reply(msgspec.Struct):
    embedding: list[float] | None = None
    embeddings: msgspec.Raw = json.NULL
    inputTextTokenCount: int | None = None


def _vectors(reply: _Reply) -> list[list[float]]:
    if reply.embedding is not None:
        return [reply.embedding]
    if reply.embeddings == json.NULL:
        raise ValueError("there is no embedding")
    raw = reply.embeddings
    if memoryview(raw)[0] == ord("{"):
        return msgspec.json.decode(raw, type=_ByType).floats
    items: list[msgspec.Raw] = msgspec.json.decode(raw, type=list[msgspec.Raw])
    if items and memoryview(items[0])[0] == ord("{"):
        return [msgspec.json.decode(item, type=_Nova).embedding for item in items]
    return msgspec.json.decode(raw, type=list[list[float]])
