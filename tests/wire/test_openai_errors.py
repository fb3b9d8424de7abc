"""Errors in OpenAI's shapes."""

from __future__ import annotations

import json

import pytest

from gomodel_proxy.api import (
    Forbidden,
    GatewayError,
    InvalidRequest,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UpstreamError,
)
from gomodel_proxy.wire import openai_errors
from gomodel_proxy.wire.openai import DIALECTS


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (GatewayError("m"), "api_error"),
        (InvalidRequest("m"), "invalid_request_error"),
        (Unauthenticated("m"), "authentication_error"),
        (Forbidden("m"), "permission_error"),
        (NotFound("m"), "not_found_error"),
        (NotFound("m", code="model_not_found"), "invalid_request_error"),
        (RateLimited("m"), "rate_limit_error"),
        (Unavailable("m"), "service_unavailable_error"),
        (UpstreamError("m"), "upstream_error"),
        (UpstreamError("m", kind="server_error"), "server_error"),
    ],
)
def test_every_error_has_its_type(error: GatewayError, kind: str) -> None:
    for dialect in DIALECTS:
        assert json.loads(dialect.error(error)) == {
            "error": {"message": "m", "type": kind, "param": None, "code": error.code}
        }


def test_the_end_of_a_stream_of_chunks() -> None:
    error = InvalidRequest('a "b"\n', code="c", param="p[0]")
    event = DIALECTS[0].stream_error(error)
    assert event == b"data: " + openai_errors.envelope(error) + b"\n\n"
    assert event.count(b"\n") == 2


def test_the_end_of_a_stream_of_response_events() -> None:
    event = DIALECTS[1].stream_error(UpstreamError("cut", code="stream_incomplete", param="p"))
    head, data, *rest = event.split(b"\n")
    assert (head, rest) == (b"event: error", [b"", b""])
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "code": "stream_incomplete",
        "message": "cut",
        "param": "p",
        "sequence_number": 0,
        "error": {
            "message": "cut",
            "type": "upstream_error",
            "param": "p",
            "code": "stream_incomplete",
        },
    }
    assert b'"code":"upstream_error"' in DIALECTS[1].stream_error(UpstreamError("cut"))


def test_a_text_that_is_no_unicode_is_told_all_the_same() -> None:
    body = openai_errors.envelope(InvalidRequest("a\ud800b", code="\udfff", param="\ud800"))
    assert json.loads(body)["error"]["message"] == "a?b"
