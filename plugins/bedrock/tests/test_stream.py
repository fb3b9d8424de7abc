"""Streams: messages that lie, exceptions inside, thoughts, citations, tools the vendor runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest

from gomodel_proxy.api.chat import Failed, Finish, Opaque, PartEnd, PartStart, Piece, UsageReport
from gomodel_proxy_bedrock.codec import ConverseCodec
from gomodel_proxy_bedrock.meter import StreamMeter

from .conftest import EVENT_STREAM, KEY, reply
from .frames import exception, frame, said

ASKED = {"model": "up/m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def block(index: int, delta: dict[str, Any]) -> bytes:
    return frame({"contentBlockIndex": index, "delta": delta}, "contentBlockDelta")


def start(index: int, started: dict[str, Any]) -> bytes:
    return frame({"contentBlockIndex": index, "start": started}, "contentBlockStart")


def stop(index: int) -> bytes:
    return frame({"contentBlockIndex": index}, "contentBlockStop")


def read(*messages: bytes) -> list[Any]:
    return list(ConverseCodec().reader(traits={}).feed(StreamMeter().feed(b"".join(messages))))


def test_a_meter_knows_an_end() -> None:
    meter = StreamMeter()
    for message in said("a", "b"):
        meter.feed(message)
    assert meter.close(framed=True) == (b"", True)
    assert meter.events == 2
    usage = meter.usage()
    assert usage is not None
    assert (usage.input, usage.output) == (3, 2)


@pytest.mark.parametrize(
    ("counts", "whole"),
    [
        ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 17}, 15),
        # as if the cached tokens had been counted in already
        ({"inputTokens": 15, "outputTokens": 2, "totalTokens": 17}, 15),
        ({"inputTokens": 5, "outputTokens": 2}, 15),
        # a total that leaves them out as well: more were cached than counted
        ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, 15),
    ],
)
def test_input_includes_what_was_cached(counts: dict[str, int], whole: int) -> None:
    meter = StreamMeter()
    cached = {"cacheReadInputTokens": 7, "cacheWriteInputTokens": 3}
    meter.feed(b"".join(said("a", usage=counts | cached)))
    usage = meter.usage()
    assert usage is not None
    assert (usage.input, usage.cache_read, usage.cache_write) == (whole, 7, 3)
    assert usage.cache_write_1h is None


@pytest.mark.parametrize(("ttls", "hour"), [(["1h", "5m"], 2), (["5m"], 0), (["1h"], 2)])
def test_what_is_kept_for_an_hour_is_told_apart(ttls: list[str], hour: int) -> None:
    meter = StreamMeter()
    counts = {"inputTokens": 5, "outputTokens": 2, "cacheWriteInputTokens": 3}
    details = [{"ttl": ttl, "inputTokens": 2} for ttl in ttls]
    meter.feed(b"".join(said("a", usage={**counts, "cacheDetails": details})))
    usage = meter.usage()
    assert usage is not None
    assert (usage.cache_write, usage.cache_write_1h) == (3, hour)


def test_an_end_without_usage_is_one_and_half_a_message_is_none() -> None:
    *messages, usage = said("a")
    meter = StreamMeter()
    meter.feed(b"".join(messages))
    assert meter.close(framed=True) == (b"", True)
    assert meter.usage() is None
    meter = StreamMeter()
    meter.feed(b"".join(messages) + usage[:-1])
    assert meter.pending == len(usage) - 1
    assert meter.close(framed=True) == (b"", False)
    assert meter.error is not None


def test_nothing_and_half_of_it_are_no_end() -> None:
    assert StreamMeter().close(framed=True) == (b"", False)
    meter = StreamMeter()
    meter.feed(b"".join(said("a")[:-2]))
    assert meter.close(framed=True) == (b"", False)


@pytest.mark.parametrize("at", [2, 9, 40, -2])
def test_a_wrong_byte_is_an_error(at: int) -> None:
    message = bytearray(
        frame({"contentBlockIndex": 0, "delta": {"text": "a"}}, "contentBlockDelta")
    )
    message[at] ^= 1
    meter = StreamMeter()
    out = meter.feed(bytes(message) + b"".join(said("a")))
    if at != 2:  # a wrong length may as well be one that is yet to come
        assert meter.error is not None
    assert not out
    assert not meter.reported
    assert meter.close(framed=True)[1] is False


def test_what_is_no_json_is_an_error() -> None:
    meter = StreamMeter()
    assert not meter.feed(frame(b"{", "contentBlockDelta"))
    assert meter.error is not None


def test_an_exception_is_reported() -> None:
    meter = StreamMeter()
    out = meter.feed(said("a")[0] + exception("throttlingException", "Too many tokens."))
    assert meter.error == "Too many tokens."
    assert meter.reported
    assert meter.close(framed=True) == (b"", False)
    assert ConverseCodec().reader(traits={}).feed(out)[-1] == Failed(
        "Too many tokens.", code="throttlingException"
    )
    meter = StreamMeter()
    meter.feed(frame(b"", message_type="error", error_code="Gone", error_message="It went."))
    assert (meter.error, meter.reported) == ("It went.", True)


def test_thoughts() -> None:
    events = read(
        block(0, {"reasoningContent": {"text": "Hm"}}),
        block(0, {"reasoningContent": {"text": "."}}),
        block(0, {"reasoningContent": {"signature": "sig"}}),
        stop(0),
        block(1, {"reasoningContent": {"redactedContent": "QUJD"}}),
        stop(1),
    )
    first, second = [PartStart, Piece, Piece, Piece, PartEnd], [PartStart, Piece, PartEnd]
    assert [type(event) for event in events] == [*first, *second]
    assert events[0].part.dialect == "bedrock.converse"
    assert [(e.text, e.field) for e in events if isinstance(e, Piece)] == [
        ("Hm", "text"),
        (".", "text"),
        ("sig", "signature"),
        ("QUJD", "encrypted"),
    ]
    assert events[5].part.redacted


def test_citations() -> None:
    cited = {
        "title": "A page",
        "sourceContent": [{"text": "It is "}, {"text": "so."}],
        "location": {"web": {"url": "https://example.com/a", "domain": "example.com"}},
    }
    events = read(block(0, {"text": "So."}), block(0, {"citation": cited}), stop(0))
    (_, _, piece, _) = events
    assert piece.field == "citation"
    assert (piece.citation.url, piece.citation.title) == ("https://example.com/a", "A page")
    assert piece.citation.cited == "It is so."
    assert json.loads(bytes(piece.citation.raw)) == cited


def test_a_tool_that_takes_nothing_takes_an_object() -> None:
    call = {"toolUse": {"toolUseId": "t", "name": "now"}}
    events = read(start(0, call), block(0, {"toolUse": {"input": ""}}), stop(0))
    assert [e.text for e in events if isinstance(e, Piece)] == ["{}"]


def test_what_the_vendor_ran_is_no_call_of_the_callers() -> None:
    call = {
        "toolUse": {"toolUseId": "t", "name": "nova_code_interpreter", "type": "server_tool_use"}
    }
    result = {"toolResult": {"toolUseId": "t", "type": "nova_code_interpreter_result"}}
    events = read(
        start(0, call),
        block(0, {"toolUse": {"input": '{"snippet":'}}),
        block(0, {"toolUse": {"input": ' "1"}'}}),
        stop(0),
        start(1, result),
        block(1, {"toolResult": [{"json": {"stdOut": "1"}}]}),
        stop(1),
    )
    parts = [event.part for event in events if isinstance(event, PartStart)]
    assert all(isinstance(part, Opaque) for part in parts)
    called, answered = (json.loads(bytes(part.raw)) for part in parts)
    assert called["toolUse"]["input"] == {"snippet": "1"}
    assert answered["toolResult"]["content"] == [{"json": {"stdOut": "1"}}]


@pytest.mark.parametrize(
    ("reason", "neutral"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("guardrail_intervened", "content_filter"),
        ("malformed_tool_use", "error"),
        ("something_new", "other"),
    ],
)
def test_ends(reason: str, neutral: str) -> None:
    named = {"stopReason": reason, "additionalModelResponseFields": {"stop_sequence": "END"}}
    finish, usage = read(frame(named, "messageStop"), said()[-1])
    assert finish == Finish(neutral, stopped_by="END", raw=reason)  # type: ignore[arg-type]
    assert isinstance(usage, UsageReport)


def test_an_event_of_another_kind_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="text"):
        read(block(0, {"text": 7}))


# ------------------------------------------------------------------------------
# Through the gateway
# ------------------------------------------------------------------------------


async def test_an_exception_inside_a_stream_is_told(bed: Any) -> None:
    one = await bed()
    body = said("a")[0] + exception("throttlingException", f"Slow down, {KEY}.")
    async with openai.AsyncOpenAI(
        base_url=f"{one.url}/v1", api_key="none", max_retries=0
    ) as caller:
        asking = asyncio.ensure_future(caller.chat.completions.create(**ASKED))
        await one.upstream.answer(reply(body, EVENT_STREAM))
        with pytest.raises(openai.APIError) as told:
            async for _ in await asking:
                pass
    assert told.value.message == "Slow down, ***."
    assert told.value.code == "throttlingException"
    row = await one.served.row()
    assert row["status"] == "error"


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", EVENT_STREAM),
        reply(b"{}", "application/json"),
        reply(b"".join(said("a"))[:-1], EVENT_STREAM),
        reply(b"data: {}\n\n", "text/plain"),
    ],
)
async def test_what_is_no_stream_is_an_error(bed: Any, answer: bytes) -> None:
    one = await bed()
    async with openai.AsyncOpenAI(
        base_url=f"{one.url}/v1", api_key="none", max_retries=0
    ) as caller:
        asking = asyncio.ensure_future(caller.chat.completions.create(**ASKED))
        await one.upstream.answer(answer)
        with pytest.raises(openai.APIError):
            async for _ in await asking:
                pass
    assert (await one.served.row())["status"] == "error"
