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

each_pair = pytest.mark.parametrize(("stream", "caller"), [*_pairs(chosen()), *_LONG])
"""Some of each kind, and what is recorded, unless it is very long, among the tests of ``soak``."""

each_recorded_pair = pytest.mark.parametrize(("stream", "caller"), _RECORDED)
"""All that is recorded, as it is."""
