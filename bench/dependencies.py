"""Which distributions an installation brings along, from the metadata of what is installed."""

from __future__ import annotations

from importlib.metadata import distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable


def closure(names: Iterable[str]) -> set[str]:
    """Return the names of these distributions and of all that they require, directly or not."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found.add(name)
        waiting += [need for need in needs(name) if applies(need)]
    return found


def third_party(names: Iterable[str]) -> set[str]:
    """Return what of their `closure` is not the project's own."""
    return {name for name in closure(names) if not name.startswith("gomodel-proxy")}


def needs(name: str) -> list[Requirement]:
    """Return what a distribution says it requires."""
    return [Requirement(line) for line in distribution(name).requires or ()]


def applies(need: Requirement) -> bool:
    """Tell whether a requirement holds here, without any extra."""
    return need.marker is None or need.marker.evaluate({"extra": ""})
