"""Scalars: numbers within bounds, strings of a format, length or pattern."""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Unsatisfiable", "integer", "number", "string"]

_LONGEST: Final = 100_000  # characters of one string

_FORMATS: Final = {
    "date-time": "2024-05-{day:02}T12:30:00Z",
    "date": "2024-05-{day:02}",
    "time": "12:30:{day:02}Z",
    "duration": "P{day}D",
    "email": "reader{day}@example.com",
    "hostname": "host{day}.example.com",
    "ipv4": "192.0.2.{day}",
    "ipv6": "2001:db8::{day}",
    "uuid": "6f1c2f0a-0000-4000-8000-0000000000{day:02}",
    "uri": "https://example.com/{day}",
    "uri-reference": "/{day}",
    "json-pointer": "/{day}",
    "regex": "a{{{day}}}",
}
# What strings with a pattern mostly are; tried in turn.
_SAMPLES: Final = ("amber", "Amber", "AMBER", "a", "A", "1", "12", "123", "1234", "12345", "A1",
                   "a1", "AB12", "AB-12", "abc", "ABC", "+4912345678", "555-0100", "2024-05-01",
                   "12:30", "1.5", "1.2.3", "#a1b2c3", "@amber", "a@example.com",
                   "https://example.com", "/amber", "amber_birch", "amber-birch", "$1.50",
                   "")  # fmt: skip


class Unsatisfiable(ValueError):
    """No instance of this schema was found; the message says where."""


def string(schema: dict[str, Any], index: int, word: str) -> str:
    """Return the ``index``-th string that a schema admits: ``word``, if nothing else is asked."""
    least = integer(schema, "minLength", 0)
    most = integer(schema, "maxLength", _LONGEST)
    if least > most or least > _LONGEST:
        raise Unsatisfiable(f"a string of {least} characters")
    if isinstance(pattern := schema.get("pattern"), str):
        return _matching(pattern, least, most)
    if isinstance(form := _FORMATS.get(str(schema.get("format"))), str):
        return form.format(day=index % 28 + 1)
    return word.ljust(least, "x")[:most]


def integer(schema: dict[str, Any], key: str, default: int) -> int:
    """Return a member of a schema that is to be a whole number."""
    value = schema.get(key, default)
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else default


def _bound(schema: dict[str, Any], key: str) -> float | None:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(schema: dict[str, Any], index: int, *, whole: bool) -> int | float:
    """Return the ``index``-th number within a schema's bounds."""
    try:
        low = [
            b for key in ("minimum", "exclusiveMinimum") if (b := _bound(schema, key)) is not None
        ]
        high = [
            b for key in ("maximum", "exclusiveMaximum") if (b := _bound(schema, key)) is not None
        ]
        multiple = _bound(schema, "multipleOf") or 0
        for value in _candidates(max(low, default=None), min(high, default=None), multiple, index):
            found = round(value) if whole else value
            if _admits(schema, found, multiple):
                return found
    except OverflowError:
        pass  # bounds beyond what a float holds
    raise Unsatisfiable("no number lies within the bounds")


def _candidates(
    low: float | None, high: float | None, multiple: float, index: int
) -> list[int | float]:
    if multiple > 0:
        start = math.ceil(low / multiple) if low is not None else 0
        if low is None and high is not None and high < 0:
            start = math.floor(high / multiple) - 1
        return [(start + step) * multiple for step in (index + 1, 1, 0)]
    if low is None and high is None:
        return [index + 1]
    if low is None:
        return [index + 1, high - 1 - index, high - 1, high] if high is not None else []
    if high is None:
        return [low + 1 + index]
    return [low + 1 + index, math.floor(low) + 1, (low + high) / 2, low, high]


def _admits(schema: dict[str, Any], number: float, multiple: float) -> bool:
    inside = all(
        (bound := _bound(schema, key)) is None or holds(number, bound)
        for key, holds in _BOUNDS.items()
    )
    return inside and (multiple <= 0 or not number % multiple)


_BOUNDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


def _matching(pattern: str, least: int, most: int) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error:
        raise Unsatisfiable(f"pattern {pattern!r} is not one Python can read") from None
    for sample in _SAMPLES:
        if least <= len(sample) <= most and compiled.search(sample):
            return sample
    raise Unsatisfiable(f"the sandbox has no string for the pattern {pattern!r}")
