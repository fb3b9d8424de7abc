"""The dialects that only Bedrock is spoken to in: nobody calls the gateway in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError, Usage
from gomodel_proxy.wire import json, openai_errors
from gomodel_proxy.wire.openai_reply import name_provider, read_reply

from .codec import ConverseCodec
from .fields import BodyFields
from .proofs import DIALECT
from .usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Codec, Fields, GatewayError, Meter

__all__ = ["EMBED", "Converse", "Embed"]

EMBED: Final = "bedrock.embed"


class _Dialect:
    """What both share."""

    paths: tuple[str, ...] = ()
    headers: frozenset[str] = frozenset()

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Take a body that this plugin wrote."""
        return BodyFields(body)

    def error(self, error: GatewayError) -> bytes:
        """Return an error as Bedrock writes it."""
        message = error.message.encode("utf-8", "replace").decode()
        return json.encode({"message": message})

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return openai_errors.stream_event(error)


class Converse(_Dialect):
    """``bedrock.converse``: messages in, one message of content blocks out."""

    name = DIALECT
    operation = "chat"
    codec: Codec | None = ConverseCodec()
    stream_types = frozenset({"application/vnd.amazon.eventstream"})

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""
        try:
            return read_usage(json.members(body).get("usage", json.NULL))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get("output", json.NULL)) != "object":
            raise _rejection(body, "'output'")
        return name_provider(body, reply, provider), read_usage(reply.get("usage", json.NULL)), ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream."""
        from .meter import StreamMeter  # botocore is slow to import, so only who needs it does

        return StreamMeter()


class Embed(_Dialect):
    """``bedrock.embed``: what an embedding model's InvokeModel takes, each its own."""

    name = EMBED
    operation = "embeddings"
    codec: Codec | None = None

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply, if its model reports one."""
        try:
            return _counted(json.members(body))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if not {"embedding", "embeddings", "embeddingsByType"} & reply.keys():
            raise _rejection(body, "embeddings")
        return name_provider(body, reply, provider), _counted(reply), ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Raise: embeddings do not stream."""
        raise NotImplementedError(f"{self.name} does not stream")


def _counted(reply: Mapping[str, Raw]) -> Usage | None:
    raw = reply.get("inputTextTokenCount", json.NULL)
    if json.kind(raw) != "number":
        return None
    return Usage(
        input=int(json.loads(bytes(raw))), output=0, raw=b'{"inputTextTokenCount":%b}' % raw
    )


def _rejection(body: bytes, wanted: str) -> UpstreamError:
    return UpstreamError(
        f"The provider's answer has no {wanted}: {json.excerpt(body)}", code="invalid_reply"
    )
