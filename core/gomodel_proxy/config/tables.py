"""The tables that plugins open: ``type`` names the kind, its struct takes the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import ConfigError

from .configuration import Opener
from .decoding import decode

if TYPE_CHECKING:
    from gomodel_proxy.plugins import Plugins

    from .places import Place

# Tables of tables: each member's name is the object's name.
NAMED: Final = {
    "providers": "gomodel_providers",
    "transports": "gomodel_transports",
    "routers": "gomodel_routers",
    "authenticators": "gomodel_authenticators",
    "limits": "gomodel_limits",
    "guardrails": "gomodel_guardrails",
    "price_books": "gomodel_price_books",
}

# Tables that are one object themselves.
SINGLE: Final = {"cache": "gomodel_caches", "store": "gomodel_stores"}


def openers(table: str, tables: object, plugins: Plugins, place: Place) -> dict[str, Opener]:
    """Return the openers of a table of tables, in its order; raises `ConfigError`.

    Only providers must say their ``type``; elsewhere the table's name stands for it.
    """
    if not isinstance(tables, Mapping):
        raise place.error("expected a table")
    hook = NAMED[table]
    return {
        name: opener(name, member, hook, plugins, place / name, implied=table != "providers")
        for name, member in tables.items()
    }


def opener(
    name: str, table: object, hook: str, plugins: Plugins, place: Place, *, implied: bool
) -> Opener:
    """Return one opener, loading the plugin of its type; raises `ConfigError`."""
    if not isinstance(table, Mapping):
        raise place.error("expected a table")
    type_ = table.get("type", name if implied else None)
    if type_ is None:
        known = ", ".join(plugins.installed) or "none"
        raise (place / "type").error(f"missing; it names a plugin (installed: {known})")
    if not isinstance(type_, str):
        raise (place / "type").error("expected a string")
    try:
        kind = plugins.kind(hook, type_)
    except ConfigError as error:
        raise (place / "type").error(error.message) from error
    members: dict[str, Any] = dict(table)
    members.pop("type", None)
    if "type" in kind.config.__struct_fields__:
        members["type"] = type_
    return Opener(name, kind, decode(members, kind.config, place))
