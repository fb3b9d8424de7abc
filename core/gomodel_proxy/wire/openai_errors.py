"""Errors as OpenAI writes them: platform.openai.com/docs/guides/error-codes (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from . import sse

if TYPE_CHECKING:
    from gomodel_proxy.api import GatewayError

__all__ = ["envelope", "response_event", "stream_event"]


def envelope(error: GatewayError) -> bytes:
    """Return the JSON body ``{"error": {message, type, param, code}}``."""
    return msgspec.json.encode({"error": _members(error)})


def stream_event(error: GatewayError) -> bytes:
    """Return the event that ends a stream of chunks; the SDKs raise on its ``error`` member."""
    return sse.event(envelope(error))


def response_event(error: GatewayError, sequence_number: int = 0) -> bytes:
    """Return the ``error`` event of a stream of response events.

    Its members stand in the event itself:
    platform.openai.com/docs/api-reference/responses-streaming/error (2026-11). They also stand in
    an ``error`` member, where OpenAI's servers put them and its SDKs look before they raise
    (github.com/openai/openai-dotnet/issues/881).
    """
    members = _members(error)
    return sse.event(
        msgspec.json.encode(
            {
                "type": "error",
                "code": members["code"] or members["type"],
                "message": members["message"],
                "param": members["param"],
                "sequence_number": sequence_number,
                "error": members,
            }
        ),
        "error",
    )


def _members(error: GatewayError) -> dict[str, Any]:
    return {
        "message": _text(error.message),
        "type": _type(error),
        "param": _text(error.param) if error.param is not None else None,
        "code": _text(error.code) if error.code is not None else None,
    }


def _type(error: GatewayError) -> str:
    if error.code == "model_not_found":
        return "invalid_request_error"  # OpenAI's own answer to an unknown model, with its 404
    return _text(error.kind)


def _text(text: str) -> str:
    # A lone surrogate cannot be written as UTF-8, and an error must not fail to be told.
    return text.encode("utf-8", "replace").decode()
