"""The codec of ``bedrock.converse``: the side that speaks to Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.wire.uncalled import Uncalled

from . import replies, writing
from .proofs import proofs_of
from .reader import StreamReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import EventReader, Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

__all__ = ["ConverseCodec"]


class ConverseCodec(Uncalled):
    """Writes requests, reads replies and streams; callers have no path that speaks Converse."""

    remote: frozenset[str] = frozenset()

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body of a request; see `writing`."""
        return writing.write_request(request, traits=traits, losses=losses)

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a whole reply; raises ValueError if it is none."""
        return replies.read_reply(body, proofs_of(traits))

    def reader(self, *, traits: Mapping[str, Any]) -> EventReader:
        """Return the reader of one stream."""
        return StreamReader(proofs_of(traits))
