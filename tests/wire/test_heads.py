"""Heads: what a request's is given, what it never carries, how a response's is read."""

from __future__ import annotations

import pytest

from gomodel_proxy.api import UpstreamError, UpstreamUnreachable
from gomodel_proxy.wire.heads import Address, parse_head, render_fields, render_head, split

HERE = Address("https", "api.example.com", 443, "/v1/models?limit=2")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.example.com/v1/models?limit=2", HERE),
        ("http://api.example.com", Address("http", "api.example.com", 80, "/")),
        ("http://API.example.com:8080/%20?", Address("http", "api.example.com", 8080, "/%20")),
        ("http://[::1]:11434/v1", Address("http", "::1", 11434, "/v1")),
        ("https://h/p#fragment", Address("https", "h", 443, "/p")),
    ],
)
def test_a_url_is_taken_apart(url: str, address: Address) -> None:
    assert split(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "ftp://secret/",
        "secret",
        "http://",
        "http://secret:port/",
        "http://user:secret@host/",
        "http://[secret/",
        "http://host/secret path",
        "http://host/secret\xe9",
        "http://secret\xe9/",
    ],
)
def test_a_url_that_makes_no_sense_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UpstreamUnreachable) as error:
        split(url)
    assert "secret" not in error.value.message


def test_a_head_has_host_agent_and_no_coding() -> None:
    assert render_head("POST", HERE, (("X-A", "caf\xe9"),)) == (
        b"POST /v1/models?limit=2 HTTP/1.1\r\n"
        b"Host: api.example.com\r\n"
        b"User-Agent: gomodel-proxy\r\n"
        b"Accept-Encoding: identity\r\n"
        b"X-A: caf\xe9\r\n"
    )


def test_what_is_given_is_not_added() -> None:
    given = (("host", "other"), ("USER-AGENT", "me"), ("accept-encoding", "gzip"))
    assert render_head("GET", HERE, given) == (
        b"GET /v1/models?limit=2 HTTP/1.1\r\n"
        b"host: other\r\nUSER-AGENT: me\r\naccept-encoding: gzip\r\n"
    )


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (Address("http", "h", 8080, "/"), b"h:8080"),
        (Address("http", "h", 443, "/"), b"h:443"),
        (Address("https", "::1", 443, "/"), b"[::1]"),
        (Address("http", "::1", 81, "/"), b"[::1]:81"),
    ],
)
def test_host_names_the_port_unless_it_is_the_usual_one(address: Address, host: bytes) -> None:
    assert b"\r\nHost: " + host + b"\r\n" in render_head("GET", address, ())


@pytest.mark.parametrize(
    "value", ["canary\r\nX: y", "canary\n", "canary\r", "can\0ary", "canary日"]
)
def test_a_value_that_would_break_out_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(UpstreamUnreachable) as error:
        render_fields((("A", "b"), ("X", value)))
    assert "canary" not in error.value.message


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "X\0", "\xe9", "Content-Length"])
def test_a_name_that_is_none_or_not_the_senders_to_give_is_refused(name: str) -> None:
    with pytest.raises(UpstreamUnreachable):
        render_fields(((name, "value"),))


@pytest.mark.parametrize("method", ["", "GET /", "GET\r\n"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(UpstreamUnreachable):
        render_head(method, HERE, ())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-A: b c\r\nX-D: e\r\n",
        b"HTTP/1.1 200 OK\nX-A: b c\nX-D: e\n",
        b"HTTP/1.1 200 OK\r\nX-A: b c\nX-D: e\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b c\r\nX-D: e\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nX-D: e\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n\tc\r\nX-D:\r\n  e\r\n",
        b"HTTP/1.1 200 OK\nX-A: b\n  c\nX-D: e\n",
    ],
)
def test_bare_line_ends_and_folded_lines_are_read(raw: bytes) -> None:
    for _ in range(2):  # lines that were seen before included
        assert parse_head(raw).headers == (("x-a", "b c"), ("x-d", "e"))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-A: b\rc\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n",
        b"HTTP/1.1 200 O\0K\r\nX-A: b\r\n",
        b"HTTP/1.1 200 OK\r\r\nX-A: b\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\nX\0: d\r\n",
        b"HTTP/1.1 200 OK\r\nX-A\r\n",
        b"HTTP/1.1 200 OK\r\nX A: b\r\n",
    ],
)
def test_what_could_mean_two_things_is_refused(raw: bytes) -> None:
    for _ in range(2):
        with pytest.raises(UpstreamError):
            parse_head(raw)
