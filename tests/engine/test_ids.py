"""Ids sort by time and never repeat."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING

from gomodel_proxy.engine import ids

if TYPE_CHECKING:
    import pytest


def test_an_id_is_a_prefix_and_a_uuid_of_version_7_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = ids.new("req_")
    after = time.time_ns() // 1_000_000

    assert re.fullmatch("req_[0-9a-f]{32}", made)
    parsed = uuid.UUID(made.removeprefix("req_"))
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert before <= parsed.int >> 80 <= after + 1


def test_later_ids_sort_after_earlier_ones() -> None:
    made = [ids.new("x-") for _ in range(50_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_put_back_does_not_put_ids_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.new("")
    monkeypatch.setattr(ids, "time_ns", lambda: 1)
    then = [ids.new("") for _ in range(10)]

    assert [first, *then] == sorted([first, *then])


def test_a_full_millisecond_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.new("")
    monkeypatch.setattr(ids, "time_ns", lambda: 1)
    monkeypatch.setattr(ids, "_tail", (1 << 63 | 1 << 62) - 1)
    second = ids.new("")

    assert int(second[:12], 16) == int(first[:12], 16) + 1
    assert uuid.UUID(second).variant == uuid.RFC_4122


def test_now_is_in_microseconds() -> None:
    assert abs(ids.now() - time.time() * 1e6) < 5e6
