"""A table to its struct, with errors that name the key: file, dotted key, nearest right name."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

from gomodel_proxy.api import Secret

from .scalars import demand, reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .places import Place

S = TypeVar("S", bound=msgspec.Struct)


def decode(table: object, type_: type[S], place: Place) -> S:
    """Return ``table`` as a struct; raises `ConfigError` on the first key that is wrong.

    Unknown keys are refused at every level, whatever the struct itself says. Strings may stand
    for numbers and booleans, because ``${PORT:-8080}`` can give nothing else.
    """
    prepared = _prepared(table, type_, place)
    try:
        struct: S = _convert(prepared, type_)
    except msgspec.ValidationError as error:
        culprit, reason = _culprit(prepared, type_, place, str(error))
        raise culprit.error(reason) from None
    return struct


def _convert(value: object, type_: Any) -> Any:
    return msgspec.convert(value, type_, strict=False, dec_hook=_secret)


def _secret(type_: type, value: object) -> Secret:
    if type_ is not Secret:
        raise NotImplementedError(f"settings cannot be of type {type_.__name__}")
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a string")  # without the value: it was meant to be secret
    return Secret(value)


def _prepared(value: object, type_: Any, place: Place) -> object:
    """Return ``value`` with units read; raises `ConfigError` for unknown and missing keys."""
    if (read := reader(type_)) is not None:
        try:
            return read(value)
        except ValueError as error:
            raise place.error(str(error)) from None
    type_ = _bare(type_)
    if _is_struct(type_):
        if not isinstance(value, Mapping):
            raise place.error("expected a table")
        _check_keys(value, type_, place)
    members = {key: _prepared(*member) for key, *member in _members(value, type_, place)}
    if isinstance(value, Mapping):
        return {**value, **members}
    return list(members.values()) if members else value


def _check_keys(table: Mapping[str, object], type_: type[msgspec.Struct], place: Place) -> None:
    known = {field.encode_name: field for field in fields(type_)}
    for key in table:
        if key not in known:
            raise (place / key).unknown("key", key, known)
    for key, field in known.items():
        if field.required and key not in table:
            raise (place / key).error("missing")


def _members(value: object, type_: Any, place: Place) -> Iterator[tuple[Any, Any, Any, Place]]:
    """Give key, value, type and place of a value's parts whose types are known."""
    origin, arguments = get_origin(type_), get_args(type_)
    if isinstance(value, Mapping) and _is_struct(type_):
        for field in fields(type_):
            if (key := field.encode_name) in value:
                yield key, value[key], field.type, place / key
    elif isinstance(value, Mapping) and origin is dict:
        for key, member in value.items():
            yield key, member, arguments[1], place / key
    elif isinstance(value, list) and (origin is list or arguments[1:] == (...,)):
        for index, member in enumerate(value):
            yield index, member, arguments[0], place.item(index)


def _culprit(value: object, type_: Any, place: Place, reason: str) -> tuple[Place, str]:
    """Return the innermost part that does not convert, and why. msgspec names no dict keys."""
    for _, member, member_type, member_place in _members(value, _bare(type_), place):
        try:
            _convert(member, member_type)
        except msgspec.ValidationError as error:
            return _culprit(member, member_type, member_place, str(error))
    return place, demand(type_) or reason.partition(" - at `$")[0]


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _bare(type_: Any) -> Any:
    """Return a field's type without its metadata and without ``| None``."""
    if get_origin(type_) is Annotated:
        return _bare(get_args(type_)[0])
    if get_origin(type_) in (Union, types.UnionType):
        rest = [one for one in get_args(type_) if one is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else type_
    return type_
