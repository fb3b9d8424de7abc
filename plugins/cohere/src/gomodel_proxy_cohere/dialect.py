"""The dialects that only Cohere is spoken to in: nobody calls the gateway in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_reply import name_provider, read_reply
from gomodel_proxy.wire.openai_request import read_request

from . import failures
from .citations import DIALECT
from .codec import ChatCodec
from .meter import ChatMeter
from .replies import FAILED
from .usage import read_chat_usage, read_embed_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Codec, Fields, GatewayError, Meter, Usage

__all__ = ["EMBED", "Chat", "Embed"]

EMBED: Final = "cohere.embed"


class _Dialect:
    """What both share."""

    paths: tuple[str, ...] = ()
    headers: frozenset[str] = frozenset()

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        return read_request(body, json.fields(body))

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        return failures.envelope(error)

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return failures.stream_event(error)


class Chat(_Dialect):
    """``cohere.chat``, version 2: messages in, one message out."""

    name = DIALECT
    operation = "chat"
    codec: Codec | None = ChatCodec()

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""
        try:
            return read_chat_usage(json.members(body).get("usage", json.NULL))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get("message", json.NULL)) != "object":
            raise failures.rejection(body, "message")
        _check_end(reply)
        usage = read_chat_usage(reply.get("usage", json.NULL))
        return name_provider(body, reply, provider), usage, ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream."""
        return ChatMeter()


def _check_end(reply: Mapping[str, Raw]) -> None:
    """Raise `UpstreamError` where the vendor failed at the answer, and sent what it had."""
    raw = reply.get("finish_reason", json.NULL)
    reason = json.loads(bytes(raw))
    if isinstance(reason, str) and reason in FAILED:
        raise UpstreamError(f"The provider ended with {reason}.", code=f"upstream_{reason.lower()}")


class Embed(_Dialect):
    """``cohere.embed``, version 2: texts or images in, vectors out."""

    name = EMBED
    operation = "embeddings"
    codec: Codec | None = None

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""
        try:
            return read_embed_usage(json.members(body).get("meta", json.NULL))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get("embeddings", json.NULL)) != "object":
            raise failures.rejection(body, "embeddings")
        usage = read_embed_usage(reply.get("meta", json.NULL))
        return name_provider(body, reply, provider), usage, ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Raise: embeddings do not stream."""
        raise NotImplementedError(f"{self.name} does not stream")
