"""Every vendor's dialect with every caller's, for tests of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .streams import chosen, recordings
from .unplugged import BODIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .streams import Stream


def _pairs(streams: Iterable[Stream], *marks: pytest.MarkDecorator) -> list[Any]:
    return [
        pytest.param(stream, caller, id=f"{stream.dialect}-{stream.name}-{caller}", marks=marks)
        for stream in streams
        for caller in BODIES
    ]


_LONGEST = 20_000  # bytes; cutting at each of them takes time by their square
_RECORDED = _pairs(recordings(), pytest.mark.recorded)
_LONG = _pairs(
    (stream for stream in recordings() if len(stream.data) <= _LONGEST),
    pytest.mark.recorded,
    pytest.mark.soak,
)

_QUICK = 2_500  # bytes; what is longer is for `make soak`
_short = [stream for stream in chosen() if len(stream.data) <= _QUICK]
_long = [stream for stream in chosen() if len(stream.data) > _QUICK]

each_pair = pytest.mark.parametrize(
    ("stream", "caller"), [*_pairs(_short), *_pairs(_long, pytest.mark.soak), *_LONG]
)
"""Some of each kind, and what is recorded, unless it is very long, among the tests of ``soak``."""

_first = {stream.dialect: stream for stream in sorted(_short, key=lambda one: "calls" in one.kinds)}
_others = [stream for stream in chosen() if stream not in _first.values()]

each_first_pair = pytest.mark.parametrize(
    ("stream", "caller"), [*_pairs(_first.values()), *_pairs(_others, pytest.mark.soak), *_LONG]
)
"""The same with one of each dialect outside ``soak``, which calls tools if one does."""

each_recorded_pair = pytest.mark.parametrize(("stream", "caller"), _RECORDED)
"""All that is recorded, as it is."""
