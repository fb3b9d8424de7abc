"""Which plugins are installed: entry points read from metadata, nothing imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gomodel_proxy.hookspecs import GROUP

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Candidate(Struct, frozen=True):
    """The entry points of one name: one that can be loaded, or several that nobody may use."""

    points: tuple[EntryPoint, ...]

    @property
    def distributions(self) -> list[str]:
        """Names of the distributions that claim the name, sorted."""
        return sorted({point.dist.name for point in self.points if point.dist})

    @property
    def version(self) -> str:
        """The distribution's version; several claimants give several."""
        return ", ".join(point.dist.version for point in self.points if point.dist)

    @property
    def conflict(self) -> bool:
        """Whether more than one distribution claims the name."""
        return len(self.distributions) > 1

    def load(self) -> object:
        """Import the plugin; whatever its module raises comes out."""
        return self.points[0].load()


def candidates() -> dict[str, Candidate]:
    """Return the installed plugins by entry point name, sorted."""
    from importlib.metadata import entry_points  # costs 20 ms, which `--version` need not pay

    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points.setdefault(point.name, []).append(point)
    return {name: Candidate(tuple(points[name])) for name in sorted(points)}
