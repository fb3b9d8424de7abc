"""``gomodel-proxy plugins``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gomodel_proxy.api import ConfigError
from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from gomodel_proxy.plugins import PluginState


def show(file: str | None, *, verbose: bool) -> int:
    """Print a table of the plugins; 1 if one cannot be used."""
    plugins = Plugins() if file is None else _configured(file)
    if file is None:
        plugins.load(plugins.installed)
    states = plugins.report()
    _table(states)
    wrong = [state for state in states if state.error is not None]
    for state in wrong:
        error = (state.error or "").rstrip()
        print(f"\n{state.name}: {error if verbose else error.rsplit(chr(10), 1)[-1]}")
    if wrong and not verbose:
        print("\n`gomodel-proxy plugins -v` shows the tracebacks.")
    return 1 if wrong else 0


def _configured(file: str) -> Plugins:
    from .reading import all_plugins, read

    plugins = all_plugins()
    try:
        read(file, plugins)
    except ConfigError as error:  # the table is what helps then
        print(f"gomodel-proxy: {error.message}", file=sys.stderr)
    return plugins


def _table(states: list[PluginState]) -> None:
    rows = [("name", "state", "distribution", "version")]
    rows += [
        (state.name, state.state, state.distribution or "-", state.version or "-")
        for state in states
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip())
