"""``gomodel-proxy check``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from gomodel_proxy import logs
from gomodel_proxy.api import ConfigError

from .reading import all_plugins, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gomodel_proxy.config import Configuration, Opener
    from gomodel_proxy.plugins import Plugins


def check(file: str | None) -> int:
    """Print what a configuration would serve; 1 if it would not.

    It opens the providers, which connect to nobody before they are called, and no store.
    """
    from gomodel_proxy.engine.generation import try_providers

    plugins = all_plugins()
    try:
        configuration = read(file, plugins)
        asyncio.run(try_providers(configuration, logs.logger()))
    except ConfigError as error:
        print(f"gomodel-proxy: {error.message}", file=sys.stderr)
        return 1
    for title, text in _findings(configuration, plugins):
        print(f"{title:<16}{text}")
    return 0


def _findings(configuration: Configuration, plugins: Plugins) -> Iterator[tuple[str, str]]:
    server = configuration.server
    yield "configuration", str(configuration.file or "environment")
    yield "address", f"{server.host}:{server.port}, workers: {server.workers}"
    yield "keys", _keys(configuration)
    for name in configuration.providers:
        yield "provider", _named(configuration.providers[name])
    for name, reason in configuration.skipped.items():
        yield "left out", f"{name}: {reason}"
    if not configuration.providers:
        yield "provider", "none: every request will be refused"
    for table in ("transports", "routers", "authenticators", "limits", "guardrails", "price_books"):
        for opener in getattr(configuration, table).values():
            yield table.removesuffix("s").replace("_", " "), _named(opener)
    if configuration.cache:
        yield "cache", configuration.cache.kind.name
    yield "store", configuration.store.kind.name if configuration.store else "none"
    for state in plugins.report():
        if state.state != "off":
            yield "plugin", f"{state.name} {state.version}".rstrip() + f": {state.state}"


def _named(opener: Opener) -> str:
    type_ = opener.kind.name
    return opener.name if opener.name == type_ else f"{opener.name} ({type_})"


def _keys(configuration: Configuration) -> str:
    auth = configuration.auth
    names = ["master key"] if auth.master_key else []
    names += auth.keys
    if names or configuration.authenticators:
        return ", ".join([*names, *configuration.authenticators])
    return "none: whoever connects is let in"
