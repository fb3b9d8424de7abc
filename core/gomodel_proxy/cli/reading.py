"""From ``--config`` to a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gomodel_proxy import builtin
from gomodel_proxy.config import load
from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from gomodel_proxy.config import Configuration


def all_plugins() -> Plugins:
    """Return the installed plugins, none imported, and the core's own."""
    plugins = Plugins()
    plugins.add(builtin, builtin.NAME)
    return plugins


def read(file: str | None, plugins: Plugins) -> Configuration:
    """Return the configuration of a file, or of the environment; raises `ConfigError`."""
    return load(None if file is None else Path(file), plugins, os.environ)
