"""Commands that plugins bring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from .parser import Commands


def extend(commands: Commands) -> None:
    """Import every installed plugin and let it add its commands; one that fails is named."""
    plugins = Plugins()
    plugins.load(plugins.installed)
    plugins.objects("gomodel_commands", commands=commands)
    for state in plugins.report():
        if state.state in ("failed", "conflict"):
            print(
                f"gomodel-proxy: plugin {state.name!r} is left out ({state.state}); "
                "`gomodel-proxy plugins -v` says why",
                file=sys.stderr,
            )
