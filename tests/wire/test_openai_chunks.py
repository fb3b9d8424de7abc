"""Streams of chunks: passed unchanged, hidden where asked, ended properly or not at all."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gomodel_proxy.wire.openai import DIALECTS

if TYPE_CHECKING:
    from gomodel_proxy.api import Meter

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def event(value: Any, end: str = "\n") -> bytes:
    return f"data: {json.dumps(value, separators=(',', ':'))}{end}{end}".encode()


def chunk(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more}


def stream(end: str = "\n") -> list[bytes]:
    return [
        b": ping" + end.encode() * 2,
        event(chunk({"role": "assistant", "content": ""}), end),
        event(chunk({"content": "Hé\u2028"}, usage=None), end),
        event(chunk({"tool_calls": [{"index": 0}]}), end),
        event(chunk({}, "stop"), end),
        event({"choices": [], "usage": USAGE}, end),
        f"data: [DONE]{end}{end}".encode(),
    ]


def meter(hide: bool = False) -> Meter:
    return DIALECTS[0].meter(hide_usage=hide)


def run(watch: Meter, pieces: list[bytes], framed: bool = True) -> tuple[bytes, bool]:
    out = b"".join([watch.feed(piece) for piece in pieces])
    tail, clean = watch.close(framed=framed)
    return out + tail, clean


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("hide", [False, True])
def test_any_cut_gives_the_same_bytes(end: str, hide: bool) -> None:
    events = stream(end)
    whole = b"".join(events)
    want = b"".join(events[:5] + events[5 + hide :])
    for border in range(len(whole) + 1):
        watch = meter(hide)
        assert run(watch, [whole[:border], whole[border:]]) == (want, True)
    watch = meter(hide)
    assert run(watch, [whole[i : i + 1] for i in range(len(whole))]) == (want, True)
    assert watch.events == 2
    found = watch.usage()
    assert found is not None
    assert (found.input, found.output, json.loads(found.raw)) == (5, 2, USAGE)
    assert (watch.error, watch.reported, tuple(watch.created), watch.pending) == (
        None,
        False,
        (),
        0,
    )


@unhurried
@given(st.lists(st.integers(0, 2_000), max_size=9), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_pieces_give_the_same_bytes(borders: list[int], end: str, hide: bool) -> None:
    events = stream(end)
    whole = b"".join(events)
    edges = sorted({0, len(whole), *(border % len(whole) for border in borders)})
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    assert run(meter(hide), pieces) == (b"".join(events[:5] + events[5 + hide :]), True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("hide", [False, True])
def test_a_stream_cut_at_any_byte_is_clean_only_if_every_choice_had_finished(
    end: str, hide: bool
) -> None:
    events = stream(end)
    whole = b"".join(events)
    # Complete but for its blank line, an event counts.
    finished = len(b"".join(events[:5])) - 2 * len(end)
    for length in range(len(whole)):
        watch = meter(hide)
        out, clean = run(watch, [whole[:length]], framed=False)
        assert clean is (length >= finished), length
        assert (b"data: [DONE]" in out) is clean
        passed = out.removesuffix(DONE)
        assert all(part.startswith((b"data: ", b":")) for part in passed.split(b"\n\n") if part)
        assert watch.error is None
        assert (watch.usage() is not None) is (length >= len(b"".join(events[:6])) - 2 * len(end))


def test_a_framed_stream_without_done_gets_one() -> None:
    events = stream()[:2]
    assert run(meter(), events) == (b"".join(events) + DONE, True)


def test_a_framed_end_inside_an_event_is_a_fault() -> None:
    events = stream()
    for piece in (events[2][:-9], b"da", b'data: {"choices"'):
        watch = meter()
        assert run(watch, [*events[:5], piece]) == (b"".join(events[:5]), False)
        assert watch.error is not None
        assert "inside an event" in watch.error
        assert not watch.reported


@pytest.mark.parametrize("tail", [b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\r\n"])
@pytest.mark.parametrize("framed", [True, False])
def test_a_done_without_its_blank_line(tail: bytes, framed: bool) -> None:
    events = stream()[:2]
    out, clean = run(meter(), [*events, tail], framed)
    assert clean
    assert out.startswith(b"".join(events) + tail)
    assert out.endswith((b"\n\n", b"\r\n\n"))
    assert out.count(b"[DONE]") == 1


def test_every_choice_must_finish() -> None:
    both = [event(chunk({"content": "a"}, index=i)) for i in (0, 1)]
    first = event(chunk({}, "stop", index=0))
    second = event(chunk({}, "length", index=1))
    assert run(meter(), [*both, first], framed=False)[1] is False
    assert run(meter(), [*both, first, second], framed=False)[1] is True
    # A chunk after the finish, such as one with usage, does not open the choice again.
    late = event(chunk({"content": ""}, None, index=0, usage=USAGE))
    assert run(meter(), [*both, first, second, late], framed=False)[1] is True


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b": ping\n\n",
        b"data: [DONE]\n\n",
        b"data: [DONE]",
        event({"choices": [], "prompt_filter_results": [1]}) + DONE,
        b'{"error":{"message":"no"}}',
        b'{"id":"x","choices":[{"index":0,"finish_reason":"stop"}]}',
        b"<html>\n<body>\n\n<h1>502</h1>\n\n</html>",
        b"Internal Server Error",
    ],
)
@pytest.mark.parametrize("framed", [True, False])
def test_an_empty_answer_and_no_stream_are_never_clean(body: bytes, framed: bool) -> None:
    for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
        out, clean = run(meter(), pieces, framed)
        assert not clean
        assert b"[DONE]" not in out
        assert out == b"" or out.startswith((b"\n", b": ping", b'data: {"choices":[]'))


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {",
        b'data: {"a":1',
        b"data: <html>",
        b"data: 7",
        b'data: "x"',
        b"data: [1]",
        b"data: \xff",
        b'data: {}\ndata: {"b":1}',
        b"data: [DONE",
        b"data: {]}",
        b"not an event",
    ],
)
def test_nothing_passes_from_the_first_malformed_event_on(garbage: bytes) -> None:
    good = stream()
    watch = meter()
    out = watch.feed(b"".join([*good[:3], garbage + b"\n\n", *good[3:]]))
    assert out == b"".join(good[:3])
    assert watch.error is not None
    assert watch.error.isprintable()
    assert not watch.reported
    assert watch.feed(good[4]) == b""
    assert watch.close(framed=True) == (b"", False)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (event({"error": {"message": "over", "code": 1}}), "over"),
        (event({"error": "over"}), "over"),
        (b"event: error\n" + event({"error": {"message": "over"}}), "over"),
        (b"event: error\r\n" + event({"message": "over"}, "\r\n"), "over"),
        (event({"object": "error", "message": "over", "code": 400}), "over"),
        (event(chunk({"content": ""}, error={"message": "over"}, usage=USAGE)), "over"),
        (event({"choices": [], "usage": USAGE, "error": {"message": "over"}}), "over"),
    ],
)
@pytest.mark.parametrize("framed", [True, False])
def test_the_vendor_s_own_error_goes_on(sent: bytes, message: str, framed: bool) -> None:
    good = stream()
    watch = meter(hide=True)
    assert run(watch, [*good[:3], sent], framed) == (b"".join(good[:3]) + sent, False)
    assert (watch.error, watch.reported) == (message, True)
    after = meter(hide=True)
    assert run(after, [sent, DONE], framed) == (sent + DONE, False)
    assert (after.error, after.reported) == (message, True)


def test_no_error_is_no_error() -> None:
    watch = meter()
    events = [event(chunk({"content": "a"}, "stop", error=None)), DONE]
    assert run(watch, events) == (b"".join(events), True)
    assert watch.error is None


def test_unusual_types_are_the_vendor_s_business() -> None:
    events = [
        event(chunk({"content": "a"}, index="0")),  # type: ignore[arg-type]
        event(chunk("text", usage="none")),
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"logprobs":NaN}]}\n\n',
        b'data: {"choices":{},"x_groq":[]}\n\n',
        event({"type": "ping"}),
        b"data:\n\n",
        event(chunk({}, 7, usage=USAGE)),  # type: ignore[arg-type]
    ]
    watch = meter(hide=True)
    assert run(watch, events, framed=False) == (b"".join(events) + DONE, True)
    assert watch.events == 2
    found = watch.usage()
    assert found is not None
    assert found.total == 7


def test_an_empty_finish_reason_is_none() -> None:
    assert run(meter(), [event(chunk({"content": "a"}, ""))], framed=False)[1] is False


def test_usage_of_a_vendor_s_own_member() -> None:
    watch = meter()
    watch.feed(event(chunk({}, "stop", x_groq={"id": "r"})))
    assert watch.usage() is None
    watch.feed(event(chunk({}, "stop", x_groq={"id": "r", "usage": USAGE})))
    found = watch.usage()
    assert found is not None
    assert found.total == 7


def test_usage_of_a_choice() -> None:
    watch = meter(hide=True)
    sent = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]})
    assert run(watch, [sent, DONE]) == (sent + DONE, True)
    found = watch.usage()
    assert found is not None
    assert found.total == 7


def test_usage_beside_choices_is_never_hidden() -> None:
    events = [event(chunk({"content": "a"}, "stop", usage=USAGE)), DONE]
    assert run(meter(hide=True), events) == (b"".join(events), True)


def test_completions_stream_texts() -> None:
    watch = DIALECTS[3].meter(hide_usage=True)
    events = [
        event({"choices": [{"index": 0, "text": "a", "finish_reason": None}]}),
        event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
        event({"choices": [], "usage": USAGE}),
        DONE,
    ]
    assert run(watch, events) == (b"".join(events[:2]) + DONE, True)
    assert watch.events == 1


def test_pending_counts_the_unfinished_event() -> None:
    watch = meter()
    watch.feed(stream()[1] + b"data: {")
    assert watch.pending == 7


@pytest.mark.parametrize("position", [2, 4])
def test_embeddings_and_moderations_have_no_meter(position: int) -> None:
    with pytest.raises(NotImplementedError, match="does not stream"):
        DIALECTS[position].meter(hide_usage=False)
