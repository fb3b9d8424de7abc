"""The table: what was measured, beside what is allowed."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from bench.gateways import FEATURES
from bench.processes import tool

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("", "measured", "is", "allowed", "")


@dataclass(frozen=True)
class Row:
    """One line of the table; ``figure`` is what ``budget`` limits, both in ``unit``."""

    title: str
    measured: str
    figure: float
    unit: str = "x nginx"
    budget: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        allowed = "" if self.budget is None else f"{self.budget:g} {self.unit}"
        return (self.title, self.measured, f"{self.figure:.3g} {self.unit}", allowed, self.verdict)

    @property
    def verdict(self) -> str:
        """Whether the budget is kept; empty where there is none."""
        if self.budget is None:
            return ""
        return "ok" if self.figure <= self.budget else "over"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table that can be read as it is."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def surroundings() -> str:
    """Return what the figures depend on."""
    said = subprocess.run([tool("nginx"), "-v"], capture_output=True, text=True, check=True).stderr
    facts = [
        f"Python {platform.python_version()}, aiohttp {version('aiohttp')}, "
        f"msgspec {version('msgspec')}, {said.strip().removeprefix('nginx version: ')}",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
    ]
    return "\n".join(f"* {fact}" for fact in facts)


def page(rows: Sequence[Row], notes: Sequence[str], facts: str) -> str:
    """Return the whole report."""
    features = "\n".join(f"* {feature}" for feature in FEATURES)
    remarks = "".join(f"\nNote: {note}\n" for note in notes)
    return f"{table(rows)}\n{remarks}\nSwitched on:\n\n{features}\n\nOn:\n\n{facts}\n"
