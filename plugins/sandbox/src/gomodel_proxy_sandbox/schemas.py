"""Schemas: make an instance of a JSON schema.

Covers what structured outputs use: types, ``$ref``, ``enum``, ``const``, ``anyOf``, ``oneOf``,
``allOf``, nested objects and arrays, bounds and formats. ``not`` and ``if`` are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .scalars import Unsatisfiable, integer, number, string

if TYPE_CHECKING:
    from .prose import Dice

__all__ = ["ANY_OBJECT", "Unsatisfiable", "instance"]

ANY_OBJECT: Final = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}
"""The schema where any object will do."""

_STEPS: Final = 5_000  # subschemas of one answer
_DEEP: Final = 5  # from here on: what is required, and the shortest branch
_DEEPEST: Final = 60

_WORDS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")


def instance(schema: Any, dice: Dice) -> Any:
    """Return an instance of a schema; raises `Unsatisfiable`."""
    return _Maker(schema, dice).make(schema, 0, 0)


class _Maker:
    """Makes one instance; counts its steps, so that no schema keeps it busy for long."""

    def __init__(self, root: Any, dice: Dice) -> None:
        self._root = root
        self._dice = dice
        self._steps = 0

    def make(self, schema: Any, depth: int, index: int) -> Any:
        """Return the ``index``-th of possibly several different instances."""
        self._steps += 1
        if self._steps > _STEPS or depth > _DEEPEST:
            raise Unsatisfiable("the schema is too large or never ends")
        if not isinstance(schema, dict):
            if schema is False:
                raise Unsatisfiable("a schema is `false`")
            return self._word(index)
        if "const" in schema:
            return schema["const"]
        if isinstance(values := schema.get("enum"), list) and values:
            return values[index % len(values)]
        if isinstance(reference := schema.get("$ref"), str):
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            return self.make(_merge(beside, self._resolve(reference)), depth + 1, index)
        if isinstance(parts := schema.get("allOf"), list):
            return self.make(self._all(schema, parts), depth + 1, index)
        for key in ("anyOf", "oneOf"):
            if isinstance(branches := schema.get(key), list) and branches:
                return self._any(schema, key, branches, depth, index)
        return self._typed(schema, depth, index)

    def _resolve(self, reference: str) -> Any:
        found = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise Unsatisfiable(f"{reference} leads nowhere")
            found = found[key]
        return found

    def _all(self, schema: dict[str, Any], parts: list[Any]) -> dict[str, Any]:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in parts:
            if isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
                part = self._resolve(reference)
            merged = _merge(merged, part)
        return merged

    def _any(
        self, schema: dict[str, Any], key: str, branches: list[Any], depth: int, index: int
    ) -> Any:
        beside = {name: value for name, value in schema.items() if name != key}
        ordered = sorted(branches, key=_leads_on) if depth > _DEEP else branches
        problem: Unsatisfiable | None = None
        for branch in ordered:
            try:
                return self.make(_merge(beside, branch), depth + 1, index)
            except Unsatisfiable as error:
                problem = error
        raise problem or Unsatisfiable("no branch")

    def _typed(self, schema: dict[str, Any], depth: int, index: int) -> Any:
        match _type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return string(schema, index, self._word(index))
            case "integer":
                return number(schema, index, whole=True)
            case "number":
                return number(schema, index, whole=False)
            case "boolean":
                return index % 2 == 0
            case "null":
                return None
            case other:
                raise Unsatisfiable(f"type {other!r} is not one of JSON's")

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        required = schema.get("required")
        properties = properties if isinstance(properties, dict) else {}
        required = required if isinstance(required, list) else []
        required = [name for name in required if isinstance(name, str)]
        names = required if depth > _DEEP else [*properties, *required]
        made: dict[str, Any] = {}
        for name in names:
            if name not in made:
                made[name] = self._member(properties.get(name, True), depth, name in required)
        made = {name: value for name, value in made.items() if value is not _LEFT_OUT}
        for extra in range(len(made), min(integer(schema, "minProperties", 0), _STEPS)):
            further = schema.get("additionalProperties", True)
            made[f"{self._word(extra)}_{extra}"] = self.make(further, depth + 1, extra)
        return made

    def _member(self, schema: Any, depth: int, required: bool) -> Any:
        try:
            return self.make(schema, depth + 1, 0)
        except Unsatisfiable:
            if required:
                raise
            return _LEFT_OUT

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        prefix = schema.get("prefixItems")
        prefix = prefix if isinstance(prefix, list) else []
        least = integer(schema, "minItems", 0)
        most = integer(schema, "maxItems", _STEPS)
        wanted = max(least, len(prefix), 0 if depth > _DEEP or schema.get("items") is False else 1)
        if least > most or least > _STEPS:
            raise Unsatisfiable(f"an array of {least} items")
        made = [
            self.make(
                prefix[place] if place < len(prefix) else schema.get("items", True),
                depth + 1,
                place,
            )
            for place in range(min(wanted, most))
        ]
        return made

    def _word(self, index: int) -> str:
        word = self._dice.pick(_WORDS)
        return f"{word}{index + 1}" if index else word


_LEFT_OUT: Final = object()


def _merge(first: Any, second: Any) -> Any:
    if not isinstance(second, dict) or not isinstance(first, dict):
        return first or second
    merged = {**first, **second}
    for key in ("properties", "$defs"):
        if isinstance(first.get(key), dict) and isinstance(second.get(key), dict):
            merged[key] = {**first[key], **second[key]}
    if isinstance(first.get("required"), list) and isinstance(second.get("required"), list):
        merged["required"] = [*first["required"], *second["required"]]
    return merged


def _leads_on(branch: Any) -> bool:
    return isinstance(branch, dict) and not branch.keys().isdisjoint(
        ("$ref", "anyOf", "oneOf", "allOf", "properties", "items")
    )


def _type(schema: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list) and kind:
        return "null" if depth > _DEEP and "null" in kind else kind[0]
    if kind is not None:
        return kind
    for key, implied in _IMPLIED.items():
        if key in schema:
            return implied
    return "string"


_IMPLIED: Final = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}
