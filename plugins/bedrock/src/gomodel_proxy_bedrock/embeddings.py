"""From OpenAI's embeddings to those of Bedrock's models, and back.

platform.openai.com/docs/api-reference/embeddings/create; docs.aws.amazon.com/bedrock/latest/
userguide/model-parameters-embed.html (Cohere 3 and 4), …/model-parameters-titan-embed-text.html,
docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html (2026-11). Titan and Nova take one
text in a request. The vendor counts tokens in a header that no dialect sees; where its body has no
count, the usage is an estimate and says so.

Traits: ``embed``, whose form the model takes: "cohere", "cohere4", "titan", "titan1" or "nova".
"""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest, Losses, Translation, Usage
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Stage

__all__ = ["EmbeddingsTranslator"]

_PER_TOKEN: Final = 4  # characters of English, roughly
_FORMS: Final = ("cohere", "cohere4", "titan", "titan1", "nova")
_EXTRA: Final = {
    "cohere": ("input_type", "truncate"),
    "cohere4": ("input_type", "truncate", "max_tokens"),
    "titan": ("normalize",),
    "titan1": (),
    "nova": (),
}


class EmbeddingsTranslator:
    """A `Translator` from ``openai.embeddings`` to ``bedrock.embed``."""

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> EmbeddingsPassage:
        """Take a caller's request; raises `InvalidRequest` naming the member."""
        return EmbeddingsPassage(body, model, traits.get("embed", ""))


class EmbeddingsPassage:
    """One call on its way."""

    def __init__(self, body: bytes, model: str, form: str) -> None:
        if form not in _FORMS:
            raise InvalidRequest(
                f"It is not known how '{model}' takes texts. Set 'embed' to one of "
                f"{', '.join(_FORMS)} in the provider's traits of this model.",
                code="operation_not_supported",
                param="model",
            )
        members = Members(body)
        members.text("model")
        self._model = model
        self._texts = _texts(members)
        self._base64 = members.text("encoding_format") == "base64"
        losses = Losses()
        if form not in ("cohere", "cohere4") and len(self._texts) != 1:
            raise InvalidRequest(
                f"'input' has {len(self._texts)} texts; '{model}' takes one in a request.",
                code="invalid_value",
                param="input",
            )
        written = _WRITERS[form](self._texts, members, losses)
        for name in _EXTRA[form]:
            raw = members.raw(name)
            if raw is not None:
                written[name] = raw
        losses.drop_extra("", members.rest)
        self.body = msgspec.json.encode(written)
        self.losses = losses.found

    def reply(self, body: bytes) -> Translation:
        """Return the vectors as OpenAI's list; ValueError if there are none."""
        try:
            reply = msgspec.json.decode(body, type=_Reply)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        vectors = _vectors(reply)
        if len(vectors) != len(self._texts):
            raise ValueError(f"{len(vectors)} vectors for {len(self._texts)} texts")
        counted = reply.inputTextTokenCount
        usage = None if counted is not None else self._estimate()
        tokens = counted if counted is not None else self._estimate().input
        data = [
            {"object": "embedding", "index": index, "embedding": self._encoded(vector)}
            for index, vector in enumerate(vectors)
        ]
        whole = {
            "object": "list",
            "data": data,
            "model": self._model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return Translation(msgspec.json.encode(whole), usage=usage)

    def stream(self) -> Stage:
        """Raise: embeddings do not stream."""
        raise NotImplementedError("embeddings do not stream")

    def _encoded(self, vector: Sequence[float]) -> Sequence[float] | str:
        if not self._base64:
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

    def _estimate(self) -> Usage:
        tokens = sum(-(-len(text) // _PER_TOKEN) for text in self._texts)
        return Usage(input=max(1, tokens), output=0, provenance="estimated")


def _texts(members: Members) -> list[str]:
    try:
        texts = members.texts("input")
    except InvalidRequest:
        raise InvalidRequest(
            "'input' must be a text or a list of texts: this provider takes no tokens.",
            code="invalid_type",
            param="input",
        ) from None
    if not texts or not all(texts):
        raise InvalidRequest("'input' has an empty text.", code="invalid_value", param="input")
    return texts


# ---------------------------------------------------------------- writing


def _cohere(texts: list[str], members: Members, losses: Losses) -> dict[str, Any]:
    _drop_dimensions(members, losses)
    return {"texts": texts, "input_type": "search_document"}


def _cohere4(texts: list[str], members: Members, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {
        "texts": texts,
        "input_type": "search_document",
        "embedding_types": ["float"],
    }
    dimensions = members.integer("dimensions")
    if dimensions is not None:
        written["output_dimension"] = dimensions
    return written


def _titan(texts: list[str], members: Members, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {"inputText": texts[0]}
    dimensions = members.integer("dimensions")
    if dimensions is not None:
        written["dimensions"] = dimensions
    return written


def _titan1(texts: list[str], members: Members, losses: Losses) -> dict[str, Any]:
    _drop_dimensions(members, losses)
    return {"inputText": texts[0]}


def _nova(texts: list[str], members: Members, losses: Losses) -> dict[str, Any]:
    mode = members.text("truncate") or "END"
    purpose = members.text("input_type") or "GENERIC_INDEX"
    params: dict[str, Any] = {
        "embeddingPurpose": purpose,
        "text": {"truncationMode": mode, "value": texts[0]},
    }
    dimensions = members.integer("dimensions")
    if dimensions is not None:
        params["embeddingDimension"] = dimensions
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def _drop_dimensions(members: Members, losses: Losses) -> None:
    if members.integer("dimensions") is not None:
        losses.drop("dimensions")


_WRITERS: Final = {
    "cohere": _cohere,
    "cohere4": _cohere4,
    "titan": _titan,
    "titan1": _titan1,
    "nova": _nova,
}


# ---------------------------------------------------------------- reading


class _Nova(msgspec.Struct):
    embedding: list[float]


class _ByType(msgspec.Struct):
    float: list[list[float]] | None = None


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
        return msgspec.json.decode(raw, type=_ByType).float or []
    items: list[msgspec.Raw] = msgspec.json.decode(raw, type=list[msgspec.Raw])
    if items and memoryview(items[0])[0] == ord("{"):
        return [msgspec.json.decode(item, type=_Nova).embedding for item in items]
    return msgspec.json.decode(raw, type=list[list[float]])
