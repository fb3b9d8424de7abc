"""The codec of ``anthropic.messages``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.wire.later import later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

    from . import reader as stream_reader
    from . import reading, replies, writing
    from . import writer as stream_writer
else:
    reading, replies, stream_reader, stream_writer, writing = later(
        __package__, "reading", "replies", "reader", "writer", "writing"
    )

__all__ = ["MessagesCodec"]


class MessagesCodec:
    """Between ``anthropic.messages`` and the neutral model; an `api.Codec` without state."""

    remote = frozenset({"image", "document"})

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request."""
        return reading.read_request(body)

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for a provider."""
        return writing.write_request(request, traits=traits, losses=losses)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a provider's whole reply."""
        return replies.read_reply(body)

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a whole reply for the caller."""
        return replies.write_reply(reply, losses=losses)

    def reader(self, *, traits: Mapping[str, Any]) -> stream_reader.MessageReader:
        """Return the reader of one stream."""
        return stream_reader.MessageReader()

    def writer(self, request: ChatRequest, *, losses: Losses) -> stream_writer.MessageWriter:
        """Return the writer of one stream."""
        return stream_writer.MessageWriter(request, losses)
