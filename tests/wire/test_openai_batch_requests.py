"""Requests for a batch: what is read, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.openai_batch_requests import read_batch

LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"}}


def ask(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_file() -> None:
    read = read_batch(
        ask(
            input_file_id="file-1",
            endpoint="/v1/responses",
            completion_window="1h",
            metadata={"team": "a", "gomodel_mode": "native"},
            output_expires_after={"anchor": "created_at", "seconds": 3600},
        )
    )
    assert (read.input_file, read.lines) == ("file-1", None)
    assert (read.endpoint, read.window, read.output_lifetime) == ("/v1/responses", "1h", 3600)
    assert read.metadata == {"team": "a", "gomodel_mode": "native"}
    assert read.ignored == ()


def test_lines_keep_their_bodies_bytes() -> None:
    text = b'{"requests":[{"custom_id":"a","body":{"n": 1.0,"model":"m"}},{"url":"/v1/x"}]}'
    read = read_batch(text)
    assert read.lines is not None
    first, second = read.lines
    assert (first.custom_id, first.method, first.url) == ("a", None, None)
    assert bytes(first.body or b"") == b'{"n": 1.0,"model":"m"}'
    assert (second.custom_id, second.url, second.body) == (None, "/v1/x", None)
    assert (read.endpoint, read.window, read.metadata) == ("", "24h", {})


def test_what_is_not_known_is_named() -> None:
    read = read_batch(ask(requests=[LINE], priority="high", metadata=None, input_file_id=None))
    assert read.ignored == ("priority",)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({}, "input_file_id"),
        ({"input_file_id": "f", "requests": [LINE]}, "requests"),
        ({"input_file_id": 7}, "input_file_id"),
        ({"requests": []}, "requests"),
        ({"requests": {}}, "requests"),
        ({"requests": [LINE, 5]}, "requests[1]"),
        ({"requests": [LINE, {**LINE, "custom_id": 5}]}, "requests[1].custom_id"),
        ({"requests": [{**LINE, "method": []}]}, "requests[0].method"),
        ({"input_file_id": "f", "endpoint": 1}, "endpoint"),
        ({"input_file_id": "f", "completion_window": 24}, "completion_window"),
        ({"input_file_id": "f", "metadata": {"a": 1}}, "metadata"),
        ({"input_file_id": "f", "metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"input_file_id": "f", "metadata": {"a": "x" * 513}}, "metadata.a"),
        ({"input_file_id": "f", "metadata": {"x" * 65: ""}}, "metadata." + "x" * 64),
        ({"input_file_id": "f", "output_expires_after": 1}, "output_expires_after"),
        (
            {"input_file_id": "f", "output_expires_after": {"seconds": 3600}},
            "output_expires_after.anchor",
        ),
        *(
            (
                {
                    "input_file_id": "f",
                    "output_expires_after": {"anchor": "created_at", "seconds": seconds},
                },
                "output_expires_after.seconds",
            )
            for seconds in (3599, 2592001, "3600", None)
        ),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_batch(ask(**members))
    assert refused.value.param == param
    assert param.partition(".")[0].partition("[")[0] in refused.value.message


def test_a_member_that_stands_twice_in_a_line() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_batch(b'{"requests":[{"custom_id":"a","custom_id":"b","body":{}}]}')
    assert refused.value.param == "requests[0].custom_id"
