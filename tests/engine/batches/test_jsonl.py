"""Results as they stream in: cut at every byte, never too long, no faster than they are kept."""

from __future__ import annotations

import asyncio

import pytest

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.engine.batches.crossing import line_id, line_index
from gomodel_proxy.engine.batches.jsonl import Cut


class Counting:
    """An `Exchange` that counts."""

    def __init__(self) -> None:
        self.paused = 0
        self.resumed = 0

    def pause(self) -> None:
        self.paused += 1

    def resume(self) -> None:
        self.resumed += 1

    def close(self) -> None: ...


async def taken(cut: Cut) -> list[bytes]:
    lines: list[bytes] = []
    while piece := await cut.take():
        lines += piece
    return lines


@pytest.mark.parametrize("size", range(1, 12))
async def test_lines_are_cut_wherever_the_pieces_end(size: int) -> None:
    cut = Cut(100)
    content = b'{"a":1}\n\r\n{"b":2}\r\n\n{"c":3}'
    for at in range(0, len(content), size):
        cut.data(content[at : at + size])
    cut.end(True)
    assert [line.strip() for line in await taken(cut)] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


async def test_a_line_that_is_too_long_is_dropped_alone() -> None:
    cut = Cut(10)
    for piece in (b"first\nmuch too", b" long for", b" anybody\nlast\n", b"and also this"):
        cut.data(piece)
    cut.end(True)
    assert await taken(cut) == [b"first", b"last"]
    assert cut.dropped == 2


async def test_reading_waits_for_who_keeps_the_lines() -> None:
    cut = Cut(4 << 20)
    exchange = cut.exchange = Counting()
    cut.data(b"x" * (1 << 20) + b"\n")
    assert exchange.paused == 0
    cut.data(b"y\nz\n")
    cut.data(b"y\nz\n")
    assert (exchange.paused, exchange.resumed) == (1, 0)
    assert len(await cut.take()) == 5
    assert exchange.resumed == 1


async def test_a_broken_stream_gives_its_lines_first() -> None:
    cut = Cut(100)
    taking = asyncio.create_task(taken(cut))
    await asyncio.sleep(0)
    cut.data(b"whole\nhal")
    cut.failed(UpstreamError("broke"))
    with pytest.raises(UpstreamError, match="broke"):
        await taking
    assert await Cut.take(ended(b"whole\nhal")) == [b"whole"]


def ended(content: bytes) -> Cut:
    cut = Cut(100)
    cut.data(content)
    cut.failed(UpstreamError("broke"))
    return cut


def test_a_lines_id_leads_back_to_it() -> None:
    id_ = line_id("batch_0af3", 12)
    assert id_ == "0af3-12"
    assert line_index("batch_0af3", id_) == 12
    for foreign in ("0af4-12", "0af3", "0af3-", "0af3-x", "0af3-1.2", "0af3-٣", "0af3-9999999999"):
        assert line_index("batch_0af3", foreign) is None
