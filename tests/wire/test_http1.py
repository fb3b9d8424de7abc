"""Responses: every framing, cut at every byte, and whatever else an upstream may send."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire.http1 import ResponseParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Headers

BODY = b'{"id": "chatcmpl-1", "text": "caf\xc3\xa9"}\r\n\r\n'


@dataclass
class Heard:
    """A sink that remembers."""

    status: int = 0
    headers: Headers = ()
    pieces: list[bytes] = field(default_factory=list)
    framed: bool | None = None
    heads: int = 0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def head(self, status: int, headers: Headers) -> None:
        assert self.framed is None
        self.heads += 1
        self.status, self.headers = status, headers

    def data(self, data: bytes) -> None:
        assert data
        assert self.heads == 1
        assert self.framed is None
        self.pieces.append(data)

    def end(self, framed: bool) -> None:
        assert self.heads == 1
        assert self.framed is None
        self.framed = framed


def read(
    reads: Iterable[bytes], *, method: str = "POST", eof: bool = False
) -> tuple[Heard, ResponseParser]:
    heard = Heard()
    parser = ResponseParser(heard, method)
    for data in reads:
        parser.feed(data)
    if eof:
        parser.eof()
    return heard, parser


def response(*headers: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers))
    return head.encode("latin-1") + b"\r\n" + body


def chunked(*chunks: bytes, trailers: bytes = b"", extension: bytes = b"") -> bytes:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(each), extension, each) for each in chunks)
    return body + b"0\r\n" + trailers + b"\r\n"


def deflated(body: bytes, bits: int) -> bytes:
    stream = zlib.compressobj(wbits=bits)
    return stream.compress(body) + stream.flush()


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
GZIP = gzip.compress(BODY)

# name → the response's bytes, whether the connection can be used again
WHOLE = {
    "content-length": (response(LENGTH, body=BODY), True),
    "content-length twice, but the same": (response(LENGTH, LENGTH, body=BODY), True),
    "content-length as a list": (response(f"{LENGTH}, {len(BODY)}", body=BODY), True),
    "connection: close": (response(LENGTH, "Connection: Close", body=BODY), False),
    "one of several connection options": (
        response(LENGTH, "Connection: foo", "connection:  bar , close", body=BODY),
        False,
    ),
    "chunked": (response(CHUNKED, body=chunked(BODY[:5], BODY[5:6], BODY[6:])), True),
    "chunked in capitals": (
        response("TRANSFER-ENCODING: CHUNKED", body=chunked(BODY).replace(b"2b\r", b"2B\r")),
        True,
    ),
    "chunk extensions": (
        response(CHUNKED, body=chunked(BODY, extension=b' ; name="value"; other')),
        True,
    ),
    "trailers": (
        response(CHUNKED, body=chunked(BODY, trailers=b"Digest: x\r\nServer-Timing: y\r\n")),
        True,
    ),
    "interim responses": (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n"
        + response(LENGTH, body=BODY),
        True,
    ),
    "bare line feeds": (response(LENGTH, body=b"").replace(b"\r\n", b"\n") + BODY, True),
    "line feeds mixed": (b"HTTP/1.1 200 OK\nA: b\r\n" + LENGTH.encode() + b"\n\r\n" + BODY, True),
    "folded line": (response("X: a", "\t b", LENGTH, body=BODY), True),
    "no reason": (response(LENGTH, body=BODY, status="200"), True),
    "HTTP/1.0": (response(LENGTH, body=BODY).replace(b"HTTP/1.1", b"HTTP/1.0"), False),
    "HTTP/1.0 kept alive": (
        response(LENGTH, "Connection: keep-alive", body=BODY).replace(b"HTTP/1.1", b"HTTP/1.0"),
        True,
    ),
    "gzip": (response(f"Content-Length: {len(GZIP)}", "Content-Encoding: gzip", body=GZIP), True),
    "gzip in chunks": (
        response(CHUNKED, "Content-Encoding: GZIP", body=chunked(GZIP[:9], GZIP[9:])),
        True,
    ),
    "gzip in two members": (
        response(
            CHUNKED,
            "Content-Encoding: x-gzip",
            body=chunked(gzip.compress(BODY[:7]) + gzip.compress(BODY[7:])),
        ),
        True,
    ),
    "deflate": (
        response(CHUNKED, "Content-Encoding: deflate", body=chunked(deflated(BODY, 15))),
        True,
    ),
    "deflate without wrapper": (
        response(CHUNKED, "Content-Encoding: deflate", body=chunked(deflated(BODY, -15))),
        True,
    ),
    "identity": (response(LENGTH, "Content-Encoding: identity", body=BODY), True),
    "more than Content-Length": (response(LENGTH, body=BODY + b"x"), False),
    "more than the last chunk": (response(CHUNKED, body=chunked(BODY) + b"x"), False),
}


@pytest.mark.parametrize(("data", "reusable"), WHOLE.values(), ids=WHOLE)
def test_a_framed_response_is_read_wherever_it_is_cut(data: bytes, reusable: bool) -> None:
    ways = [[data], [data[at : at + 1] for at in range(len(data))]]
    ways += [[data[:at], data[at:]] for at in range(1, len(data))]
    for reads in ways:
        heard, parser = read(reads)
        assert (heard.status, heard.body, heard.framed) == (200, BODY, True)
        assert parser.reusable is reusable


@pytest.mark.parametrize(("data", "reusable"), WHOLE.values(), ids=WHOLE)
def test_a_response_cut_short_is_an_error_at_every_byte(data: bytes, reusable: bool) -> None:
    heard, _ = read([data])
    for at in range(1, len(data)):
        heard = Heard()
        parser = ResponseParser(heard)
        parser.feed(data[:at])
        if parser.over:  # only what was too much is missing
            assert not reusable
            continue
        with pytest.raises(UpstreamError) as error:
            parser.eof()
        assert error.value.status == 502
        assert heard.framed is None


def test_one_read_is_one_piece() -> None:
    heard, _ = read([response(CHUNKED), chunked(b"a", b"b", b"c")[:-5], chunked()])
    assert heard.pieces == [b"abc"]


def test_names_are_lower_case_and_values_are_trimmed_and_latin_1() -> None:
    heard, _ = read([response("X-Request-ID:abc", "x-NAME: \t caf\xe9 \t", "Empty:", LENGTH)])
    assert heard.headers == (
        ("x-request-id", "abc"),
        ("x-name", "caf\xe9"),
        ("empty", ""),
        ("content-length", str(len(BODY))),
    )


def test_a_folded_line_becomes_one_value() -> None:
    heard, _ = read([response("X: a", "  b", "\tc", "Y: d", LENGTH)])
    assert heard.headers[:2] == (("x", "a b c"), ("y", "d"))


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("header", [LENGTH, CHUNKED, "X: y", "Content-Encoding: br"])
def test_some_statuses_have_no_body(status: str, header: str) -> None:
    heard, parser = read([response(header, status=status)])
    assert (heard.body, heard.framed, parser.reusable) == (b"", True, True)


def test_an_answer_to_head_has_no_body() -> None:
    heard, parser = read([response(LENGTH)], method="HEAD")
    assert (heard.body, heard.framed, parser.reusable) == (b"", True, True)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 529, 599, 999])
def test_any_final_status_is_passed_on(status: int) -> None:
    heard, _ = read([response(LENGTH, body=BODY, status=f"{status} Whatever")])
    assert (heard.status, heard.body) == (status, BODY)


def test_a_body_may_end_with_the_connection() -> None:
    data = response("Content-Type: text/plain", body=BODY)
    for at in range(1, len(data)):
        heard, parser = read([data[:at], data[at:]], eof=True)
        assert (heard.body, heard.framed, parser.reusable) == (BODY, False, False)


def test_an_empty_body_of_a_coding_is_empty() -> None:
    heard, _ = read([response("Content-Length: 0", "Content-Encoding: gzip")])
    assert (heard.body, heard.framed) == (b"", True)


def test_the_server_says_how_long_it_waits() -> None:
    _, parser = read([response(LENGTH, "Keep-Alive: max=100, Timeout=5", body=BODY)])
    assert parser.keep_for == 5


BROKEN = {
    "garbage": b"\x16\x03\x01 hello\r\n\r\n",
    "html": b"<html>\r\n<body>Bad gateway</body>\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "status of four digits": response(LENGTH, status="2000"),
    "status that is no number": response(LENGTH, status="abc"),
    "switching protocols": response("Upgrade: websocket", status="101 Switching Protocols"),
    "endless interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 101 + response(LENGTH),
    "no colon": response("Date", LENGTH),
    "no colon, unknown": response("Nonsense", LENGTH),
    "space before colon": response("X : y", LENGTH),
    "no name": response(": y", LENGTH),
    "name with a control character": response("X\x01: y", LENGTH),
    "NUL in a value": response("X: a\0b", LENGTH),
    "bare carriage return": response("X: a\rb", LENGTH),
    "Content-Length and chunked": response(LENGTH, CHUNKED, body=chunked(BODY)),
    "conflicting lengths": response("Content-Length: 5", "Content-Length: 6", body=BODY),
    "conflicting lengths in a list": response("Content-Length: 5, 6", body=BODY),
    "negative length": response("Content-Length: -1"),
    "signed length": response("Content-Length: +1"),
    "length with underscore": response("Content-Length: 1_0"),
    "superscript length": response("Content-Length: \xb2"),
    "empty length": response("Content-Length:"),
    "huge length": response(f"Content-Length: {'9' * 19}"),
    "unknown transfer encoding": response("Transfer-Encoding: gzip, chunked"),
    "transfer encoding twice": response(CHUNKED, CHUNKED, body=chunked(BODY)),
    "chunked HTTP/1.0": response(CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no chunk size": response(CHUNKED, body=b"\r\n"),
    "signed chunk size": response(CHUNKED, body=b"+1\r\na\r\n"),
    "prefixed chunk size": response(CHUNKED, body=b"0x1\r\na\r\n"),
    "huge chunk size": response(CHUNKED, body=b"1" * 16 + b"\r\n"),
    "chunk longer than its size": response(CHUNKED, body=b"1\r\nab\r\n"),
    "chunk ends with a line feed": response(CHUNKED, body=b"1\r\na\n1\r\n"),
    "chunk size ends with a line feed": response(CHUNKED, body=b"1\na\r\n"),
    "endless chunk extension": response(CHUNKED, body=b"1;" + b"a" * 5000),
    "long chunk extension": response(CHUNKED, body=b"1;" + b"a" * 5000 + b"\r\n"),
    "endless trailers": response(CHUNKED, body=b"0\r\n" + b"A: b\r\n" * 4000),
    "long trailers": response(CHUNKED, body=b"0\r\n" + b"A: b\r\n" * 4000 + b"\r\n"),
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 12_000,
    "long head": response(*["X: " + "y" * 1000] * 70, LENGTH),
    "long line": response("X: " + "y" * 20_000, LENGTH),
    "many headers": response(*["X: y"] * 300, LENGTH),
    "not gzip": response(LENGTH, "Content-Encoding: gzip", body=BODY),
    "not deflate": response(LENGTH, "Content-Encoding: deflate", body=b"\xff" * len(BODY)),
    "gzip cut short": response(
        f"Content-Length: {len(GZIP) - 3}", "Content-Encoding: gzip", body=GZIP[:-3]
    ),
    "gzip with a wrong sum": response(
        f"Content-Length: {len(GZIP)}",
        "Content-Encoding: gzip",
        body=GZIP[:-8] + bytes(4) + GZIP[-4:],
    ),
    "more after gzip": response(
        f"Content-Length: {len(GZIP) + 1}", "Content-Encoding: gzip", body=GZIP + b"x"
    ),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_response_is_an_error_of_the_upstream(data: bytes) -> None:
    with pytest.raises(UpstreamError) as error:
        read([data])
    assert error.value.status == 502
    assert error.value.retry is False
    with pytest.raises(UpstreamError):
        read(data[at : at + 1] for at in range(len(data)))


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_an_unknown_coding_is_named(coding: str) -> None:
    with pytest.raises(UpstreamError, match=coding):
        read([response(LENGTH, f"Content-Encoding: {coding}", body=BODY)])


def test_gzip_that_ends_with_the_connection_must_be_whole() -> None:
    data = response("Content-Encoding: gzip", body=GZIP)
    heard, _ = read([data], eof=True)
    assert (heard.body, heard.framed) == (BODY, False)
    with pytest.raises(UpstreamError, match="gzip"):
        read([data[:-1]], eof=True)


# ---------------------------------------------------------------- bombs, pauses


BOMB = response("Content-Encoding: gzip", CHUNKED, body=chunked(gzip.compress(bytes(50 << 20))))


def test_a_bomb_is_inflated_in_steps_and_stops_when_told() -> None:
    class Impatient(Heard):
        def data(self, data: bytes) -> None:
            super().data(data)
            if len(self.pieces) == 4:
                parser.stop()

    heard = Impatient()
    parser = ResponseParser(heard)
    parser.feed(BOMB)
    assert max(map(len, heard.pieces)) <= 256 * 1024
    assert len(heard.pieces) == 4
    assert heard.framed is None


def test_a_pause_holds_inflating_up_and_resume_goes_on() -> None:
    class Slow(Heard):
        def data(self, data: bytes) -> None:
            super().data(data)
            parser.pause()

    heard = Slow()
    parser = ResponseParser(heard)
    parser.feed(BOMB)
    assert len(heard.pieces) == 1
    assert parser.complete
    assert not parser.over
    parser.eof()  # the server may leave meanwhile
    while not parser.over:
        parser.resume()
    assert len(heard.body) == 50 << 20
    assert heard.framed is True


def test_pause_and_resume_within_a_callback_deliver_everything_in_order() -> None:
    class Nervous(Heard):
        def data(self, data: bytes) -> None:
            parser.pause()
            super().data(data)
            parser.resume()

    heard = Nervous()
    parser = ResponseParser(heard)
    text = bytes(range(256)) * 8192
    body = gzip.compress(text)
    parser.feed(response(f"Content-Length: {len(body)}", "Content-Encoding: gzip", body=body))
    assert heard.body == text
    assert heard.framed is True


@pytest.mark.parametrize("size", [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024])
@pytest.mark.parametrize("bits", [15, -15])
def test_output_that_fills_a_step_exactly_is_not_lost(size: int, bits: int) -> None:
    data = response(CHUNKED, "Content-Encoding: deflate", body=chunked(deflated(bytes(size), bits)))
    heard, _ = read([data])
    assert len(heard.body) == size
    assert heard.framed is True


# ---------------------------------------------------------------- properties


def outcome(reads: Iterable[bytes]) -> tuple[int, Headers, bytes, bool | None, bool]:
    heard = Heard()
    parser = ResponseParser(heard)
    failed = False
    try:
        for data in reads:
            parser.feed(data)
        parser.eof()
    except UpstreamError:
        failed = True
    return heard.status, heard.headers, heard.body, heard.framed, failed


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


FRAGMENTS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Continue", b"X: y", b":", b" ", b"\0"),
        *(b"\r\n", b"\r\n\r\n", b"\n", b"\r"),
        *(b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"),
        *(b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b";x=y", gzip.compress(b"abc")),
    ]
)
NOISE = st.lists(FRAGMENTS | st.binary(max_size=20), max_size=20).map(b"".join)
CUTS = st.lists(st.integers(min_value=0, max_value=2000), max_size=12)


@given(data=NOISE | NOISE.map(lambda noise: b"HTTP/1.1 200 OK\r\n" + noise), places=CUTS)
def test_noise_is_judged_the_same_however_it_is_cut(data: bytes, places: list[int]) -> None:
    whole, pieces = outcome([data] if data else []), outcome(filter(None, cut(data, places)))
    assert whole[:2] == pieces[:2]
    assert whole[3:] == pieces[3:]
    if not whole[4]:
        assert whole[2] == pieces[2]


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=8),
    zipped=st.booleans(),
    framing=st.sampled_from(["length", "chunked", "close"]),
    trailers=st.sampled_from([b"", b"A: b\r\n"]),
    places=CUTS,
)
def test_a_body_arrives_whole_however_it_is_sent(
    chunks: list[bytes], zipped: bool, framing: str, trailers: bytes, places: list[int]
) -> None:
    body = b"".join(chunks)
    sent = [gzip.compress(body)] if zipped else chunks
    headers = ["Content-Encoding: gzip"] if zipped else []
    if framing == "chunked":
        data = response(*headers, CHUNKED, body=chunked(*sent, trailers=trailers))
    else:
        length = sum(map(len, sent))
        headers += [f"Content-Length: {length}"] if framing == "length" else []
        data = response(*headers, body=b"".join(sent))
    _, _, read_body, framed, failed = outcome(cut(data, places))
    assert (read_body, framed, failed) == (body, framing != "close", False)
