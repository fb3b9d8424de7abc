"""Moderations: platform.openai.com/docs/api-reference/moderations/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .openai_dialect import OpenAIDialect
from .openai_request import Request, read_model, require

if TYPE_CHECKING:
    from msgspec import Raw

    from gomodel_proxy.api import Fields

__all__ = ["OpenAIModerations"]

_MODEL: Final = "omni-moderation-latest"  # what OpenAI takes where none is named


class OpenAIModerations(OpenAIDialect):
    """``openai.moderations``: texts and images in, categories out."""

    name = "openai.moderations"
    operation = "moderations"
    paths = ("/v1/moderations",)
    answer = "results"

    def _read(self, body: bytes, members: dict[str, Raw]) -> Fields:
        model = read_model(members) if "model" in members else _MODEL
        require(members, "input", "string", "array")
        return Request(body, members, model)
