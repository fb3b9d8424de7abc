"""Recorded replies of Cohere, served to a caller of OpenAI's dialects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.testing.losslessness import silent_losses
from gomodel_proxy.wire.openai_chat_codec import ChatCodec as OpenAICodec
from gomodel_proxy_cohere.codec import ChatCodec

from .conftest import KEY
from .request_type import decode_request

if TYPE_CHECKING:
    from gomodel_proxy.testing.played import Played

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
if not RECORDED.is_dir():
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

pytestmark = [pytest.mark.recorded, pytest.mark.asyncio(loop_scope="module")]

FINISHES = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}


def recordings(dialect: str) -> list[Any]:
    lines = (RECORDED / "INDEX.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    found = sorted({row[1] for row in rows if row[3] == dialect})
    return [pytest.param(load(file), id=file[-60:-5]) for file in found]


def load(file: str) -> Any:
    return json.loads((RECORDED / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("recording", recordings("cohere"))
async def test_a_chat_reply(setup: Played, caller: openai.AsyncOpenAI, recording: Any) -> None:
    vendor = json.loads(recording["body"])
    setup.answer(recording["body"])
    # Cohere's messages and tools are of OpenAI's shape, so the caller can send what was recorded
    got = await caller.chat.completions.create(
        **{**recording["request"], "model": f"co/{recording['model']}"}
    )

    assert setup.sent == recording["request"]
    assert setup.asked.head.startswith(f"POST {recording['path']} HTTP/1.1\r\n".encode())
    assert setup.asked.header("authorization") == f"Bearer {KEY}"
    (choice,) = got.choices
    message, said = choice.message, vendor["message"]
    texts = [block["text"] for block in said.get("content", []) if block["type"] == "text"]
    assert (message.content or "") == "".join(texts)
    dumped = message.model_dump()
    thoughts = [block.get("thinking", "") for block in said.get("content", [])]
    thought = "".join(thoughts) + said.get("tool_plan", "")
    assert (dumped.get("reasoning_content") or "") == thought
    assert [call.model_dump() for call in message.tool_calls or ()] == said.get("tool_calls", [])
    assert choice.finish_reason == FINISHES[vendor["finish_reason"]]
    assert (got.id, got.model) == (vendor["id"], recording["model"])
    wanted = [
        (one["start"], one["end"], source["id"], one["text"])
        for one in said.get("citations", [])
        for source in one["sources"]
    ]
    text = message.content or ""
    notes = [note.url_citation for note in message.annotations or ()]
    assert [
        (n.start_index, n.end_index, n.url.removeprefix("file:"), text[n.start_index : n.end_index])
        for n in notes
    ] == wanted
    counts = vendor["usage"]["tokens"]
    assert got.usage is not None
    assert got.usage.prompt_tokens == counts["input_tokens"]
    assert got.usage.completion_tokens == counts["output_tokens"]
    details = got.usage.prompt_tokens_details
    assert (details and details.cached_tokens) == vendor["usage"].get("cached_tokens")
    (attempt,) = (await setup.gateway.row())["attempts"]
    assert attempt["raw_usage"] == vendor["usage"]
    assert attempt["input_tokens"] == counts["input_tokens"]


async def test_an_embedding(setup: Played, caller: openai.AsyncOpenAI) -> None:
    (recording,) = [
        one.values[0] for one in recordings("cohere-embed") if one.values[0]["status"] == 200
    ]
    vendor = json.loads(recording["body"])
    setup.answer(recording["body"])
    got = await caller.embeddings.create(
        model=f"co/{recording['model']}",
        input=recording["request"]["texts"],
        encoding_format="float",
        extra_body={"input_type": recording["request"]["input_type"]},
    )
    wanted = {name: value for name, value in recording["request"].items() if value is not None}
    assert setup.sent == {name: wanted[name] for name in wanted if name != "truncate"}
    assert [one.embedding for one in got.data] == vendor["embeddings"]["float"]
    billed = vendor["meta"]["billed_units"]["input_tokens"]
    assert got.usage.prompt_tokens == got.usage.total_tokens == billed
    (attempt,) = (await setup.gateway.row())["attempts"]
    assert attempt["input_tokens"] == billed
    assert attempt["raw_usage"] == vendor["meta"]


async def test_a_refusal(setup: Played, caller: openai.AsyncOpenAI) -> None:
    (recording,) = [
        one.values[0] for one in recordings("cohere-embed") if one.values[0]["status"] != 200
    ]
    setup.answer(recording["body"], status=recording["status"])
    with pytest.raises(openai.NotFoundError) as raised:
        await caller.embeddings.create(model="co/nonexistent", input="Hello, world!")
    assert raised.value.body == {
        "message": json.loads(recording["body"])["message"],
        "type": "not_found_error",
        "param": None,
        "code": None,
    }


AGREED = (
    "stream_options",  # the vendor always reports usage
    "parallel_tool_calls",  # true, which is what models do by themselves
    "n",  # 1
    "tool_choice",  # "auto" needs no word, "required" is written in capitals
    "tools[].function.strict",  # of all tools or of none, in a member of the request
)
UNABLE = ("takes no audio", "takes no video", "documents as text alone", "kept by no")


@pytest.mark.parametrize("thinking", [True, False])
@pytest.mark.parametrize(
    "recording", [one for one in recordings("openai-chat") if one.values[0]["request"] is not None]
)
async def test_a_recorded_request_comes_through(recording: Any, thinking: bool) -> None:
    body = json.dumps(recording["request"]).encode()
    losses = Losses()
    request = OpenAICodec().read_request(body)
    try:
        written = ChatCodec().write_request(request, traits={"thinking": thinking}, losses=losses)
    except InvalidRequest as error:
        assert error.code == "unsupported_content"
        assert error.param is not None
        assert any(reason in error.message for reason in UNABLE)
        return
    decode_request(written)
    lost = silent_losses(body, written, losses.found, agreed=AGREED)
    if recording["request"].get("reasoning_effort") == "none":
        lost = [one for one in lost if one != "reasoning_effort"]  # it is switched off
    assert lost == []
