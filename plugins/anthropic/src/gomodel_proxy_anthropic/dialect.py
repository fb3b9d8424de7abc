"""The dialects of the Messages API: platform.claude.com/docs/en/api/messages (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire import json
from gomodel_proxy.wire.counting import CountingCodec
from gomodel_proxy.wire.later import later
from gomodel_proxy.wire.openai_reply import name_provider, read_reply

from . import errors
from .batches import MessageBatches
from .codec import MessagesCodec
from .fields import MessagesFields
from .meter import MessageMeter
from .names import COUNT, DIALECT
from .usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Codec, Fields, GatewayError, Meter, Model, Usage

    from . import estimate as estimates
    from . import listing
else:
    estimates, listing = later(__package__, "estimate", "listing")

__all__ = ["CountTokens", "Messages"]

_COUNTED: Final = (
    "model",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
)
_HEADERS: Final = frozenset(
    {"anthropic-beta", "anthropic-version", "idempotency-key", "traceparent", "tracestate"}
)


class _Dialect:
    """What both share: the request's form and the errors."""

    headers = _HEADERS

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        return MessagesFields(body)

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        return errors.envelope(error)

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return errors.stream_event(error)


class Messages(_Dialect):
    """``anthropic.messages``: messages in, one message of content blocks out."""

    name = DIALECT
    operation = "chat"
    paths = ("/v1/messages",)
    codec: Codec | None = MessagesCodec()
    models_header = "anthropic-version"
    batches = MessageBatches()

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""
        try:
            return read_usage(json.members(body).get("usage", json.NULL))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get("content", json.NULL)) != "array":
            raise _rejection(body, reply, "'content'")
        usage = read_usage(reply.get("usage", json.NULL))
        return name_provider(body, reply, provider), usage, _created(reply)

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream."""
        return MessageMeter()

    def models_page(self, models: Sequence[Model], query: Mapping[str, str]) -> bytes:
        """Return a list of models; ``limit``, ``after_id`` and ``before_id`` choose a page."""
        return listing.page(models, query)

    def model_page(self, model: Model) -> bytes:
        """Return one model."""
        return listing.one(model)


class CountTokens(_Dialect):
    """``anthropic.count_tokens``: how many tokens a request would take."""

    name = COUNT
    operation = "count_tokens"
    paths = ("/v1/messages/count_tokens",)
    codec: Codec | None = CountingCodec(MessagesCodec(), members=_COUNTED, count="input_tokens")

    def usage(self, body: bytes) -> Usage | None:
        """Return None: counting is free."""
        return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a count and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get("input_tokens", json.NULL)) != "number":
            raise _rejection(body, reply, "'input_tokens'")
        return name_provider(body, reply, provider), None, ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Raise: there is no stream of a count."""
        raise NotImplementedError(f"{self.name} does not stream")

    def estimate(self, body: bytes) -> bytes:
        """Return a count for a model whose provider has none, and say that it is estimated."""
        return json.encode({"input_tokens": estimates.estimate_tokens(body), "estimated": True})


def _rejection(body: bytes, reply: dict[str, Raw], wanted: str) -> UpstreamError:
    """Return what is wrong with a reply: its own error, if it tells one."""
    if json.kind(reply.get("error", json.NULL)) == "object":
        return errors.refusal(UpstreamError.status, (), body)
    return UpstreamError(
        f"The provider's answer has no {wanted}: {json.excerpt(body)}", code="invalid_reply"
    )


def _created(reply: dict[str, Raw]) -> Sequence[str]:
    """Return the container that the reply's code ran in, which later requests may name."""
    raw = reply.get("container", json.NULL)
    name = json.loads(bytes(raw)).get("id") if json.kind(raw) == "object" else None
    return (f"container:{name}",) if isinstance(name, str) else ()
