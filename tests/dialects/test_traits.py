"""Traits that plugins ship are ones that somebody heeds: each is documented where it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gomodel_proxy.wire.published import read_traits

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(file.parent for file in ROOT.glob("plugins/*/src/*/traits.toml"))
WIRE = ROOT / "core" / "gomodel_proxy" / "wire"


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_every_trait_is_documented(package: Path) -> None:
    documented: set[str] = set()
    for file in (*package.glob("*.py"), *WIRE.glob("*.py")):
        for told in re.findall(r"\bTraits?\b[^:]*:.*?(?:\n\n|\"\"\")", file.read_text(), re.DOTALL):
            documented |= set(re.findall(r"``(\w+)``", told))
    used = {name for family in read_traits(package.name).values() for name in family}
    assert used <= documented
