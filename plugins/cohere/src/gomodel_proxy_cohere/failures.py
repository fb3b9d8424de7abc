"""Errors of Cohere's API, ``{"message", "id"}``: docs.cohere.com/reference/errors (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire import json, sse
from gomodel_proxy.wire.openai_failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import GatewayError, Headers, Secret

__all__ = ["envelope", "refusal", "rejection", "stream_event"]

_INVALID_TOKEN: Final = 498
"""The vendor's own status for a key that it has blocked."""


def envelope(error: GatewayError) -> bytes:
    """Return an error as JSON."""
    # A lone surrogate cannot be written as UTF-8, and an error must not fail to be told.
    return json.encode({"message": error.message.encode("utf-8", "replace").decode()})


def stream_event(error: GatewayError) -> bytes:
    """Return the event that ends a stream with an error: the message's end says it."""
    message = error.message.encode("utf-8", "replace").decode()
    end = {"type": "message-end", "delta": {"error": message, "finish_reason": "ERROR"}}
    return sse.event(json.encode(end), "message-end")


def refusal(
    status: int, headers: Headers, body: bytes, secrets: Sequence[Secret] = ()
) -> UpstreamError:
    """Return what a refusal means; ``body`` stays if it is in Cohere's shape."""
    error = read_failure(status, headers, body, secrets)
    error.body = body if error.body else b""
    if status == _INVALID_TOKEN:
        error.kind = "authentication_error"
    return error


def rejection(body: bytes, wanted: str) -> UpstreamError:
    """Return what is wrong with a reply that lacks ``wanted``: its own error, if it tells one."""
    if json.kind(json.members(body).get("message", json.NULL)) == "string":
        return refusal(UpstreamError.status, (), body)
    return UpstreamError(
        f"The provider's answer has no {wanted}: {json.excerpt(body)}", code="invalid_reply"
    )
