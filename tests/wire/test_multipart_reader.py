"""Forms in pieces: the same parts wherever the bytes are cut, and a word for what is broken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.multipart_reader import Multipart, Part, boundary_of

FORM = (
    b"a preamble\r\n"
    b"--XX\r\n"
    b'Content-Disposition: form-data; name="purpose"\r\n\r\n'
    b"batch\r\n"
    b"--XX \t\r\n"
    b'content-disposition: form-data; name="file"; filename="a \\"b\\"%22.jsonl"\r\n'
    b"Content-Type: application/jsonl\r\n\r\n"
    b"\r\n--X\r\n--XY-\r\n\r\n--\r\n\r\n"
    b"--XX\r\n"
    b"Content-Disposition: form-data; name=empty; filename*=UTF-8''%C3%A4.txt\r\n\r\n"
    b"\r\n--XX--\r\nan epilogue --XX\r\n"
)
PARTS = [
    (Part("purpose", None), b"batch"),
    (Part("file", 'a "b"".jsonl'), b"\r\n--X\r\n--XY-\r\n\r\n--\r\n"),
    (Part("empty", "ä.txt"), b""),
]


def parts(*pieces: bytes, boundary: bytes = b"XX") -> list[tuple[Part, bytes]]:
    form = Multipart(boundary)
    found: list[tuple[Part, bytes]] = []
    for piece in pieces:
        for one in form.feed(piece):
            if isinstance(one, Part):
                found.append((one, b""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + one)
    form.close()
    return found


@given(st.lists(st.integers(0, len(FORM)), max_size=12))
def test_parts_wherever_it_is_cut(cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(FORM)]
    assert parts(*(FORM[a:b] for a, b in pairwise(at))) == PARTS


def test_byte_by_byte() -> None:
    assert parts(*(FORM[n : n + 1] for n in range(len(FORM)))) == PARTS


def test_content_is_handed_on_at_once() -> None:
    form = Multipart(b"XX")
    head = b'--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    found = list(form.feed(head + b"x" * 1000))
    assert found[0] == Part("file", None)
    assert len(b"".join(one for one in found if isinstance(one, bytes))) >= 990


def test_a_part_without_a_head() -> None:
    assert parts(b"--XX\r\n\r\nbare\r\n--XX--") == [(Part("", None), b"bare")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "before its last boundary"),
        (b"no boundary at all", "before its last boundary"),
        (FORM[: FORM.index(b"--XX--")], "before its last boundary"),
        (b"--XXY\r\n\r\n", "a boundary goes on"),
        (b"--XX" + b" " * 300, "a boundary goes on"),
        (b"--XX\r\nA: " + b"x" * 20_000, "longer than 16384 bytes"),
        (
            b"--XX\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n--XX--",
            "'base64' is not taken",
        ),
    ],
)
def test_what_is_broken_is_told(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        parts(body)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; Boundary="a b;c"', b"a b;c"),
    ],
)
def test_the_boundary(header: str, boundary: bytes) -> None:
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    "header",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=" + "x" * 71,
    ],
)
def test_another_kind_of_body_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        boundary_of(header)
    assert refused.value.status == 415
