"""The codec of ``gemini.generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .reply_reader import read_reply
from .reply_writer import write_reply
from .request_reader import read_request
from .request_writer import write_request
from .stream_reader import GeminiReader
from .stream_writer import GeminiWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

__all__ = ["GeminiCodec"]


class GeminiCodec:
    """Between ``gemini.generate`` and the neutral model; an `api.Codec` without state.

    The vendor fetches films by itself; of other web addresses not every model takes every one.
    """

    remote = frozenset({"video"})

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request."""
        return read_request(body)

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for a provider."""
        return write_request(request, traits=traits, losses=losses)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a provider's whole reply."""
        return read_reply(body)

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a whole reply for the caller."""
        return write_reply(reply, losses=losses)

    def reader(self, *, traits: Mapping[str, Any]) -> GeminiReader:
        """Return the reader of one stream."""
        return GeminiReader()

    def writer(self, request: ChatRequest, *, losses: Losses) -> GeminiWriter:
        """Return the writer of one stream."""
        return GeminiWriter(losses)
