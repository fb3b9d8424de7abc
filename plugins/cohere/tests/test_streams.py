"""Streams of Cohere's, read, metered and cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.openai_chat_codec import ChatCodec as OpenAICodec
from gomodel_proxy_cohere.codec import ChatCodec
from gomodel_proxy_cohere.meter import ChatMeter

from .streams import ANSWER, CALLS, CITATION, THOUGHT, call, content, end, message, start, stream

if TYPE_CHECKING:
    import openai

    from gomodel_proxy.testing.played import Played

STREAMS = pytest.mark.parametrize("body", [CALLS, ANSWER, THOUGHT], ids=["calls", "answer", "deep"])
ASKED = json.dumps(
    {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
).encode()


def through(body: bytes, piece: int = 0, *, framed: bool = True) -> tuple[bytes, bool, ChatMeter]:
    """Return what an OpenAI caller gets, whether the end was proper, and the meter."""
    meter = ChatMeter()
    stage = Hub(OpenAICodec(), ChatCodec()).begin(ASKED, "command", {}).stream(Losses())
    out = b""
    for at in range(0, len(body), piece or len(body) or 1):
        passed = meter.feed(body[at : at + (piece or len(body))])
        out += stage.feed(passed) if passed else b""
    tail, clean = meter.close(framed=framed)
    out += stage.feed(tail) if tail else b""
    return out + (stage.close() if clean else b""), clean, meter


def chunks(out: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in out.splitlines() if line.startswith(b"data: {")]


def added(out: bytes) -> dict[str, Any]:
    """Return what chunks add up to."""
    total: dict[str, Any] = {"content": "", "reasoning_content": "", "annotations": [], "calls": {}}
    for chunk in chunks(out):
        total["usage"] = chunk.get("usage") or total.get("usage")
        for choice in chunk["choices"]:
            total["finish"] = choice["finish_reason"] or total.get("finish")
            for name in ("content", "reasoning_content", "annotations"):
                total[name] += choice["delta"].get(name) or type(total[name])()
            for made in choice["delta"].get("tool_calls", ()):
                known = total["calls"].setdefault(made["index"], {"arguments": ""})
                known["arguments"] += made["function"].pop("arguments", "")
                known |= {**made.pop("function"), **made}
    return total


def test_calls() -> None:
    out, clean, meter = through(CALLS)
    assert clean
    assert out.endswith(b"data: [DONE]\n\n")
    assert {chunk["id"] for chunk in chunks(out)} == {"fba98ad3"}
    assert {chunk["model"] for chunk in chunks(out)} == {"command"}
    total = added(out)
    assert total["reasoning_content"] == "I will look, twice."
    assert total["content"] == ""
    assert [
        (call["id"], call["name"], json.loads(call["arguments"]))
        for call in total["calls"].values()
    ] == [
        ("get_weather_p1", "get_weather", {"location": "Madrid"}),
        ("get_weather_ay", "get_weather", {"location": "Brasília"}),
    ]
    assert total["finish"] == "tool_calls"
    assert total["usage"]["prompt_tokens"] == 913
    assert total["usage"]["completion_tokens"] == 83
    assert total["usage"]["prompt_tokens_details"] == {"cached_tokens": 64}
    usage = meter.usage()
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read) == (913, 83, 64)
    assert json.loads(usage.raw)["billed_units"]["input_tokens"] == 37.0
    assert meter.events == 7


def test_citations_come_one_per_source_and_at_their_place() -> None:
    total = added(through(ANSWER)[0])
    assert total["content"] == "It is currently 24°C in Madrid."
    first, second = (note["url_citation"] for note in total["annotations"])
    assert total["content"][first["start_index"] : first["end_index"]] == CITATION["text"]
    assert first["url"] == "file:get_weather_1:0"
    assert first["content"] == "24°C in Madrid"
    assert (second["url"], second["title"]) == ("https://sun.es", "Sun")
    assert total["finish"] == "stop"


def test_thoughts_and_a_citation_after_the_end_of_its_text() -> None:
    out, clean, _ = through(THOUGHT)
    assert clean
    total = added(out)
    assert (total["reasoning_content"], total["content"]) == ("Hm, 2+2", "4")
    assert len(total["annotations"]) == 2
    assert total["finish"] == "length"


@STREAMS
def test_single_bytes_say_the_same(body: bytes) -> None:
    assert through(body, 1)[0] == through(body)[0]


@STREAMS
def test_cut_at_every_byte_is_never_a_proper_end(body: bytes) -> None:
    # whole as soon as all of the event with the reason is there, be it without its blank line
    ended = body.index(b"event: message-end")
    whole = body.index(b"\n", body.index(b"data: ", ended))
    for cut in range(len(body)):
        out, clean, meter = through(body[:cut], framed=False)
        assert clean == (cut >= whole), cut
        assert (b"[DONE]" in out) == clean
        assert clean or meter.usage() is None


def test_an_error_at_the_end_is_none_of_an_answer() -> None:
    for last in (end("ERROR", (1, 1)), end("TIMEOUT", (1, 1)), end("ERROR", (1, 1), error="No.")):
        out, clean, meter = through(stream(start("a"), *content(0, "text", "Hal"), last))
        assert not clean
        assert meter.reported
        assert meter.error == last["delta"].get(
            "error", f"The provider ended with {last['delta']['finish_reason']}."
        )
        assert chunks(out)[-1]["error"]["message"] == meter.error
        assert b"[DONE]" not in out
        assert meter.usage() is not None


def test_an_error_without_a_type() -> None:
    body = stream(start("a")) + b'data: {"message": "too many requests", "id": "x"}\n\n'
    out, clean, meter = through(body)
    assert not clean
    assert meter.error == "too many requests"
    assert chunks(out)[-1]["error"]["message"] == "too many requests"


def test_a_tool_that_takes_nothing_takes_an_object() -> None:
    made = [*call(0, "a"), *call(1, "b", ""), *call(2, "c", '{"x"', ":1}")]
    total = added(through(stream(start("a"), *made, end("TOOL_CALL", (1, 1))))[0])
    assert [one["arguments"] for one in total["calls"].values()] == ["{}", "{}", '{"x":1}']


def test_what_is_no_event_stops_the_stream() -> None:
    out, clean, meter = through(stream(start("a")) + b"data: [1]\n\n" + ANSWER)
    assert not clean
    assert not meter.reported
    assert "not a JSON object" in (meter.error or "")
    assert added(out)["content"] == ""


def test_events_of_tomorrow_and_odd_citations_are_left_out() -> None:
    odd = [
        {"type": "debug", "prompt": "x"},
        message("citation-start", 0, citations={"start": "one"}),
        message("citation-start", 1, citations={**CITATION, "type": "PLAN"}),
    ]
    body = stream(start("a"), *content(0, "text", "Hi"), *odd, end("COMPLETE", (1, 1)))
    total = added(through(body)[0])
    assert total["content"] == "Hi"
    assert len(total["annotations"]) == 1  # of which nothing is known but that it is there


@pytest.mark.asyncio(loop_scope="module")
@STREAMS
async def test_through_the_gateway(setup: Played, caller: openai.AsyncOpenAI, body: bytes) -> None:
    setup.answer(body, piece=7)
    reply = await caller.chat.completions.create(
        model="co/command-r7b-12-2024",
        messages=[{"role": "user", "content": "Hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    got = [json.loads(chunk.model_dump_json()) async for chunk in reply]
    want = added(through(body)[0])
    texts = [choice["delta"]["content"] or "" for one in got for choice in one["choices"]]
    assert "".join(texts) == want["content"]
    assert got[-1]["usage"]["prompt_tokens"] == want["usage"]["prompt_tokens"]
    assert {one["model"] for one in got} == {"command-r7b-12-2024"}
    assert setup.sent == {
        "model": "command-r7b-12-2024",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }
    (attempt,) = (await setup.gateway.row())["attempts"]
    assert attempt["cache_read_tokens"] == 64
    assert attempt["provenance"] == "reported"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cut_stream_is_an_error_to_the_caller(
    setup: Played, caller: openai.AsyncOpenAI
) -> None:
    import openai

    setup.answer(ANSWER[: ANSWER.index(b"event: message-end")], cut=True)
    reply = await caller.chat.completions.create(
        model="co/command-r7b-12-2024",
        messages=[{"role": "user", "content": "Hi"}],
        stream=True,
    )
    with pytest.raises(openai.APIError):
        async for _ in reply:
            pass
    assert (await setup.gateway.row())["status"] == "error"
