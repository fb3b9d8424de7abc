"""Recorded replies of Bedrock, served to callers of OpenAI's dialect."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from botocore.eventstream import EventStreamBuffer

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_bedrock.codec import ConverseCodec
from gomodel_proxy_bedrock.meter import StreamMeter

from .conftest import EVENT_STREAM, KEY, reply, sent_json

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
HI = [{"role": "user", "content": "Hi"}]
FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}

if not RECORDED.is_dir():
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

pytestmark = pytest.mark.recorded


def recordings(dialect: str, **wanted: str) -> list[Any]:
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["dialect"] == dialect]
    files = sorted({row["file"] for row in rows if wanted.items() <= row.items()})
    found = [json.loads((RECORDED / file).read_text("utf-8")) for file in files]
    return [pytest.param(one, id=file[-60:-5]) for one, file in zip(found, files, strict=True)]


def replies() -> list[Any]:
    # a file may have been written twice, so what it holds counts, not what the index says
    return [one for one in recordings("bedrock", form="json") if one.values[0]["status"] == 200]


def refusals() -> list[Any]:
    return [one for one in recordings("bedrock", form="json") if one.values[0]["status"] != 200]


def told(blocks: list[dict[str, Any]]) -> tuple[str, list[tuple[str, str, Any]], str]:
    """Return what a recording says: text, calls of the caller's tools, thoughts."""
    texts = [block["text"] for block in blocks if "text" in block]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    own = [call for call in calls if call.get("type") in (None, "tool_use")]
    thoughts = [block["reasoningContent"] for block in blocks if "reasoningContent" in block]
    thought = "".join(one.get("reasoningText", {}).get("text", "") for one in thoughts)
    return "".join(texts), [(c["toolUseId"], c["name"], c["input"]) for c in own], thought


def streamed(body: bytes) -> tuple[list[dict[str, Any]], str, dict[str, Any]]:
    """Return a recorded stream's blocks, stop reason and usage, added up independently."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    blocks: dict[int, dict[str, Any]] = {}
    reason, usage = "", {}
    for message in buffer:
        event, name = json.loads(message.payload), message.headers[":event-type"]
        index = event.get("contentBlockIndex", 0)
        if name == "contentBlockStart":
            blocks[index] = event["start"]
        elif name == "contentBlockDelta" and "text" in event["delta"]:
            block = blocks.setdefault(index, {"text": ""})
            block["text"] += event["delta"]["text"]
        elif name == "contentBlockDelta" and "toolUse" in event["delta"]:
            call = blocks[index]["toolUse"]
            call["json"] = call.get("json", "") + event["delta"]["toolUse"]["input"]
        elif name == "messageStop":
            reason = event["stopReason"]
        elif name == "metadata":
            usage = event["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"].pop("json", "{}"))
    return list(blocks.values()), reason, usage


def client(bed: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{bed.url}/v1", api_key="none", max_retries=0)


def check_usage(attempt: dict[str, Any], usage: dict[str, Any]) -> None:
    read, written = usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")
    assert attempt["input_tokens"] == usage["inputTokens"] + (read or 0) + (written or 0)
    assert attempt["output_tokens"] == usage["outputTokens"]
    assert attempt["cache_read_tokens"] == read
    assert attempt["cache_write_tokens"] == written
    assert attempt["raw_usage"] == usage
    assert attempt["provenance"] == "reported"


@pytest.mark.parametrize("recording", replies())
async def test_a_reply_says_what_was_recorded(bed: Any, recording: dict[str, Any]) -> None:
    one = await bed()
    vendor = json.loads(recording["body"])
    serving = asyncio.ensure_future(one.upstream.accept())
    async with client(one) as caller:
        asking = asyncio.ensure_future(
            caller.chat.completions.create(model=f"up/{recording['model']}", messages=HI)
        )
        peer = await serving
        request = await peer.request()
        await peer.send(reply(recording["body"].encode(), headers=("x-amzn-requestid: r-1",)))
        got = await asking

    assert request.startswith(f"POST {recording['path']} HTTP/1.1\r\n".encode())
    assert f"authorization: Bearer {KEY}".encode() in request
    assert sent_json(request)["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]
    text, calls, thought = told(vendor["output"]["message"]["content"])
    (choice,) = got.choices
    assert (choice.message.content or "") == text
    assert [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in choice.message.tool_calls or ()
    ] == calls
    assert (getattr(choice.message, "reasoning_content", None) or "") == thought
    assert choice.finish_reason == FINISHES[vendor["stopReason"]]
    assert got.model == recording["model"]
    assert got.id
    row = await one.served.row()
    (attempt,) = row["attempts"]
    check_usage(attempt, vendor["usage"])
    assert row["status"] == "ok"


@pytest.mark.parametrize("recording", recordings("bedrock", form="stream"))
async def test_a_stream_says_what_was_recorded(bed: Any, recording: dict[str, Any]) -> None:
    one = await bed()
    body = base64.b64decode(recording["body_base64"])
    blocks, reason, usage = streamed(body)
    async with client(one) as caller:
        asking = asyncio.ensure_future(
            caller.chat.completions.create(
                model=f"up/{recording['model']}",
                messages=HI,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        peer = await one.upstream.accept()
        request = await peer.request()
        await peer.send(reply(body, recording["content_type"]))
        chunks = [chunk async for chunk in await asking]

    assert request.startswith(f"POST {recording['path']} HTTP/1.1\r\n".encode())
    text, calls, _ = told(blocks)
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == text
    named: dict[int, list[str]] = {}
    for delta in deltas:
        for call in delta.tool_calls or ():
            kept = named.setdefault(call.index, [call.id or "", call.function.name or "", ""])
            kept[2] += call.function.arguments or ""
    assert [(id_, name, json.loads(arguments)) for id_, name, arguments in named.values()] == calls
    ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert [end for end in ends if end] == [FINISHES[reason]]
    assert {chunk.model for chunk in chunks} == {recording["model"]}
    assert chunks[-1].usage.total_tokens == usage["totalTokens"]
    (attempt,) = (await one.served.row())["attempts"]
    check_usage(attempt, usage)


@pytest.mark.parametrize("recording", refusals())
async def test_a_refusal_is_told(bed: Any, recording: dict[str, Any]) -> None:
    one = await bed()
    type_ = "x-amzn-errortype: ValidationException:http://internal.amazon.com/coral/x/"
    async with client(one) as caller:
        asking = asyncio.ensure_future(
            caller.chat.completions.create(model=f"up/{recording['model']}", messages=HI)
        )
        await one.upstream.answer(reply(recording["body"].encode(), status=400, headers=(type_,)))
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
    assert json.loads(recording["body"])["message"] in refused.value.message
    assert refused.value.code == "ValidationException"
    assert refused.value.type == "invalid_request_error"
    assert (await one.served.row())["status"] == "error"


# ------------------------------------------------------------------------------
# Cut and re-cut
# ------------------------------------------------------------------------------

REQUEST = {"model": "m", "messages": HI, "stream": True}


def passed(pieces: list[bytes]) -> tuple[bytes, StreamMeter, bool]:
    """Return what a caller gets of a stream in pieces, its meter, and whether it ended well."""
    passage = Hub(ChatCodec(), ConverseCodec()).begin(json.dumps(REQUEST).encode(), "m", {})
    meter, stage, out = StreamMeter(), passage.stream(Losses()), b""
    for piece in pieces:
        events = meter.feed(piece)
        out += stage.feed(events) if events else b""
    _, clean = meter.close(framed=False)
    return out + (stage.close() if clean else b""), meter, clean


def unnamed(out: bytes) -> list[Any]:
    """Return the chunks without what is made anew for each reply."""
    lines = [line[6:] for line in out.split(b"\n") if line.startswith(b"data: {")]
    made = ("id", "created")
    return [{k: v for k, v in json.loads(line).items() if k not in made} for line in lines]


@pytest.mark.parametrize("recording", recordings("bedrock", form="stream"))
def test_single_bytes_make_the_same_stream(recording: dict[str, Any]) -> None:
    body = base64.b64decode(recording["body_base64"])
    whole, meter, clean = passed([body])
    single, slow, still = passed([body[at : at + 1] for at in range(len(body))])
    assert clean
    assert still
    assert unnamed(single) == unnamed(whole)
    assert slow.usage() == meter.usage()
    assert slow.pending == 0


@pytest.mark.parametrize("recording", recordings("bedrock", form="stream"))
def test_a_cut_anywhere_is_no_end(recording: dict[str, Any]) -> None:
    body = base64.b64decode(recording["body_base64"])
    stop = finished_at(body)
    for at in range(len(body)):
        meter = StreamMeter()
        meter.feed(body[:at])
        tail, clean = meter.close(framed=False)
        assert not tail
        assert clean == (at >= stop), at


def finished_at(body: bytes) -> int:
    """Return where the message with the stop reason ends: all that an answer needs has come."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    at = 0
    for message in buffer:
        at += message.prelude.total_length
        if message.headers[":event-type"] == "messageStop":
            return at
    raise AssertionError("the recording has no end")


async def test_a_caller_is_told_of_a_cut(bed: Any) -> None:
    recording = recordings("bedrock", form="stream")[0].values[0]
    body = base64.b64decode(recording["body_base64"])
    one = await bed()
    async with client(one) as caller:
        for at in (400, 401, finished_at(body) - 1):
            asking = asyncio.ensure_future(
                caller.chat.completions.create(model="up/m", messages=HI, stream=True)
            )
            peer = await one.upstream.accept()
            await peer.request()
            await peer.send(reply(body[:at], EVENT_STREAM, chunked=True))
            peer.close()
            with pytest.raises(openai.APIError):
                async for _ in await asking:
                    pass
            row = await one.served.row()
            assert row["status"] == "error"
