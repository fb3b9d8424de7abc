"""Streams on their way through: whole events, usage, ends, cuts at every byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy_anthropic.meter import MessageMeter

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


START = event(
    "message_start", message={"id": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}
)
BODY = (
    event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + event("ping")
    + event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
    + event("content_block_stop", index=0)
)
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7})
WHOLE = START + BODY + END + STOP


def feed(stream: bytes, *, framed: bool = False) -> tuple[MessageMeter, bytes, bool]:
    meter = MessageMeter()
    out = meter.feed(stream)
    tail, clean = meter.close(framed=framed)
    return meter, out + tail, clean


def test_a_whole_stream_passes_unchanged() -> None:
    meter, out, clean = feed(WHOLE)
    assert (out, clean, meter.events, meter.error) == (WHOLE, True, 1, None)


def test_usage_is_cumulative_and_input_includes_the_cache() -> None:
    start = {
        "input_tokens": 5,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
    }
    end = {
        "output_tokens": 9,
        "cache_read_input_tokens": None,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    stream = event("message_start", message={"usage": {**start, "output_tokens": 1}}) + event(
        "message_delta", delta={"stop_reason": "end_turn"}, usage=end
    )
    usage = feed(stream)[0].usage()
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.cache_write) == (18, 9, 10, 3)
    assert (usage.cache_write_1h, usage.reasoning) == (2, 4)
    assert json.loads(usage.raw)["cache_read_input_tokens"] == 10


def test_usage_of_half_a_stream_is_partial() -> None:
    more = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "!"})
    half, whole = feed(START + BODY + more)[0].usage(), feed(WHOLE)[0].usage()
    assert half is not None
    assert whole is not None
    assert (half.input, half.output, half.provenance) == (5, 2, "partial")
    assert (whole.input, whole.output, whole.provenance) == (5, 7, "reported")


@pytest.mark.parametrize("framed", [False, True])
def test_cuts_at_every_byte(framed: bool) -> None:
    said = len(START + BODY + END) - 2  # from here on the stop reason has come
    inside = range(len(START + BODY + END) + 1, len(WHOLE) - 2)  # the last event, if framed a fault
    for cut in range(len(WHOLE) + 1):
        _, out, clean = feed(WHOLE[:cut], framed=framed)
        assert out == WHOLE[: len(out)]
        assert out.endswith(b"\n\n") or not out
        if cut < said:
            assert not clean, cut
        elif clean or not (framed and cut in inside):
            assert (clean, out) == (True, WHOLE), cut


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pieces_of_any_size(size: int) -> None:
    meter = MessageMeter()
    out = b"".join(meter.feed(WHOLE[n : n + size]) for n in range(0, len(WHOLE), size))
    assert out + meter.close(framed=True)[0] == WHOLE
    assert meter.events == 1


def test_an_error_inside_is_reported_and_passed_on() -> None:
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    meter, out, clean = feed(START + BODY + error)
    assert out.endswith(error)
    assert (meter.error, meter.reported, clean) == ("Overloaded", True, False)


@pytest.mark.parametrize("bad", [b"data: {oops\n\n", b"data: [1]\n\n", b"<html>\n\n"])
def test_what_is_no_event_ends_it(bad: bytes) -> None:
    meter, out, clean = feed(START + bad + BODY + END + STOP)
    assert (out, clean, meter.reported) == (START, False, False)
    assert meter.error is not None


def test_an_empty_stream_is_not_clean() -> None:
    assert feed(b"", framed=True)[1:] == (b"", False)
    assert feed(START + BODY, framed=True)[2] is False


def test_a_container_is_a_resource() -> None:
    end = event("message_delta", delta={"stop_reason": "end_turn", "container": {"id": "c1"}})
    assert feed(START + end)[0].created == ("container:c1",)
