"""Errors of Anthropic's API, written and read: platform.claude.com/docs/en/api/errors (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.wire import json, sse
from gomodel_proxy.wire.openai_failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import GatewayError, Headers, Secret, UpstreamError

__all__ = ["envelope", "refusal", "stream_event"]

_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def envelope(error: GatewayError) -> bytes:
    """Return the JSON body ``{"type": "error", "error": {type, message}}``."""
    # A lone surrogate cannot be written as UTF-8, and an error must not fail to be told.
    message = error.message.encode("utf-8", "replace").decode()
    return json.encode({"type": "error", "error": {"type": _type(error), "message": message}})


def stream_event(error: GatewayError) -> bytes:
    """Return the ``error`` event that ends a stream."""
    return sse.event(envelope(error), "error")


def _type(error: GatewayError) -> str:
    known = _TYPES.get(error.status)
    if known is not None:
        return known
    if error.status < 500:
        return "invalid_request_error"
    # inside a stream the status no longer says it
    return error.kind if error.kind in _TYPES.values() else "api_error"


def refusal(
    status: int, headers: Headers, body: bytes, secrets: Sequence[Secret] = ()
) -> UpstreamError:
    """Return what Anthropic's refusal means; ``body`` stays if it is in Anthropic's shape."""
    error = read_failure(status, headers, body, secrets)
    limits = [pair for pair in headers if pair[0].lower().startswith("anthropic-ratelimit-")]
    error.headers = (*error.headers, *limits)
    error.body = body if _is_envelope(body) else b""
    return error


def _is_envelope(body: bytes) -> bool:
    try:
        members = json.members(body)
    except ValueError:
        return False
    return json.kind(members.get("error", json.NULL)) == "object"
