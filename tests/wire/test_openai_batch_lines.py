"""Reading and writing the lines of a batch's input file."""

from __future__ import annotations

import msgspec
import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.openai_batch_lines import Line, Lines, path_of, read_line, write_line

GOOD = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}'


def cut(data: bytes, size: int) -> list[bytes]:
    lines = Lines(10_000)
    found = []
    for start in range(0, len(data), size):
        found += lines.feed(data[start : start + size])
    return [*found, *lines.close()]


@pytest.mark.parametrize("size", range(1, 20))
def test_lines_are_the_same_wherever_the_pieces_end(size: int) -> None:
    data = b"one\n\ntwo\r\nthree\n\nfour"
    assert cut(data, size) == [b"one\n", b"\n", b"two\r\n", b"three\n", b"\n", b"four"]
    assert b"".join(cut(data, size)) == data


def test_a_line_without_end_is_refused_before_it_is_held() -> None:
    lines = Lines(100)
    list(lines.feed(b"x" * 90))
    with pytest.raises(InvalidRequest, match="longer than 100 bytes"):
        list(lines.feed(b"x" * 20))


def test_a_line() -> None:
    assert read_line(GOOD, "") == Line("a", "/v1/chat/completions", b'{"model":"m"}')
    assert read_line(b"\xef\xbb\xbf" + GOOD, "") == read_line(GOOD, "")


def test_the_endpoint_stands_in_for_an_absent_url_and_an_absolute_one_is_cut() -> None:
    bare = b'{"custom_id":"a","body":{}}'
    assert read_line(bare, "/v1/embeddings").url == "/v1/embeddings"
    assert path_of("https://api.example.com/v1/embeddings/") == "/v1/embeddings"


def test_an_address_that_makes_no_sense_is_no_failure() -> None:
    line = GOOD.replace(b'"/v1/chat/completions"', b'"http://[v1"')
    assert read_line(line, "").url == "http://[v1"
    with pytest.raises(InvalidRequest, match=r"'url' is http://\[v1"):
        read_line(line, "/v1/embeddings")


@pytest.mark.parametrize(
    ("line", "code", "param"),
    [
        (b"nonsense", "invalid_json_line", None),
        (b"[1]", "invalid_json_line", None),
        (b'{"custom_id":"a","custom_id":"b","url":"/v1/x","body":{}}x', "invalid_json_line", None),
        (b'{"url":"/v1/x","body":{}}', "missing_required_parameter", "custom_id"),
        (b'{"custom_id":"","url":"/v1/x","body":{}}', "missing_required_parameter", "custom_id"),
        (b'{"custom_id":7,"url":"/v1/x","body":{}}', "invalid_type", "custom_id"),
        (b'{"custom_id":"a","body":{}}', "missing_required_parameter", "url"),
        (b'{"custom_id":"a","url":"/v1/x"}', "missing_required_parameter", "body"),
        (b'{"custom_id":"a","url":"/v1/x","body":[]}', "invalid_type", "body"),
        (b'{"custom_id":"a","method":"GET","url":"/v1/x","body":{}}', "invalid_method", "method"),
    ],
)
def test_what_is_wrong_is_named(line: bytes, code: str, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_line(line, "")
    assert (caught.value.code, caught.value.param) == (code, param)


def test_another_url_than_the_batch_is_for() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_line(GOOD, "/v1/embeddings")
    assert caught.value.code == "mismatched_endpoint"


def test_what_is_written_is_one_line_and_is_read_again() -> None:
    line = Line('"quoted"\n', "/v1/embeddings", b'{\n"input": "a\\nb"\r\n}')
    written = write_line(line)
    assert written.count(b"\n") == 1
    again = read_line(written, "")
    assert (again.custom_id, again.url) == (line.custom_id, line.url)
    assert msgspec.json.decode(again.body) == msgspec.json.decode(line.body)
