"""Streams of response events: passed unchanged, and complete only with their last event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.wire.openai import DIALECTS

if TYPE_CHECKING:
    from gomodel_proxy.api import Meter

USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


def event(kind: str, **members: Any) -> bytes:
    data = json.dumps({"type": kind, **members}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


def response(**members: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "usage": None, "error": None, **members}


STREAM = [
    event("response.created", response=response(), sequence_number=0),
    event("response.in_progress", response=response(), sequence_number=1),
    event("response.output_text.delta", delta="Hé", sequence_number=2),
    event("response.output_text.delta", delta="!", sequence_number=3),
    event("response.output_text.done", text="Hé!", sequence_number=4),
    event("response.completed", response=response(usage=USAGE), sequence_number=5),
]


def meter() -> Meter:
    return DIALECTS[1].meter(hide_usage=True)


def run(watch: Meter, pieces: list[bytes], framed: bool = True) -> tuple[bytes, bool]:
    out = b"".join([watch.feed(piece) for piece in pieces])
    tail, clean = watch.close(framed=framed)
    return out + tail, clean


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("framed", [True, False])
def test_any_cut_gives_the_same_bytes(end: bytes, framed: bool) -> None:
    whole = b"".join(STREAM).replace(b"\n", end)
    for border in range(len(whole) + 1):
        assert run(meter(), [whole[:border], whole[border:]], framed) == (whole, True)
    watch = meter()
    assert run(watch, [whole[i : i + 1] for i in range(len(whole))], framed) == (whole, True)
    assert watch.events == 2
    found = watch.usage()
    assert found is not None
    assert (found.input, found.output, json.loads(found.raw)) == (5, 2, USAGE)
    assert tuple(watch.created) == ("response:resp_1",)


@pytest.mark.parametrize("framed", [True, False])
def test_a_stream_cut_at_any_byte_is_clean_only_with_its_last_event(framed: bool) -> None:
    whole = b"".join(STREAM)
    for length in range(len(whole) - 2):
        watch = meter()
        out, clean = run(watch, [whole[:length]], framed)
        assert not clean
        assert whole.startswith(out.rstrip(b"\n"))
        assert not watch.reported
    assert run(meter(), [whole[:-2]], framed) == (whole, True)


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_the_last_event_may_be_all_there_is(kind: str) -> None:
    last = event(kind, response=response(usage=USAGE))
    watch = meter()
    assert run(watch, [last], framed=False) == (last, True)
    assert tuple(watch.created) == ("response:resp_1",)


def test_a_done_after_the_last_event_passes_and_none_is_added() -> None:
    done = b"data: [DONE]\n\n"
    assert run(meter(), [*STREAM, done]) == (b"".join(STREAM) + done, True)
    watch = meter()
    assert run(watch, [*STREAM[:3], done]) == (b"".join(STREAM[:3]), False)
    assert watch.error is not None


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (event("error", code="c", message="over", param=None, sequence_number=3), "over"),
        (event("error", error={"code": "c", "message": "over"}, sequence_number=3), "over"),
        (event("response.failed", response=response(error={"message": "over"})), "over"),
        (event("response.failed", response=response()), "The response failed."),
        (b'data: {"error":{"message":"over"}}\n\n', "over"),
        (b'event: error\ndata: {"message":"over"}\n\n', "over"),
    ],
)
def test_the_vendor_s_own_error_goes_on(sent: bytes, message: str) -> None:
    watch = meter()
    assert run(watch, [*STREAM[:3], sent]) == (b"".join(STREAM[:3]) + sent, False)
    assert (watch.error, watch.reported) == (message, True)


def test_a_failure_of_a_part_is_none_of_the_stream() -> None:
    part = event("response.steer.failed", error={"message": "x"})
    watch = meter()
    assert run(watch, [part, *STREAM]) == (b"".join([part, *STREAM]), True)
    assert watch.error is None


def test_a_failed_response_reports_its_usage() -> None:
    watch = meter()
    watch.feed(event("response.failed", response=response(usage=USAGE, error={"message": "x"})))
    found = watch.usage()
    assert found is not None
    assert found.total == 7


@pytest.mark.parametrize("body", [b"", b": ping\n\n", b"<html>\n\n</html>", b'{"error":{}}', b"{}"])
@pytest.mark.parametrize("framed", [True, False])
def test_what_is_no_stream_is_never_clean(body: bytes, framed: bool) -> None:
    out, clean = run(meter(), [body], framed)
    assert not clean
    assert out in (b"", b": ping\n\n")


def test_nothing_passes_from_the_first_malformed_event_on() -> None:
    watch = meter()
    out, clean = run(watch, [*STREAM[:2], b"event: x\ndata: {\n\n", *STREAM[2:]])
    assert (out, clean) == (b"".join(STREAM[:2]), False)
    assert watch.error is not None
    assert not watch.reported


def test_unusual_types_are_the_vendor_s_business() -> None:
    odd = [b'data: {"type":7,"response":[]}\n\n', b'data: {"type":"x","n":NaN}\n\n', b"data:\n\n"]
    assert run(meter(), [*odd, *STREAM]) == (b"".join([*odd, *STREAM]), True)


@pytest.mark.parametrize(
    ("members", "created"),
    [
        ({"store": True}, ("response:resp_1",)),
        ({"store": False}, ()),
        ({"store": False, "background": True}, ("response:resp_1",)),
        ({"id": None}, ()),
    ],
)
def test_what_the_vendor_keeps(members: dict[str, Any], created: tuple[str, ...]) -> None:
    watch = meter()
    watch.feed(event("response.created", response=response(**members)))
    assert tuple(watch.created) == created
