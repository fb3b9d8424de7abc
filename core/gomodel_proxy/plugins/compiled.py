"""Call hooks as plain functions: no pluggy on the request path, and a guard round each.

pluggy's own call costs 1 to 3 µs, and one implementation's exception ends it for all.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pluggy import HookImpl

LIMIT: Final = 100
"""Exceptions after which a plugin's call hooks are switched off."""


class Strikes:
    """How often one plugin's call hooks have raised, and the last traceback."""

    __slots__ = ("count", "last", "plugin")

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self.count = 0
        self.last = ""

    @property
    def out(self) -> bool:
        """Whether the plugin's call hooks are switched off."""
        return self.count >= LIMIT

    def add(self, hook: str) -> None:
        """Count and log the exception being handled."""
        self.count += 1
        self.last = traceback.format_exc()
        log = structlog.get_logger("gomodel_proxy.plugins")
        log.error("plugin.failed", plugin=self.plugin, hook=hook, count=self.count, exc_info=True)
        if self.out:
            log.error("plugin.off", plugin=self.plugin, after=self.count)


def compiled(
    impl: HookImpl, hook: str, names: Sequence[str], strikes: Strikes
) -> Callable[..., Any]:
    """Return ``impl`` as a function of the spec's arguments by position, which never raises.

    It returns None where the implementation raised or its plugin is switched off.
    """
    function = adapted(impl, names)

    def call(*arguments: Any) -> Any:
        if strikes.count >= LIMIT:
            return None
        try:
            return function(*arguments)
        except Exception:
            strikes.add(hook)
            return None

    return call


def adapted(impl: HookImpl, names: Sequence[str]) -> Callable[..., Any]:
    """Return a function taking the spec's arguments ``names``, in order, for an ``impl`` of fewer.

    Parameters with a default get the spec's argument of that name, if there is one.
    """
    function = impl.function
    keywords = [name for name in impl.kwargnames if name in names]
    taken = (*impl.argnames, *keywords)
    if taken == tuple(names) and len(keywords) == len(impl.kwargnames):
        return function
    positions = [names.index(name) for name in impl.argnames]
    named = [(name, names.index(name)) for name in keywords]

    def call(*arguments: Any) -> Any:
        return function(
            *[arguments[position] for position in positions],
            **{name: arguments[position] for name, position in named},
        )

    return call
