"""Bedrock's refusals, read: docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
(2026-11).

A refusal is ``{"message": …}`` (``Message`` from what stands before the service), its type in the
header ``x-amzn-errortype``, which may go on after a colon, or in a member ``__type``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Headers, Secret, UpstreamError

__all__ = ["refusal"]

_KINDS: Final = {
    "AccessDeniedException": "permission_error",
    "ExpiredTokenException": "authentication_error",
    "InvalidSignatureException": "authentication_error",
    "ModelNotReadyException": "rate_limit_error",
    "ResourceNotFoundException": "not_found_error",
    "ServiceQuotaExceededException": "rate_limit_error",
    "ThrottlingException": "rate_limit_error",
    "UnrecognizedClientException": "authentication_error",
    "ValidationException": "invalid_request_error",
}


def refusal(
    status: int, headers: Headers, body: bytes, secrets: Sequence[Secret] = ()
) -> UpstreamError:
    """Return what a refusal of Bedrock's means; its code is the vendor's type. Never raises."""
    said = _object(body)
    if "Message" in said and "message" not in said:
        body = json.encode({"message": said["Message"]})
    error = read_failure(status, headers, body, secrets)
    error.body = b""  # in nobody's dialect
    type_ = _type(headers, said)
    if type_:
        error.code = type_
        error.kind = _KINDS.get(type_, error.kind)
    return error


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _type(headers: Headers, said: dict[str, Any]) -> str:
    named = next((value for name, value in headers if name.lower() == "x-amzn-errortype"), "")
    named = named or str(said.get("__type") or "")
    return named.partition(":")[0].rpartition("#")[2].strip()
