"""Events cut at any border: the bytes as they came, the data as the standard reads it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gomodel_proxy.wire import sse

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ENDS = ("\n", "\r\n", "\r")
STREAMS = [
    b'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n',
    b"\xef\xbb\xbfdata: 1\n\n: ping\n\ndata:2\n\n",
    b"event: x\ndata: 1\n\nevent: y\ndata: 2\nid: 7\n\nretry: 10\n\n",
    b"data: 1\r\n\r\nevent: x\r\ndata: 2\r\n\r\n",
    b"data: 1\r\rdata: 2\rdata: 3\r\r",
    b"data: 1\n\r\ndata: 2\r\n\ndata: 3\n\rdata: 4\r\r\n",
    b"\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n",
    b"data: first\ndata\ndata:  third\n\n",
    b"data\n\nevent: lonely\n\n",
]


def by_the_standard(stream: bytes) -> list[tuple[bytes, bytes]]:
    """Return (name, data) of each event, read line by line as the WHATWG text says."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, name, data = [], b"", None
    for line in text.split(b"\n")[:-1]:
        if not line:
            if data is not None:
                events.append((name, data))
            name, data = b"", None
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if field == b"event":
            name = value
        elif field == b"data":
            data = value if data is None else data + b"\n" + value
    return events


def cut(pieces: list[bytes]) -> tuple[list[sse.Event], bytes]:
    cutter = sse.Cutter()
    events = []
    for piece in pieces:
        events += cutter.feed(piece)
    held = cutter.pending
    rest = cutter.close()
    assert cutter.pending == 0
    assert held == len(b"".join(pieces)) - sum(len(event[0]) for event in events)
    return events, rest


def said(events: list[sse.Event]) -> list[tuple[bytes, bytes]]:
    return [(name, data) for _, name, data in events if data is not None]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    line = st.sampled_from(
        ["data: {}", "data:x", "data", "event: e", ": c", "id: 1", "retry: 2", "data: é\u2028", ""]
    )
    ends = draw(st.sampled_from([("\n",), ("\r\n",), ENDS]))
    lines = draw(st.lists(line, max_size=12))
    text = "".join(each + draw(st.sampled_from(ends)) for each in lines)
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@st.composite
def pieces(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> list[bytes]:
    stream = draw(source)
    borders = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return [stream[a:b] for a, b in zip([0, *borders], [*borders, len(stream)], strict=True)]


@unhurried
@given(pieces(streams()))
def test_any_pieces_give_the_standard_s_events(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    events, rest = cut(parts)
    whole = b"".join(event[0] for event in events)
    assert stream.startswith(whole)
    final = [sse.parse(rest)] if rest else []
    # The standard drops an event without its blank line; `close` gives it one.
    assert said(events + final) == by_the_standard(whole + rest)
    assert rest.startswith(stream[len(whole) :]) or not stream[len(whole) :].strip(b"\r\n")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_cut_at_every_byte_changes_nothing(stream: bytes) -> None:
    want, rest = cut([stream])
    assert said(want + ([sse.parse(rest)] if rest else [])) == by_the_standard(stream)
    for border in range(len(stream) + 1):
        assert cut([stream[:border], stream[border:]]) == (want, rest)
    assert cut([stream[i : i + 1] for i in range(len(stream))]) == (want, rest)


def test_an_event_is_told_as_soon_as_it_is_complete() -> None:
    cutter = sse.Cutter()
    assert cutter.feed(b"data: 1\n") == []
    assert cutter.feed(b"\n") == [(b"data: 1\n\n", b"", b"1")]
    assert cutter.feed(b"event: e\ndata: 2\n\ndata: 3") == [(b"event: e\ndata: 2\n\n", b"e", b"2")]
    assert cutter.pending == 7
    assert cutter.feed(b"\r\n\r\n") == [(b"data: 3\r\n\r\n", b"", b"3")]


@pytest.mark.parametrize(
    ("fed", "closed"),
    [
        (b"data: [DONE]", b"data: [DONE]\n\n"),
        (b"data: [DONE]\n", b"data: [DONE]\n\n"),
        (b"data: [DONE]\r\n", b"data: [DONE]\r\n\n"),
        (b"data: [DONE]\r", b"data: [DONE]\r\n\n"),
        (b"data: [DONE]\r\n\r", b"data: [DONE]\r\n\r\n"),
        (b"data: [DONE]\r\r", b"data: [DONE]\r\r"),
        (b"\n", b""),
        (b"data: 1\n\n\r", b""),
        (b"", b""),
    ],
)
def test_closing_completes_the_last_event(fed: bytes, closed: bytes) -> None:
    _, rest = cut([fed])
    assert rest == closed
    if rest:
        assert sse.Cutter().feed(rest + b"data: next") == [sse.parse(rest)]
        assert by_the_standard(rest) == [(b"", b"[DONE]")]


def test_a_long_event_is_joined_only_where_a_line_may_end() -> None:
    cutter = sse.Cutter()
    for _ in range(100_000):
        assert cutter.feed(b"xxxxxxxxxx") == []
    assert cutter.pending == 1_000_000
    (event,) = cutter.feed(b"\n\n")
    assert len(event[0]) == 1_000_002


@pytest.mark.parametrize(
    ("block", "noise"),
    [
        (b": ping\n\n", True),
        (b"\n\n", True),
        (b"event: x\nid\nretry: 3\n\n", True),
        (b"\xef\xbb\xbf: ping\n\n", True),
        (b"<html>\n\n", False),
        (b': ok\n{"error":1}\n\n', False),
    ],
)
def test_noise(block: bytes, noise: bool) -> None:
    assert sse.is_noise(block) is noise


def test_writing_an_event() -> None:
    assert sse.event(b"{}") == b"data: {}\n\n"
    assert sse.event(b"{}", "error") == b"event: error\ndata: {}\n\n"
