"""OpenAI's embeddings, by Cohere."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy_cohere.embeddings import EmbeddingsTranslator

if TYPE_CHECKING:
    import openai

    from gomodel_proxy.testing.played import Played

META = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4, "image_tokens": 3}}
PACKED = "AACAPwAAAEA="  # 1.0 and 2.0


def begin(traits: dict[str, Any] | None = None, **members: Any) -> Any:
    body = json.dumps({"model": "m", "input": "Hi", **members}).encode()
    return EmbeddingsTranslator().begin(body, "embed", traits or {})


def test_a_text() -> None:
    passage = begin()
    assert json.loads(passage.body) == {
        "model": "embed",
        "input_type": "search_document",
        "embedding_types": ["float"],
        "texts": ["Hi"],
    }
    assert passage.losses == ()


def test_what_else_may_be_asked_for() -> None:
    passage = begin(
        {"input_type": "search_query"},
        input=["a", "b"],
        encoding_format="base64",
        dimensions=256,
        truncate="END",
        user="u",
        mood=1,
    )
    sent = json.loads(passage.body)
    assert (sent["texts"], sent["embedding_types"]) == (["a", "b"], ["base64"])
    assert (sent["output_dimension"], sent["truncate"]) == (256, "END")
    assert sent["input_type"] == "search_query"
    assert passage.losses == ("user", "mood")
    assert begin({"dimensions": False}, dimensions=256).losses == ("dimensions",)
    asked = begin({"input_type": "search_query"}, input_type="clustering")
    assert json.loads(asked.body)["input_type"] == "clustering"


def test_images() -> None:
    image = "data:image/png;base64,iVBO"
    sent = json.loads(begin(input=[image]).body)
    assert (sent["images"], sent["input_type"]) == ([image], "image")
    sent = json.loads(begin(input=["a", image]).body)
    assert sent["inputs"] == [
        {"content": [{"type": "text", "text": "a"}]},
        {"content": [{"type": "image_url", "image_url": {"url": image}}]},
    ]


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1]]}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_refusals(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        begin(**members)
    assert raised.value.param == param


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"embeddings": {"float": []}}', b'{"embeddings": {"base64": ["AA=="]}}'],
)
def test_what_is_no_answer_to_the_request(body: bytes) -> None:
    with pytest.raises(ValueError):
        begin().reply(body)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("form", ["float", "base64"])
async def test_through_the_gateway(setup: Played, caller: openai.AsyncOpenAI, form: Any) -> None:
    vectors = {"float": [[1.0, 2.0]]} if form == "float" else {"base64": [PACKED]}
    setup.answer(json.dumps({"id": "x", "embeddings": vectors, "texts": ["Hi"], "meta": META}))
    got = await caller.embeddings.create(
        model="co/embed-v4.0", input="Hi", encoding_format=form, dimensions=256
    )
    assert setup.asked.head.startswith(b"POST /v2/embed HTTP/1.1\r\n")
    assert setup.sent["output_dimension"] == 256
    (one,) = got.data
    if form == "float":
        assert one.embedding == [1.0, 2.0]
    else:
        assert struct.unpack("<2f", base64.b64decode(str(one.embedding))) == (1.0, 2.0)
    assert got.usage.prompt_tokens == 7
    (attempt,) = (await setup.gateway.row())["attempts"]
    assert (attempt["input_tokens"], attempt["raw_usage"]) == (7, META)
