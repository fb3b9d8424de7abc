"""How many lines one provider may have executed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gomodel_proxy.config.settings import Batches
from gomodel_proxy.engine.batches.room import Room, pause


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


@pytest.mark.parametrize(("said", "waits"), [(0.0, 2.0), (7.5, 7.5), (999_999_999.0, 30.0)])
def test_a_provider_has_its_say_within_reason(said: float, waits: float) -> None:
    settings = Batches(retry_wait=2.0, retry_max_wait=20.0, poll_max=30.0)
    assert pause(said, 5, settings) == waits


def test_who_says_nothing_is_asked_less_and_less_often() -> None:
    settings = Batches(retry_wait=1.0, retry_max_wait=60.0)
    assert 0.8 <= pause(None, 0, settings) <= 1.2
    assert 6.4 <= pause(None, 3, settings) <= 9.6
    assert pause(None, 10**6, settings) <= 72.0
