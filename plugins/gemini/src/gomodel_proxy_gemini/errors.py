"""Errors, written as the vendor would: google.rpc.Status over HTTP.

cloud.google.com/apis/design/errors (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.wire import sse

if TYPE_CHECKING:
    from gomodel_proxy.api import GatewayError

__all__ = ["envelope", "stream_event"]

_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def envelope(error: GatewayError) -> bytes:
    """Return the JSON body ``{"error": {code, message, status, details}}``."""
    status = _STATUSES.get(error.status)
    if status is None:
        status = "INVALID_ARGUMENT" if 400 <= error.status < 500 else "INTERNAL"
    told: dict[str, Any] = {"code": error.status, "message": error.message, "status": status}
    told["details"] = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": error.code or error.kind,
            "domain": "gomodel-proxy",
            "metadata": {"param": error.param} if error.param else {},
        }
    ]
    return msgspec.json.encode({"error": told})


def stream_event(error: GatewayError) -> bytes:
    """Return the event that ends a stream; the SDKs raise on its ``error``."""
    return sse.event(envelope(error))
