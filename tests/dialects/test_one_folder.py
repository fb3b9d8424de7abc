"""What a ninth dialect takes: one folder over the public surface, and nothing in the core."""

from __future__ import annotations

import ast
from pathlib import Path

import gomodel_proxy

from . import parrot

PUBLIC = ("gomodel_proxy.api", "gomodel_proxy.hookspecs", "gomodel_proxy.wire")


def imports(file: Path) -> set[str]:
    """Return the modules of ours that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name for name in found if name.startswith("gomodel_proxy")}


def test_the_folder_needs_the_public_surface_alone() -> None:
    folder = Path(parrot.__file__ or "").parent
    used = {name for file in folder.glob("*.py") for name in imports(file)}
    assert used
    assert all(name.startswith(PUBLIC) for name in used)


def test_the_core_does_not_know_of_it() -> None:
    core = Path(gomodel_proxy.__file__).parent
    assert not [file for file in core.rglob("*.py") if "parrot" in file.read_text().lower()]
