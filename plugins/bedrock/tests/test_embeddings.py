"""Embeddings of Bedrock's models for callers of OpenAI's dialect."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from pathlib import Path
from typing import Any

import openai
import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy_bedrock import gomodel_translator

from .conftest import reply, sent_json
from .written import traits

RECORDED = Path(__file__).parents[4] / "shared" / "recorded" / "bedrock"
COHERE3, COHERE4 = "cohere.embed-english-v3", "us.cohere.embed-v4:0"
TITAN, TITAN1 = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"


def begin(model: str, **members: Any) -> Any:
    translator = gomodel_translator("openai.embeddings", "bedrock.embed")
    assert translator is not None
    body = {"model": "x", "input": "Hi", **members}
    return translator.begin(json.dumps(body).encode(), model, traits(model))


def test_only_that_pair() -> None:
    assert gomodel_translator("openai.chat", "bedrock.embed") is None
    assert gomodel_translator("openai.embeddings", "cohere.embed") is None


@pytest.mark.parametrize(
    ("model", "members", "written", "losses"),
    [
        (COHERE3, {"input": ["a", "b"]},
         {"texts": ["a", "b"], "input_type": "search_document"}, ()),
        (COHERE3, {"dimensions": 8, "input_type": "clustering", "truncate": "END"},
         {"texts": ["Hi"], "input_type": "clustering", "truncate": "END"}, ("dimensions",)),
        (COHERE4, {"dimensions": 512},
         {"texts": ["Hi"], "input_type": "search_document", "embedding_types": ["float"],
          "output_dimension": 512}, ()),
        (TITAN, {"dimensions": 256, "normalize": False, "user": "u"},
         {"inputText": "Hi", "dimensions": 256, "normalize": False}, ("user",)),
        (TITAN1, {"input": ["Hi"], "dimensions": 256}, {"inputText": "Hi"}, ("dimensions",)),
        (NOVA, {"dimensions": 256},
         {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
             "embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 256,
             "text": {"truncationMode": "END", "value": "Hi"}}}, ()),
    ],
)  # fmt: skip
def test_requests_by_family(
    model: str, members: dict[str, Any], written: dict[str, Any], losses: tuple[str, ...]
) -> None:
    passage = begin(model, **members)
    assert json.loads(passage.body) == written
    assert tuple(passage.losses) == losses


@pytest.mark.parametrize(
    ("model", "members", "param"),
    [
        (TITAN, {"input": ["a", "b"]}, "input"),
        (COHERE3, {"input": [[1, 2]]}, "input"),
        (COHERE3, {"input": [1, 2]}, "input"),
        (COHERE3, {"input": []}, "input"),
        (COHERE3, {"input": "Hi", "encoding_format": "ternary"}, "encoding_format"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", {}, "model"),
    ],
)
def test_what_cannot_be_is_refused_by_name(model: str, members: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        begin(model, **members)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"embeddings":[]}', b'{"embeddings":{"int8":[[1]]}}', b'{"embedding":"x"}'],
)
def test_replies_without_vectors_make_no_sense(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        begin(COHERE4).reply(body)


def test_vectors_in_base64() -> None:
    translation = begin(TITAN, encoding_format="base64").reply(b'{"embedding":[0.5,-2]}')
    (one,) = json.loads(translation.body)["data"]
    assert struct.unpack("<2f", base64.b64decode(one["embedding"])) == (0.5, -2.0)


def recorded() -> list[Any]:
    files = sorted(RECORDED.glob("bedrock-invoke-*.json")) if RECORDED.is_dir() else []
    return [pytest.param(json.loads(file.read_text("utf-8")), id=file.stem[-40:]) for file in files]


def vectors(body: dict[str, Any]) -> list[list[float]]:
    found = body.get("embeddings", [body.get("embedding")])
    if isinstance(found, dict):
        found = found["float"]
    return [one["embedding"] if isinstance(one, dict) else one for one in found]


@pytest.mark.recorded
@pytest.mark.parametrize("recording", recorded())
@pytest.mark.parametrize("form", ["float", "base64"])
async def test_recordings(bed: Any, recording: dict[str, Any], form: str) -> None:
    model, body = recording["model"], json.loads(recording["body"])
    profile = {"arn:*/otnfa2ysixqd": {"embed": "titan"}}
    one = await bed(traits=profile)
    async with openai.AsyncOpenAI(
        base_url=f"{one.url}/v1", api_key="none", max_retries=0
    ) as caller:
        asking = asyncio.ensure_future(
            caller.embeddings.create(
                model=f"up/{model}", input="Some text here", encoding_format=form
            )
        )
        peer = await one.upstream.accept()
        request = await peer.request()
        await peer.send(reply(recording["body"].encode()))
        got = await asking
    assert request.startswith(f"POST {recording['path']} HTTP/1.1\r\n".encode())
    assert "Some text here" in json.dumps(sent_json(request))
    (expected,) = vectors(body)
    (data,) = got.data
    if form == "base64":
        packed = struct.pack(f"<{len(expected)}f", *expected)
        assert base64.b64decode(data.embedding) == packed
    else:
        assert data.embedding == expected
    (attempt,) = (await one.served.row())["attempts"]
    counted = body.get("inputTextTokenCount")
    assert got.usage.prompt_tokens == (counted or 4)
    assert attempt["input_tokens"] == (counted or 4)
    assert attempt["provenance"] == ("estimated" if counted is None else "reported")
