"""Schemas: the dialect's own form, a part of OpenAPI 3.0's, made JSON Schema.

ai.google.dev/api/caching#Schema (2026-11): types in capitals, ``nullable``, counts as strings,
``propertyOrdering``. Members may be spelt in snake_case, as everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

from .nodes import camel, encoded

__all__ = ["json_schema"]

_COUNTS: Final = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_LISTS: Final = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "defs", "$defs"})
_VALUES: Final = frozenset({"default", "example", "enum", "const", "required"})


def json_schema(schema: Raw) -> Raw:
    """Return a schema of the dialect as JSON Schema."""
    return encoded(_converted(msgspec.json.decode(schema)))


def _converted(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for given, value in schema.items():
        name = camel(given) if "_" in given and not given.startswith("$") else given
        out[name] = _member(name, value)
    order = out.pop("propertyOrdering", None)
    if isinstance(order, list) and isinstance(out.get("properties"), dict):
        known = out["properties"]
        first = {name: known[name] for name in order if name in known}
        out["properties"] = {**first, **known}
    if out.get("type") == "type_unspecified":
        del out["type"]
    if out.pop("nullable", False):
        _allow_null(out)
    return out


def _member(name: str, value: Any) -> Any:
    if name == "type" and isinstance(value, str):
        return value.lower()
    if name in _VALUES:
        return value
    if name in _MAPS and isinstance(value, dict):
        return {key: _converted(one) for key, one in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_converted(one) for one in value]
    if name in _COUNTS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return _converted(value)


def _allow_null(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
