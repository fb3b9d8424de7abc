"""The codec of ``openai.chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import openai_chat_replies as replies
from . import openai_chat_requests as requests
from .openai_chat_reader import ChatReader
from .openai_chat_writer import ChatWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

__all__ = ["ChatCodec"]


class ChatCodec:
    """Between ``openai.chat`` and the neutral model; an `api.Codec` without state."""

    remote = frozenset({"image", "video"})

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request."""
        return requests.read_request(body)

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for a provider."""
        return requests.write_request(request, traits=traits, losses=losses)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a provider's whole reply."""
        return replies.read_reply(body)

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a whole reply for the caller."""
        return replies.write_reply(reply, losses=losses)

    def reader(self, *, traits: Mapping[str, Any]) -> ChatReader:
        """Return the reader of one stream."""
        return ChatReader()

    def writer(self, request: ChatRequest, *, losses: Losses) -> ChatWriter:
        """Return the writer of one stream."""
        return ChatWriter(request, losses)
