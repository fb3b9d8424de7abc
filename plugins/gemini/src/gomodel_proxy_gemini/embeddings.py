"""``gemini.embed``: ai.google.dev/api/embeddings (2026-11).

``:embedContent`` takes one content, ``:batchEmbedContents`` requests that each name the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Usage
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_reply import name_provider, read_reply, rejection

from .dialect import GeminiDialect
from .request import check_address, full_name, served_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GeminiEmbed", "is_batch"]

_BATCH: Final = "requests"


class _Metadata(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Counted(msgspec.Struct, rename="camel"):
    usage_metadata: Raw = Raw(b"{}")


_decode: Final = msgspec.json.Decoder(_Counted).decode
_requests: Final = msgspec.json.Decoder(list[dict[str, Raw]]).decode


def is_batch(body: bytes) -> bool:
    """Return whether a body is one for ``:batchEmbedContents``."""
    return _BATCH in json.members(body)


class EmbedRequest:
    """One request for embeddings; `Fields`."""

    __slots__ = ("_members", "model")

    stream = False
    provider: str | None = None
    references: Sequence[tuple[str, str]] = ()
    asked_usage = True

    def __init__(self, members: dict[str, Raw], model: str) -> None:
        self._members = members
        self.model = model

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``, which it and each of its requests then name."""
        name = Raw(json.encode(full_name(model)))
        out = {"model": name, **{key: raw for key, raw in self._members.items() if key != "model"}}
        if _BATCH in out:
            listed = _requests(out[_BATCH])
            out[_BATCH] = Raw(json.encode([{**one, "model": name} for one in listed]))
        return json.encode(out)


class GeminiEmbed(GeminiDialect):
    """Contents in, vectors out; a `Dialect`."""

    name = "gemini.embed"
    operation = "embeddings"
    codec = None
    paths = served_at("embedContent|batchEmbedContents")

    def read(self, body: bytes, path: Mapping[str, str]) -> EmbedRequest:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        members = json.fields(body)
        model = path.get("model", "").removeprefix("models/")
        if model:
            check_address(members, model)
        wanted = _BATCH if path.get("method", "batch").startswith("batch") else "content"
        kind = "array" if wanted == _BATCH else "object"
        if json.kind(members.get(wanted, json.NULL)) != kind:
            raise InvalidRequest(
                f"'{wanted}' must be there, and be {json.a(kind)}.",
                code="missing_parameter",
                param=wanted,
            )
        return EmbedRequest(members, model)

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a reply, None where there is none, as with older models."""
        try:
            raw = _decode(body).usage_metadata
            count = msgspec.json.decode(raw, type=_Metadata).prompt_token_count
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return None if count is None else Usage(input=count, output=0, raw=bytes(raw))

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if "embeddings" not in reply and "embedding" not in reply:
            raise rejection(body, reply, "'embeddings'")
        return name_provider(body, reply, provider), self.usage(body), ()
