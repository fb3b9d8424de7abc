"""Ids and the clock: UUIDv7 behind a prefix, integer microseconds."""

from __future__ import annotations

from random import getrandbits
from time import time_ns

__all__ = ["new", "now"]

# RFC 9562, UUID version 7: 48 bits of milliseconds, then 74 bits that are ours to fill. The upper
# 12 are drawn anew in each millisecond, the lower 62 start anywhere and grow by a random step, so
# ids of one process never go down. `random` is seeded anew in a forked child; ids are no
# credentials, so its quality will do.
_VARIANT = 1 << 63
_END = _VARIANT | 1 << 62

_next = 0  # nanoseconds at which the next millisecond begins
_head = ""
_tail = 0


def new(prefix: str) -> str:
    """Return ``prefix`` and 32 hex digits; later ids sort after earlier ones. For one thread."""
    global _tail
    time = time_ns()
    if time >= _next:
        _enter(time // 1_000_000)
    else:  # the same millisecond, or a clock that was put back
        _tail += getrandbits(32) | 1
        if _tail >= _END:
            _enter(_next // 1_000_000)
    return f"{prefix}{_head}{_tail:x}"


def now() -> int:
    """Return the time in microseconds since the epoch, UTC."""
    return time_ns() // 1000


def _enter(millis: int) -> None:
    global _next, _head, _tail
    _next = (millis + 1) * 1_000_000
    _head = f"{millis:012x}7{getrandbits(12):03x}"
    _tail = _VARIANT | getrandbits(61)
