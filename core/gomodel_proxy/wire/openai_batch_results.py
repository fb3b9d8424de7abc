"""The lines of a batch's output and error files; results are stored as these.

https://platform.openai.com/docs/api-reference/batch/request-output (22 November 2026)
"""

from __future__ import annotations

import msgspec

from . import json

__all__ = ["Result", "read", "write_error", "write_reply"]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One result, read. ``body`` is the reply or the error in the line's own dialect.

    ``code`` and ``message`` are those of a line that got no reply at all; ``status`` is 0 then.
    """

    id: str
    custom_id: str
    status: int = 0
    request_id: str = ""
    body: msgspec.Raw | None = None
    code: str | None = None
    message: str | None = None


class _Response(msgspec.Struct):
    status_code: int
    request_id: str
    body: msgspec.Raw


class _Error(msgspec.Struct):
    code: str
    message: str


class _Written(msgspec.Struct):
    id: str
    custom_id: str
    response: _Response | None
    error: _Error | None


_decode = msgspec.json.Decoder(_Written).decode


def write_reply(id: str, custom_id: str, status: int, request_id: str, body: bytes) -> bytes:
    """Return the line of a reply, or of a refusal; ``body`` keeps its bytes if they are JSON."""
    return (
        b'{"id":%b,"custom_id":%b,"response":{"status_code":%d,"request_id":%b,"body":%b},'
        b'"error":null}'
        % (
            json.encode(id),
            json.encode(custom_id),
            status,
            json.encode(request_id),
            json.portable(body)
            .replace(b"\n", b" ")
            .replace(b"\r", b" "),  # whitespace between tokens
        )
    )


def write_error(id: str, custom_id: str, code: str, message: str) -> bytes:
    """Return the line of a request that got no reply."""
    return b'{"id":%b,"custom_id":%b,"response":null,"error":{"code":%b,"message":%b}}' % (
        json.encode(id),
        json.encode(custom_id),
        json.encode(code),
        json.encode(message),
    )


def read(result: bytes) -> Result:
    """Return what a stored line says."""
    written = _decode(result)
    response, error = written.response, written.error
    return Result(
        id=written.id,
        custom_id=written.custom_id,
        status=0 if response is None else response.status_code,
        request_id="" if response is None else response.request_id,
        body=None if response is None else response.body,
        code=None if error is None else error.code,
        message=None if error is None else error.message,
    )
