"""Chat completions: platform.openai.com/docs/api-reference/chat/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest

from . import json
from .openai_batches import OpenAIBatches
from .openai_chat_codec import ChatCodec
from .openai_chunks import ChunkMeter
from .openai_dialect import OpenAIDialect
from .openai_request import read_request, require

if TYPE_CHECKING:
    from msgspec import Raw

    from gomodel_proxy.api import Fields, Meter

__all__ = ["OpenAIChat"]


class OpenAIChat(OpenAIDialect):
    """``openai.chat``: messages in, choices out."""

    name = "openai.chat"
    operation = "chat"
    paths = ("/v1/chat/completions",)
    answer = "choices"
    codec = ChatCodec()
    batches = OpenAIBatches()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream of chunks."""
        return ChunkMeter(hide_usage=hide_usage)

    def _read(self, body: bytes, members: dict[str, Raw]) -> Fields:
        request = read_request(body, members, usage_option=True)
        if json.is_empty(require(members, "messages", "array")):
            raise InvalidRequest("'messages' is empty.", code="empty_array", param="messages")
        return request
