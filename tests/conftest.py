"""Fixtures for every layer's tests."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

numbers = itertools.count()


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Install a distribution with one module; returns the module's name.

    ``names`` are its entry points; one named like the distribution if nothing is said.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    made: list[str] = []

    def install(name: str, source: str, *names: str, version: str = "1.0") -> str:
        module = f"{name.replace('-', '_')}_{next(numbers)}"
        made.append(module)
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        points = "".join(f"{one} = {module}\n" for one in names or (name,))
        (info / "entry_points.txt").write_text(f"[gomodel_proxy.plugins]\n{points}")
        importlib.invalidate_caches()
        return module

    yield install
    for module in made:
        sys.modules.pop(module, None)
