"""Embeddings: platform.openai.com/docs/api-reference/embeddings/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .openai_dialect import OpenAIDialect
from .openai_request import Request, read_model, require

if TYPE_CHECKING:
    from msgspec import Raw

    from gomodel_proxy.api import Fields

__all__ = ["OpenAIEmbeddings"]


class OpenAIEmbeddings(OpenAIDialect):
    """``openai.embeddings``: texts or tokens in, vectors out."""

    name = "openai.embeddings"
    operation = "embeddings"
    paths = ("/v1/embeddings",)
    answer = "data"

    def _read(self, body: bytes, members: dict[str, Raw]) -> Fields:
        model = read_model(members)
        require(members, "input", "string", "array")
        return Request(body, members, model)
