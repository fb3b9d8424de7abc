"""The codec of ``cohere.chat``: the side that speaks to Cohere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.wire.uncalled import Uncalled

from . import replies, writing
from .reader import StreamReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

__all__ = ["ChatCodec"]


class ChatCodec(Uncalled):
    """Writes requests, reads replies and streams; callers have no path that speaks Cohere's."""

    remote = frozenset({"image"})

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body of a request; see `writing`."""
        return writing.write_request(request, traits=traits, losses=losses)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a whole reply; raises ValueError if it is none."""
        return replies.read_reply(body)

    def reader(self, *, traits: Mapping[str, Any]) -> StreamReader:
        """Return the reader of one stream."""
        return StreamReader()
