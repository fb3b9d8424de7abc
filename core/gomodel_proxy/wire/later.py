"""Modules that are imported when something of them is first used.

A start is to load what every process needs, and no more: translation, batches and the like have a
light module that offers them, and this stands between it and the heavy ones. Type checkers see a
plain import::

    if TYPE_CHECKING:
        from . import reading, writing
    else:
        reading, writing = later(__package__, "reading", "writing")
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["later"]


def later(package: str, *names: str) -> list[ModuleType]:
    """Return stand-ins for modules of a package, each to be imported at its first use."""
    return [_Later(f"{package}.{name}") for name in names]


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        # Only asked for what is not here yet. Threads that ask at once wait for one import.
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value
