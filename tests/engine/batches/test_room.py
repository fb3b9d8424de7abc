"""How many lines one provider may have executed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gomodel_proxy.engine.batches.room import Room


def room(concurrency: int = 4, rate: int = 0) -> Room:
    config = SimpleNamespace(batch_concurrency=concurrency, batch_rate=rate)
    account: Any = SimpleNamespace(config=config)
    return Room(account)


def test_so_many_at_once_and_as_many_again_at_hand() -> None:
    it = room(4)
    assert it.wanted(1.0) == 8
    assert [it.enter(1.0) for _ in range(5)] == [True] * 4 + [False]
    it.held = 3
    assert it.wanted(1.0) == 1
    it.leave()
    assert it.enter(1.0)


def test_a_provider_that_asks_for_patience_gets_it() -> None:
    it = room()
    it.close(10.0)
    assert it.wanted(9.0) == 0
    assert not it.enter(9.0)
    assert it.opens(9.0) == 1.0
    it.close(5.0)  # the longer one counts
    assert it.opens(9.0) == 1.0
    assert it.enter(10.0)


def test_no_more_begin_in_a_minute_than_the_rate_says() -> None:
    it = room(1000, rate=120)
    begun = 0
    for tick in range(601):  # a minute, in tenths of seconds
        while it.enter(1.0 + tick / 10):
            begun += 1
    assert 118 <= begun <= 123
    assert 0 < it.opens(61.0) <= 0.5


def test_refusals_are_counted_until_a_line_is_served() -> None:
    it = room()
    assert [it.refused(), it.refused()] == [0, 1]
    it.calm()
    assert it.refused() == 0
