"""Hold JSON to the `TypedDict` types that SDKs publish, forbidding keys that they lack.

Checked by hand and not by pydantic, which reads iterables lazily and lets unknown keys pass.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NotRequired, Required

__all__ = ["faults"]


def faults(value: Any, type_: Any, at: str = "$") -> list[str]:
    """Return what is wrong, each with its place; nothing if all is well."""
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin in (Required, NotRequired, typing.Annotated):
        return faults(value, args[0], at)
    if type_ is Any or type_ is object:
        return []
    if type_ is None or type_ is type(None):
        return [] if value is None else [f"{at}: {value!r} is not null"]
    if origin in (typing.Union, types.UnionType):
        return min((faults(value, one, at) for one in args), key=lambda found: _weight(found, at))
    if origin is typing.Literal:
        return [] if value in args else [f"{at}: {value!r} is none of {args}"]
    if hasattr(type_, "__required_keys__"):
        return _dictionary(value, type_, at)
    if origin in (dict, Mapping):
        return [] if isinstance(value, dict) else [f"{at}: {value!r} is no object"]
    if origin in (list, Iterable, Sequence) or getattr(origin, "__name__", "") == "SequenceNotStr":
        return _array(value, args[0], at)
    return _scalar(value, type_, at)


def _weight(found: list[str], at: str) -> tuple[int, int]:
    """Prefer the branch of a union whose discriminator fits."""
    return sum(fault.startswith(f"{at}.type:") for fault in found), len(found)


def _array(value: Any, element: Any, at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at}: {value!r} is no array"]
    found = [faults(one, element, f"{at}[{number}]") for number, one in enumerate(value)]
    return [fault for one in found for fault in one]


def _scalar(value: Any, type_: Any, at: str) -> list[str]:
    if type_ is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        return [] if right else [f"{at}: {value!r} is no number"]
    if isinstance(type_, type) and type_.__module__ == "builtins":
        right = isinstance(value, type_) and (type_ is bool or not isinstance(value, bool))
        return [] if right else [f"{at}: {value!r} is no {type_.__name__}"]
    return [f"{at}: {type_} is unknown"]


@cache
def _hints(type_: Any) -> dict[str, Any]:
    return typing.get_type_hints(type_, include_extras=True)


def _dictionary(value: Any, type_: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    hints = _hints(type_)
    open_ = getattr(type_, "__pydantic_config__", {}).get("extra") == "allow"
    found = [f"{at}.{name}: missing" for name in type_.__required_keys__ if name not in value]
    for name, one in value.items():
        if name in hints:
            found += faults(one, hints[name], f"{at}.{name}")
        elif not open_:
            found.append(f"{at}.{name}: unknown")
    return found
