"""Every vendor's streams, cut at every byte: a caller gets what was said, and then an error.

Design §6.2. Where nothing has been said yet the error is the answer; where all has been said, the
caller's stream ends as its dialect demands.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from .arrivals import DONE, arrivals, counted, states
from .endings import is_end, is_error, is_last, read, without_usage
from .pairs import each_pair
from .pieces import Play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arrivals import Arrival
    from .pieces import Got
    from .streams import Stream
    from .unplugged import Unplugged

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAVES = ("closed", "reset", "framed")
"""In turns; HTTP's own word that all is there must not be believed before the vendor's is."""


class Due:
    """What a caller must get of one stream, wherever that is cut.

    ``single`` is what it got of single bytes: how much of it was there after each of them.
    """

    def __init__(self, stream: Stream, caller: str, single: Got) -> None:
        self._caller = caller
        self._dialect = stream.dialect
        self._whole = single.body
        self._sizes = [0, *single.sizes]
        self._content = _content(caller, read(single.body))
        self._arrivals = arrivals(stream)
        self._told = [one.told for one in self._arrivals]
        self._states = list(states(stream))

    def leave(self, cut: int) -> str:
        """Return how the vendor is to leave there."""
        # Not all vendors of this dialect name a reason, so there HTTP's word must do.
        some = self._dialect == "openai-chat" or self._state(cut) != "broken"
        leaves = LEAVES[:2] if some else LEAVES
        return leaves[cut % len(leaves)]

    def _state(self, cut: int) -> str:
        return [state for at, state in self._states if at <= cut][-1]

    def check(self, got: Got) -> str:
        """Hold what a caller got to it; return how it ended."""
        (piece,) = got.play.pieces
        arrived = self._arrivals[: bisect_right(self._told, len(piece))]
        said = _plain(self._whole[: self._sizes[arrived[-1].end]]) if arrived else b""
        state = self._state(len(piece))
        assert got.ended
        if state == "broken" and not said:
            self._refused(got)
            state = "refused"
        else:
            body = _plain(got.body)
            assert (got.status, got.row.http_status) == (200, 200)
            assert body.startswith(said)
            if state == "broken":
                self._broken(got, read(said), read(body[len(said) :]))
            else:
                self._over(got, read(body), state)
                if len(piece) >= self._states[-1][0]:
                    self._complete(read(body), state)
        self._counted(got, arrived)
        return state

    def _refused(self, got: Got) -> None:
        assert (got.status, got.streamed) == (502, False)
        assert is_error(self._caller, {"type": "error", **json.loads(got.body)})
        assert (got.row.status, got.attempt.status) == ("error", "error")
        assert got.row.http_status == 502
        assert got.row.error

    def _broken(self, got: Got, said: list[Any], ending: list[Any]) -> None:
        assert not any(is_end(self._caller, event) for event in said)
        (error,) = ending
        assert is_error(self._caller, error)
        assert (got.row.status, got.attempt.status) == ("error", "error")
        assert got.row.error

    def _over(self, got: Got, events: list[Any], state: str) -> None:
        failed = state == "failed"
        assert sum(is_error(self._caller, event) for event in events) == failed
        assert failed or is_last(self._caller, events[-1])
        assert got.row.status == got.attempt.status == ("error" if failed else "ok")

    def _complete(self, events: list[Any], state: str) -> None:
        content = _content(self._caller, events)
        if state == "failed":  # what its vendor sends behind that passes as it is
            assert is_error(self._caller, [event for event in content if event != DONE][-1])
            assert content == self._content[: len(content)]
        else:
            assert content == self._content

    def _counted(self, got: Got, arrived: Sequence[Arrival]) -> None:
        counts, usage = counted(self._dialect, arrived), got.attempt.usage
        if counts is None and got.status != 200:
            assert usage is None
            return
        assert usage is not None
        if counts is None:
            assert usage.provenance == "partial"
            return
        assert usage.input == counts[0]
        if usage.provenance == "reported":
            assert usage.output == counts[1]
        else:
            assert (usage.output or 0) >= counts[1]


def _content(caller: str, events: list[Any]) -> list[Any]:
    """Return all but the counts, and but one end: some vendors say twice why they end."""
    kept = without_usage(events)
    ends = [False, *(is_end(caller, event) for event in kept)]
    return [event for event, *two in zip(kept, ends, ends[1:], strict=False) if not all(two)]


def _plain(body: bytes) -> bytes:
    """Return a body with the line ends that a missing one is made up for with."""
    return body.replace(b"\r\n", b"\n")


@each_pair
async def test_cut(unplugged: Unplugged, stream: Stream, caller: str) -> None:
    data = stream.data
    single = Play([data[at : at + 1] for at in range(len(data))])
    due = Due(stream, caller, await unplugged.one(caller, stream, single))
    ends: Counter[str] = Counter()
    plays = (Play([data[:cut]], due.leave(cut)) for cut in range(len(data) + 1))
    async for got in unplugged.each(caller, stream, plays):
        try:
            ends[due.check(got)] += 1
        except AssertionError as error:
            error.add_note(f"of {data[-300:]!r} the caller got {got.status} {got.body[-900:]!r}")
            error.add_note(f"{got.row}")
            raise
    assert ends["refused"] > 0
    assert ends["whole"] + ends["failed"] > 0
