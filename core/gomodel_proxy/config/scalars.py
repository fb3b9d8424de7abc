"""Sizes and durations: numbers that the configuration may write with a unit.

The types are plain numbers with a mark that `decoding` heeds, so a plugin's settings may carry
the same mark, and what runs later pays nothing for it.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args

from msgspec import Meta

__all__ = ["KIB", "MIB", "Duration", "Size", "demand", "reader", "shown"]

KIB: Final = 1024
MIB: Final = 1024 * KIB

Size = Annotated[int, Meta(ge=0, extra={"written": "size"})]
"""Bytes: ``"32MiB"``, ``"10MB"``, ``"512"`` or ``512``."""

Duration = Annotated[float, Meta(ge=0, le=10 * 366 * 86400, extra={"written": "duration"})]
"""Seconds: ``"250ms"``, ``"10s"``, ``"10m"``, ``"1h"`` or ``0.25``."""

_SIZES: Final[dict[str, float]] = {
    "GiB": 1024**3,
    "MiB": MIB,
    "KiB": KIB,
    "GB": 10**9,
    "MB": 10**6,
    "kB": 10**3,
}
_SIZE_UNITS: Final = {unit.lower(): factor for unit, factor in _SIZES.items()} | {"": 1, "b": 1}
_DURATIONS: Final[dict[str, float]] = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_UNITS: Final = _DURATIONS | {"": 1.0}
_WRITTEN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)


def reader(type_: Any) -> Callable[[object], Any] | None:
    """Return what reads a value of this field type, None where no unit is allowed."""
    return _READERS.get(_mark(type_))


def shown(value: Any, type_: Any) -> str | None:
    """Return a value of this field type as somebody would write it, None for other types."""
    match _mark(type_):
        case "size":
            return _with_unit(value, _SIZES)
        case "duration":
            return _with_unit(value, _DURATIONS)
    return None


def demand(type_: Any) -> str:
    """Return what a value of this field type must be, in words, if the type says so."""
    return _note(type_, "demand")


def _mark(type_: Any) -> str:
    return _note(type_, "written")


def _note(type_: Any, name: str) -> str:
    for note in get_args(type_)[1:]:
        if isinstance(note, Meta) and note.extra:
            return str(note.extra.get(name, ""))
    return ""


def _size(written: object) -> int:
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    number, factor = _parts(written, _SIZE_UNITS)
    if factor is None:
        raise ValueError(f'{written!r} is not a size; write "32MiB", "10MB" or a number of bytes')
    return round(number * factor)


def _duration(written: object) -> float:
    if isinstance(written, (int, float)) and not isinstance(written, bool):
        return float(written)
    number, factor = _parts(written, _DURATION_UNITS)
    if factor is None:
        raise ValueError(
            f'{written!r} is not a duration; write "250ms", "10s", "10m", "1h" or seconds'
        )
    return number * factor


def _parts(written: object, units: dict[str, float]) -> tuple[float, float | None]:
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    return (float(match[1]), units.get(match[2].lower())) if match else (0.0, None)


def _with_unit(value: float, units: dict[str, float]) -> str:
    for unit, factor in units.items():
        if value and value % factor == 0:
            return f"{value / factor:.0f}{unit}"
    return f"{value * 1000:g}ms" if value and "ms" in units else f"{value:g}"


_READERS: Final[dict[str, Callable[[object], Any]]] = {"size": _size, "duration": _duration}
