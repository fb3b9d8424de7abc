import contextlib

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gomodel_proxy_sandbox.prose import Dice
from gomodel_proxy_sandbox.schemas import Unsatisfiable, instance

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 12},
        "age": {"type": ["integer", "null"], "minimum": 18, "maximum": 20},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3},
        "home": {"$ref": "#/$defs/address"},
        "kind": {"const": "person"},
    },
    "required": ["name", "age", "mail", "tags", "home", "kind"],
    "additionalProperties": False,
    "$defs": {
        "address": {
            "type": "object",
            "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
            "required": ["zip"],
            "additionalProperties": False,
        }
    },
}
TREE = {
    "type": "object",
    "properties": {
        "value": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "left": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["value", "left", "children"],
    "additionalProperties": False,
}


def made(schema):
    return instance(schema, Dice(b"seed"))


@pytest.mark.parametrize(
    "schema",
    [
        PERSON,
        TREE,
        {"type": "array", "items": {"type": "integer"}, "minItems": 9, "uniqueItems": True},
        {"type": "array", "items": {"type": "string"}, "minItems": 20, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "null"}], "items": False},
        {"type": "number", "multipleOf": 0.5, "minimum": 3.2},
        {"type": "integer", "multipleOf": 7, "minimum": 100, "maximum": 105},
        {"type": "integer", "maximum": -5},
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
        {"type": "string", "maxLength": 2},
        {"allOf": [{"properties": {"a": {"type": "null"}}}, {"required": ["a", "b"]}]},
        {"type": "object", "minProperties": 3},
        {"oneOf": [{"type": "string", "pattern": "nobody makes this"}, {"type": "boolean"}]},
        {"anyOf": [{"required": ["a"]}, {"type": "null"}], "type": "object"},
        *(
            {"type": "string", "format": form}
            for form in ("date-time", "date", "time", "duration", "email", "hostname", "ipv4")
        ),
        *({"type": "string", "format": form} for form in ("ipv6", "uuid", "uri", "regex")),
    ],
)
def test_instances_satisfy_their_schema(schema):
    jsonschema_rs.validate(schema, made(schema), validate_formats=True)


def test_the_same_seed_makes_the_same_instance():
    assert made(PERSON) == made(PERSON)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "object", "properties": {"self": {"$ref": "#"}}, "required": ["self"]},
        {"$ref": "#/nowhere"},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12},
        {"type": "string", "pattern": "("},
        {"type": "fish"},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        False,
    ],
)
def test_what_cannot_be_satisfied_is_said(schema):
    with pytest.raises(Unsatisfiable):
        made(schema)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "oneOf",
        "$ref",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "prefixItems",
        "minProperties",
        "additionalProperties",
        "exclusiveMinimum",
    ]
)
words = st.sampled_from(["object", "array", "string", "integer", "number", "null", "#", "#/items"])
junk = st.recursive(
    leaves | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(keys, junk))
def test_no_junk_does_worse_than_being_refused(schema):
    with contextlib.suppress(Unsatisfiable):
        made(schema)
