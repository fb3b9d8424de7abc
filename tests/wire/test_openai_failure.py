"""What refusals mean, in every shape that vendors use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy.api import Secret, UpstreamError
from gomodel_proxy.wire.openai_failure import read_failure

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"


def read(status: int, body: Any, *headers: tuple[str, str]) -> UpstreamError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_failure(status, headers, raw)


def test_openais_own_shape_keeps_its_bytes() -> None:
    body = (
        b'{ "error": {"message":"No such model","type":"invalid_request_error", "param":"model",'
        b'"code":"model_not_found","x":1.0}, "y": [ ] }'
    )
    error = read(404, body)
    assert error.message == "No such model"
    assert (error.kind, error.code, error.param) == (
        "invalid_request_error",
        "model_not_found",
        "model",
    )
    assert error.status == 404
    assert error.body == body
    assert not error.retry


@pytest.mark.parametrize(
    ("body", "message", "code", "param"),
    [
        ({"error": {"message": "m", "code": 400, "status": "X"}}, "m", "400", None),
        ({"error": {"message": "m", "code": True}}, "m", None, None),
        ({"error": {"message": ["a", "b"]}}, "a; b", None, None),
        ({"error": "no key"}, "no key", None, None),
        ({"error": "Unauthorized", "message": "no key"}, "Unauthorized: no key", None, None),
        ({"message": "m", "code": 3, "param": "p"}, "m", "3", "p"),
        ({"object": "error", "message": "m", "code": "1"}, "m", "1", None),
        ({"detail": "Not Found"}, "Not Found", None, None),
        (
            {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "required"}]},
            "required",
            None,
            "messages[0].role",
        ),
        (
            {"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "too big"}]}},
            "too big",
            None,
            "n",
        ),
        ({"detail": {"error": {"message": "m"}}}, "m", None, None),
        ({"errors": [{"code": 7000, "message": "m"}], "success": False}, "m", None, None),
        ({"fault": {"faultstring": "m", "detail": {}}}, "m", None, None),
        ([{"error": {"message": "m", "code": 429}}], "m", "429", None),
        (["a", "b"], "a; b", None, None),
        ("just text", "just text", None, None),
    ],
)
def test_shapes(body: Any, message: str, code: str | None, param: str | None) -> None:
    error = read(400, body)
    assert (error.message, error.code, error.param) == (message, code, param)
    assert error.kind == "invalid_request_error"


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"text", "big":12345678901234567890123, "f":1.0,"n":null}',
        b'{"message" : "text", "big":12345678901234567890123, "f":1.0}',
        b'{"error":null,"detail":"text", "f":1.0}',
    ],
)
def test_another_object_gains_an_error_and_loses_nothing(body: bytes) -> None:
    made = json.loads(read(422, body).body, parse_float=str)
    before = json.loads(body, parse_float=str)
    assert made.pop("error") == {
        "message": "text",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert made == {name: value for name, value in before.items() if name != "error"}


def test_an_object_alone_in_a_list_keeps_its_bytes() -> None:
    error = read(400, b'[{ "error": {"message":"m","status":"X","f":1.0} }\n]')
    assert error.body == b'{ "error": {"message":"m","status":"X","f":1.0} }'


@pytest.mark.parametrize("body", [b"", b"oops", b"[1]", b'"text"', b"<html></html>", b"null"])
def test_what_is_no_object_is_left_to_the_core(body: bytes) -> None:
    error = read(500, body)
    assert error.body == b""
    assert error.message


def test_html_is_shown_as_text() -> None:
    page = b"""<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>b{c:d}</style></head>
    <body><script>if (a<b) {x()}</script><h1>Bad&nbsp;Gateway</h1>\x00<p>a &lt; b</body></html>"""
    assert read(502, page).message == "502 Bad Gateway Bad Gateway a < b"


def test_plain_text_keeps_its_angle_brackets_and_is_cut() -> None:
    assert read(400, b"expected <int>\n  got <str>").message == "expected <int> got <str>"
    assert len(read(400, b"x" * 10_000).message) == 300


def test_an_empty_body_names_the_status() -> None:
    assert "503 Service Unavailable" in read(503, b"").message
    assert "499" in read(499, b"").message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "invalid_request_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "invalid_request_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "upstream_error"),
        (503, "upstream_error"),
    ],
)
def test_kinds(status: int, kind: str) -> None:
    error = read(status, {"message": "m"})
    assert (error.status, error.kind) == (status, kind)
    assert read(status, {"error": {"message": "m", "type": "vendors_own"}}).kind == "vendors_own"


def test_type_error_says_nothing() -> None:
    assert read(401, {"type": "error", "message": "m"}).kind == "authentication_error"


@pytest.mark.parametrize("status", [0, 200, 302, 600, 999])
def test_odd_statuses_become_502(status: int) -> None:
    error = read(status, b"")
    assert (error.status, error.kind) == (502, "upstream_error")


@pytest.mark.parametrize(
    ("status", "error", "headers", "again"),
    [
        (429, {"message": "slow"}, (), True),
        (429, {"message": "m", "code": "rate_limit_exceeded"}, (), True),
        (429, {"message": "m", "code": "insufficient_quota"}, (), False),
        (429, {"message": "m", "type": "insufficient_quota"}, (), False),
        (429, {"message": "m", "code": "billing_hard_limit_reached"}, (), False),
        (503, {"message": "m"}, (("retry-after", "2"),), True),
        (503, {"message": "m"}, (), False),
        (500, {"message": "m"}, (("retry-after", "2"),), False),
        (400, {"message": "m"}, (("retry-after", "2"),), False),
    ],
)
def test_again(status: int, error: Any, headers: tuple[tuple[str, str], ...], again: bool) -> None:
    assert read(status, {"error": error}, *headers).retry is again


def test_wait_and_headers() -> None:
    error = read(
        429,
        {"error": {"message": "m"}},
        ("Retry-After", "3"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("X-RateLimit-Limit-Requests", "10"),
        ("set-cookie", "a=b"),
        ("server", "x"),
    )
    assert error.retry_after == 3.0
    assert error.headers == (
        ("Retry-After", "3"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("X-RateLimit-Limit-Requests", "10"),
    )


def test_an_echoed_key_is_masked() -> None:
    body = {"error": "no key sk-canary-1 here", "code": "sk-canary-1"}
    error = read_failure(401, (), json.dumps(body).encode(), [Secret("sk-canary-1"), Secret("")])
    assert error.message == "no key *** here"
    assert error.code == "***"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "type", "param", "loc", "x"]),
            inner,
        )
    ),
)


@given(
    st.integers(),
    st.binary() | _JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(st.sampled_from(["retry-after", "date", "x-ratelimit-a"]), st.text())),
)
def test_never_raises(status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
    error = read_failure(status, tuple(headers), body)
    assert error.message
    assert 400 <= error.status <= 599
    assert isinstance(error.kind, str)
    assert error.code is None or isinstance(error.code, str)
    if error.body:
        assert isinstance(json.loads(error.body)["error"], dict)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"<" * 100_000, b"<script>" * 20_000, b"\xff\xfe{}"]
)
def test_hostile_bodies(body: bytes) -> None:
    assert read(500, body).message


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded traffic here")
def test_recorded_refusals_keep_their_bytes() -> None:
    seen = 0
    for file in sorted(RECORDED.glob("*/openai-*.json")):
        exchange = json.loads(file.read_bytes())
        if exchange["status"] >= 400:
            seen += 1
            error = read_failure(exchange["status"], (), exchange["body"].encode())
            told = json.loads(exchange["body"])["error"]
            assert (error.message, error.code) == (told["message"], told["code"]), file.name
            assert error.body == exchange["body"].encode()
    assert seen
