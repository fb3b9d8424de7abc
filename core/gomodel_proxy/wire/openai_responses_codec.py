"""The codec of ``openai.responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .later import later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

    from . import openai_responses_reader as reading
    from . import openai_responses_replies as replies
    from . import openai_responses_requests as requests
    from . import openai_responses_writer as writing
else:
    reading, replies, requests, writing = later(
        __package__,
        "openai_responses_reader",
        "openai_responses_replies",
        "openai_responses_requests",
        "openai_responses_writer",
    )

__all__ = ["ResponsesCodec"]


class ResponsesCodec:
    """Between ``openai.responses`` and the neutral model; an `api.Codec` without state."""

    remote = frozenset({"image", "document"})

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
        return replies.write_reply(reply, request, losses=losses)

    def reader(self, *, traits: Mapping[str, Any]) -> reading.ResponsesReader:
        """Return the reader of one stream."""
        return reading.ResponsesReader()

    def writer(self, request: ChatRequest, *, losses: Losses) -> writing.ResponsesWriter:
        """Return the writer of one stream."""
        return writing.ResponsesWriter(request, losses)
