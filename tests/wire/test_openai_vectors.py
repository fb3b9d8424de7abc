"""OpenAI's embeddings, taken apart for other vendors and put together again."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.openai_vectors import pack, read_vector_request, write_vectors


def read(**members: Any) -> Any:
    return read_vector_request(json.dumps({"model": "m", "input": "a", **members}).encode())


def test_one_text_or_several() -> None:
    assert read().texts == ["a"]
    assert read(input=["a", "b"]).texts == ["a", "b"]


def test_how_vectors_are_wanted() -> None:
    plain = read()
    assert (plain.dimensions, plain.packed, plain.user, plain.extra) == (None, False, None, {})
    asked = read(dimensions=8, encoding_format="base64", user="u", mood=1, none=None)
    assert (asked.dimensions, asked.packed, asked.user) == (8, True, "u")
    assert list(asked.extra) == ["mood"]


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"input": [1, 2]}, "unsupported_input", "input"),
        ({"input": [[1], [2]]}, "unsupported_input", "input"),
        ({"input": []}, "missing_parameter", "input"),
        ({"input": None}, "missing_parameter", "input"),
        ({"input": ["a", 1]}, "invalid_type", "input[1]"),
        ({"encoding_format": "int8"}, "invalid_value", "encoding_format"),
        ({"dimensions": "8"}, "invalid_type", "dimensions"),
    ],
)
def test_refusals_name_the_member(members: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(**members)
    assert (raised.value.code, raised.value.param) == (code, param)


def test_the_list_that_answers() -> None:
    assert json.loads(write_vectors([[1.0], "AA=="], "m", 3, estimated=True)) == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [1.0]},
            {"object": "embedding", "index": 1, "embedding": "AA=="},
        ],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3, "estimated": True},
    }


def test_packed_vectors_are_little_endian_floats() -> None:
    assert struct.unpack("<2f", base64.b64decode(pack([1.0, -2.5]))) == (1.0, -2.5)
