"""References to the environment."""

from __future__ import annotations

import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy.config.expansion import expand
from gomodel_proxy.config.places import Place

ENVIRON = {"NAME": "Ada", "EMPTY": "", "NESTED": "${NAME}"}
HERE = Place("config.toml")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${NAME}", "Ada"),
        ("Dear ${NAME}, ${NAME}!", "Dear Ada, Ada!"),
        ("${NAME:-x}", "Ada"),
        ("${NONE:-x y}", "x y"),
        ("${NONE:-}", ""),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY}", ""),
        ("$${NAME}", "${NAME}"),
        ("$NAME costs $5", "$NAME costs $5"),
        ("${NESTED}", "${NAME}"),
    ],
)
def test_strings(text: str, expanded: str) -> None:
    assert expand(text, ENVIRON, HERE) == expanded


def test_every_string_at_any_depth() -> None:
    value = {"a": ["${NAME}", {"b": "${NAME}"}], "${NAME}": 5, "c": None}
    assert expand(value, ENVIRON, HERE) == {"a": ["Ada", {"b": "Ada"}], "${NAME}": 5, "c": None}


def test_an_unset_variable_is_an_error_naming_key_and_variable() -> None:
    with pytest.raises(ConfigError, match=r"config\.toml: a\.b\[1\]: .* variable NONE is not set"):
        expand({"a": {"b": ["", "${NONE}"]}}, ENVIRON, HERE)


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${NAME-x}", "${NAME"])
def test_what_is_half_a_reference_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="for a plain"):
        expand(text, ENVIRON, HERE)
