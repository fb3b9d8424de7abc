"""Completions, legacy: platform.openai.com/docs/api-reference/completions/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .openai_chunks import ChunkMeter
from .openai_dialect import OpenAIDialect
from .openai_request import read_request

if TYPE_CHECKING:
    from msgspec import Raw

    from gomodel_proxy.api import Fields, Meter

__all__ = ["OpenAICompletions"]


class OpenAICompletions(OpenAIDialect):
    """``openai.completions``: a prompt in, choices out."""

    name = "openai.completions"
    operation = "completions"
    paths = ("/v1/completions",)
    answer = "choices"

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream of chunks."""
        return ChunkMeter(hide_usage=hide_usage)

    def _read(self, body: bytes, members: dict[str, Raw]) -> Fields:
        return read_request(body, members, usage_option=True)
