"""Errors of the vendor, read: ai.google.dev/gemini-api/docs/troubleshooting (2026-11).

``{"error": {"code": 429, "message": "…", "status": "RESOURCE_EXHAUSTED", "details": […]}}``, in a
list where a stream without ``alt=sse`` was asked for. A ``RetryInfo`` among the details says how
long to wait, an ``ErrorInfo`` why (cloud.google.com/apis/design/errors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.wire.openai_failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Headers, Secret, UpstreamError

__all__ = ["failure", "told"]


class _Error(msgspec.Struct):
    code: Any = None
    message: str = "The provider failed."
    status: str | None = None
    details: list[Any] = []


class _Envelope(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


_BAD_KEY: Final = "API_KEY_INVALID"
_decode: Final = msgspec.json.Decoder(_Envelope | list[_Envelope]).decode


def failure(status: int, headers: Headers, body: bytes, secrets: Sequence[Secret]) -> UpstreamError:
    """Return what an HTTP status of 400 or more means."""
    error = read_failure(status, headers, body, secrets)
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return error
    if isinstance(found, list):
        found = found[0] if found else _Envelope()
        error.body = msgspec.json.encode(found) if error.body else b""
    reason = _detail(found.error.details, "ErrorInfo", "reason")
    error.code = found.error.status or error.code
    if reason == _BAD_KEY:  # the vendor says 400 INVALID_ARGUMENT
        error.kind, error.code = "authentication_error", reason
    wait = _seconds(_detail(found.error.details, "RetryInfo", "retryDelay"))
    if wait is not None and error.retry_after is None:
        error.retry_after = wait
        error.retry = error.retry or status == 503
    return error


def told(raw: bytes | msgspec.Raw) -> tuple[str, str | None, str | None]:
    """Return message, kind and code of an ``error`` object inside a stream."""
    try:
        error = msgspec.json.decode(raw, type=_Error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "The provider failed.", None, None
    return error.message, "upstream_error", error.status


def _detail(details: list[Any], kind: str, name: str) -> str | None:
    for one in details:
        if isinstance(one, dict) and str(one.get("@type", "")).endswith(f".{kind}"):
            value = one.get(name)
            return value if isinstance(value, str) else None
    return None


def _seconds(delay: str | None) -> float | None:
    """Return a duration (``46s``, ``0.5s``) in seconds."""
    if delay is None or not delay.endswith("s"):
        return None
    try:
        seconds = float(delay[:-1])
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e9 else None
