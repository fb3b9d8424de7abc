"""Embeddings: OpenAI's callers at the vendor, and the vendor's own callers."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy_gemini import gomodel_translator
from gomodel_proxy_gemini.embedding_translator import EmbeddingTranslator

from .conftest import MASTER
from .recorded import files, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.played import Played

pytestmark = pytest.mark.asyncio(loop_scope="module")
VECTORS = {"embeddings": [{"values": [0.5, -1]}, {"values": [0.25, 2]}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(setup: Played) -> AsyncIterator[openai.AsyncOpenAI]:
    base = f"{setup.url}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key=MASTER, max_retries=0) as made:
        yield made


@pytest.mark.recorded
@pytest.mark.parametrize("file", files("gemini-embed"))
async def test_a_recorded_reply(setup: Played, client: openai.AsyncOpenAI, file: str) -> None:
    recorded = load(file)
    setup.answer(recorded["body"])
    want = json.loads(recorded["body"])
    text = recorded["request"]["requests"][0]["content"]["parts"][0]["text"]
    got = await client.embeddings.create(
        model=f"google/{recorded['model']}", input=text, encoding_format="float"
    )
    assert setup.target == recorded["path"]
    (sent,) = setup.sent["requests"]
    assert sent == recorded["request"]["requests"][0]
    assert got.data[0].embedding == want["embeddings"][0]["values"]
    assert got.usage.prompt_tokens == want["usageMetadata"]["promptTokenCount"]
    attempt = (await setup.gateway.row())["attempts"][0]
    assert attempt["input_tokens"] == want["usageMetadata"]["promptTokenCount"]
    assert attempt["provenance"] == "reported"


async def test_many_texts_as_the_sdk_asks_by_itself(
    setup: Played, client: openai.AsyncOpenAI
) -> None:
    setup.answer(json.dumps(VECTORS))
    got = await client.embeddings.create(
        model="google/gemini-embedding-001", input=["one", "two, three"], dimensions=2
    )
    assert [(one.index, one.embedding) for one in got.data] == [(0, [0.5, -1]), (1, [0.25, 2])]
    assert setup.sent["requests"] == [
        {
            "model": "models/gemini-embedding-001",
            "outputDimensionality": 2,
            "content": {"parts": [{"text": text}]},
        }
        for text in ("one", "two, three")
    ]
    attempt = (await setup.gateway.row())["attempts"][0]
    assert (attempt["provenance"], attempt["input_tokens"]) == ("estimated", 3)
    assert got.usage.model_dump()["estimated"] is True


def passage(**members: Any) -> Any:
    body = json.dumps({"model": "m", "input": "a", **members}).encode()
    return EmbeddingTranslator().begin(body, "m", {})


async def test_vectors_are_packed_as_little_floats() -> None:
    reply = passage(encoding_format="base64").reply(b'{"embeddings":[{"values":[0.5,-1]}]}')
    packed = json.loads(reply.body)["data"][0]["embedding"]
    assert struct.unpack("<2f", b64decode(packed)) == (0.5, -1.0)


async def test_numbers_keep_their_digits() -> None:
    reply = passage().reply(b'{"embeddings":[{"values":[0.10000000149011612]}]}')
    assert b"[0.10000000149011612]" in reply.body


@pytest.mark.parametrize("given", [[1, 2], [[1, 2]], [], None, ["a", 5]])
async def test_what_is_no_text_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        passage(input=given)
    assert (caught.value.param or "").startswith("input")


async def test_a_form_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="float, base64"):
        passage(encoding_format="int8")


async def test_what_is_lost_is_said() -> None:
    assert passage(user="u").losses == ("user",)


async def test_a_missing_vector_is_a_fault() -> None:
    with pytest.raises(ValueError, match="0 vectors for 1 texts"):
        passage().reply(b'{"embeddings":[]}')


async def test_only_this_pair_is_translated() -> None:
    assert gomodel_translator("openai.embeddings", "gemini.embed") is not None
    assert gomodel_translator("openai.chat", "gemini.generate") is None


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("batchEmbedContents", {"requests": [{"model": "models/x", "content": {"parts": []}}]}),
        ("embedContent", {"content": {"parts": [{"text": "a"}]}, "taskType": "X"}),
    ],
)
async def test_the_native_routes(setup: Played, method: str, body: Any) -> None:
    setup.answer(json.dumps(VECTORS))
    url = f"{setup.url}/v1beta/models/google/gemini-embedding-2:{method}"
    async with (
        aiohttp.ClientSession() as made,
        made.post(url, json=body, headers={"x-goog-api-key": MASTER}) as reply,
    ):
        got = await reply.json()
    assert (reply.status, got) == (200, {**VECTORS, "provider": "google"})
    assert setup.target == f"/v1beta/models/gemini-embedding-2:{method}"
    name = "models/gemini-embedding-2"
    want = {**body, "model": name}
    if "requests" in body:
        want["requests"] = [{**body["requests"][0], "model": name}]
    assert setup.sent == want
