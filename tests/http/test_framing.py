"""The framer: where requests begin and end, and what is wrong with them."""

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.http.framing import Framer, parse_head

POST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
)
POST_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
    b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
)


@pytest.mark.parametrize("stream", [POST, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_ends_of_requests_are_seen_at_any_border(stream: bytes, size: int) -> None:
    framer = Framer(1024, 1024)
    for start in range(0, len(stream), size):
        framer.feed(stream[start : start + size])
    assert framer.idle
    assert framer.head is not None
    assert framer.head.method == "GET"


def test_knows_when_a_body_is_unfinished() -> None:
    framer = Framer(1024, 1024)
    framer.feed(POST[: POST.index(b"llo")])
    assert framer.in_body
    assert not framer.idle


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA\0: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", 405),
        (b"get / HTTP/1.1\r\n\r\n", 405),
        (b"GET * HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n", 417),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 20000, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (POST_HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (POST_HEAD + b"Content-Length: +1\r\n\r\n", 400),
        (
            POST_HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (POST_HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (POST_HEAD + b"Content-Length: 100000000\r\n\r\n", 413),
        (POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", 413),
        (POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd", 400),
    ],
)
def test_refuses_what_is_wrong_with_the_right_status(data: bytes, status: int) -> None:
    for size in (1, len(data)):
        framer = Framer(16384, 1 << 20)
        with pytest.raises(InvalidRequest) as caught:
            for start in range(0, len(data), size):
                framer.feed(data[start : start + size])
        assert caught.value.status == status


def test_heads_have_lower_case_names_and_stripped_values() -> None:
    head = parse_head(b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-One: \t two \r\nEmpty:")
    assert head.headers == {"host": "a", "x-one": "two", "empty": ""}
    assert head.path == "/a"
