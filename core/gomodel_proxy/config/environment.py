"""Configuration without a file: providers from ``<TYPE>[_SUFFIX]_API_KEY`` and its like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.plugins import Plugins

# Ending of the variable → the provider's key.
ENDINGS: Final = {"_API_KEY": "api_key", "_BASE_URL": "base_url", "_MODELS": "models"}

# Variable → the table and the key it sets.
SETTINGS: Final = {
    "GOMODEL_MASTER_KEY": ("auth", "master_key"),
    "GOMODEL_HOST": ("server", "host"),
    "PORT": ("server", "port"),
}


def tables_from(environ: Mapping[str, str], plugins: Plugins) -> dict[str, Any]:
    """Return the tables that the environment amounts to; empty variables count as unset."""
    tables: dict[str, Any] = {"providers": providers_from(environ, plugins)}
    for variable, (table, key) in SETTINGS.items():
        if environ.get(variable):
            tables.setdefault(table, {})[key] = environ[variable]
    return tables


def providers_from(environ: Mapping[str, str], plugins: Plugins) -> dict[str, dict[str, Any]]:
    """Return provider tables by name, sorted.

    ``OPENAI_API_KEY`` makes ``openai``, ``OPENAI_EU_WEST_API_KEY`` makes ``openai-eu-west``.
    The longest installed type that begins the variable wins. A variable that its type has no
    setting for belongs to somebody else and is ignored.
    """
    types = {name.upper().replace("-", "_"): name for name in plugins.installed}
    tables: dict[str, dict[str, Any]] = {}
    for variable, value in environ.items():
        for ending, key in ENDINGS.items():
            stem = variable.removesuffix(ending)
            prefix = _longest(types, stem)
            if not value or stem == variable or prefix is None:
                continue
            type_ = types[prefix]
            suffix = stem[len(prefix) :].lower().replace("_", "-")
            table = tables.setdefault(f"{type_}{suffix}", {"type": type_})
            table[key] = _listed(value) if key == "models" else value
    return {name: tables[name] for name in sorted(tables) if _fits(tables[name], plugins)}


def _longest(types: Mapping[str, str], stem: str) -> str | None:
    fitting = (one for one in types if stem == one or stem.startswith(f"{one}_"))
    return max(fitting, key=len, default=None)


def _listed(value: str) -> list[str]:
    return [item for item in map(str.strip, value.split(",")) if item]


def _fits(table: dict[str, Any], plugins: Plugins) -> bool:
    """Drop the keys that the type has no setting for, and say whether it is a provider at all.

    Models alone say nothing about an account, unless its type needs no key.
    """
    type_ = table["type"]
    plugins.need(type_)
    offered = plugins.kinds("gomodel_providers").get(type_)
    if offered is None:
        return False
    settings = offered[0].config
    known = {field.encode_name for field in fields(settings)}
    for key in table.keys() - known:
        del table[key]
    keyless = getattr(settings, "keyless", False)
    return len(table) > 1 and (keyless or table.keys() != {"type", "models"})
