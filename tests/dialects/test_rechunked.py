"""Every vendor's streams, re-chunked at every byte: callers of every dialect get the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .pairs import each_first_pair, each_recorded_pair
from .pieces import Play

if TYPE_CHECKING:
    from .pieces import Got
    from .streams import Stream
    from .unplugged import Unplugged

pytestmark = pytest.mark.asyncio(loop_scope="module")


def check(got: Got, whole: Got) -> None:
    """Hold what a caller got of the pieces to what it got of the whole."""
    assert (got.status, got.ended) == (200, True)
    assert got.body == whole.body
    assert (got.row.status, got.row.error) == (whole.row.status, whole.row.error)
    assert got.attempt.usage == whole.attempt.usage


@each_first_pair
async def test_in_two_pieces(unplugged: Unplugged, stream: Stream, caller: str) -> None:
    data = stream.data
    whole = await unplugged.one(caller, stream, Play([data]))
    plays = (Play([data[:at], data[at:]]) for at in range(1, len(data)))
    async for got in unplugged.each(caller, stream, plays):
        check(got, whole)


@each_recorded_pair
async def test_in_single_bytes(unplugged: Unplugged, stream: Stream, caller: str) -> None:
    data = stream.data
    whole = await unplugged.one(caller, stream, Play([data]))
    play = Play([data[at : at + 1] for at in range(len(data))])
    check(await unplugged.one(caller, stream, play), whole)
