"""The arrows between the layers: who may import whom, in every file of core/ and plugins/."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
CORE = ROOT / "core" / "gomodel_proxy"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))

TOP = {"hookspecs", "api", "plugins", "config", "logs", "builtin"}
EDGE = TOP | {"wire", "engine", "http", "aiohttp", "msgspec", "multidict", "structlog", "yarl"}

# Layer → the layers and third-party packages it may import, besides itself and what is harmless
# in the standard library. Nothing but tests may import `testing`.
ALLOWED = {
    "hookspecs": {"api", "pluggy"},
    "api": {"msgspec"},
    "wire": {"api", "msgspec"},
    "plugins": TOP | {"msgspec", "pluggy", "structlog"},
    "config": TOP | {"msgspec", "structlog"},
    "logs": TOP | {"msgspec", "structlog"},
    "builtin": TOP | {"wire", "engine", "http", "msgspec"},
    "engine": TOP | {"wire", "msgspec", "structlog"},
    "http": EDGE | {"uvloop"},
    "cli": EDGE | {"rich"},
    "__init__": EDGE,
    "__main__": {"cli"},
    "testing": EDGE
    | {"cli", "aioresponses", "asyncpg", "hypothesis", "pluggy", "pytest", "pytest_aiohttp"},
}
PLUGIN = {"hookspecs", "api", "wire", "msgspec"}
PLUGIN_TESTS = PLUGIN | {"testing", "structlog"}
PLUGIN_TESTS |= {"hypothesis", "jsonschema_rs", "pydantic", "pytest", "pytest_asyncio"}
PLUGIN_TESTS |= {"aiohttp", "anthropic", "google", "openai", "typing_extensions"}

# Standard modules with a side: sockets are for the edges, and `wire` knows no loop and no clock.
SOCKETS = {
    "http.client",
    "http.server",
    "select",
    "selectors",
    "socket",
    "socketserver",
    "ssl",
    "urllib.request",
}
LOOP_AND_CLOCK = {"asyncio", "concurrent", "os", "signal", "subprocess", "threading", "time"}
FORBIDDEN = {
    "http": set[str](),
    "cli": set[str](),
    "testing": set[str](),
    "api": SOCKETS | LOOP_AND_CLOCK,
    "wire": SOCKETS | LOOP_AND_CLOCK,
}


def imported(source: str, module: str, *, package: bool) -> Iterator[str]:
    """Yield the absolute name of everything that a module's source imports, types included."""
    here = module.split(".") if package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base in ("gomodel_proxy", "http", "urllib"):  # its members are what is imported
                yield from (f"{base}.{alias.name}" for alias in node.names)
            else:
                yield base


def violations(names: Iterator[str], layer: str, allowed: set[str]) -> list[str]:
    """Return the imports that a layer must not have."""
    forbidden = FORBIDDEN.get(layer, SOCKETS)
    wrong = []
    for name in names:
        top, _, rest = name.partition(".")
        if top == "gomodel_proxy":
            fine = rest.partition(".")[0] in allowed | {layer, "__version__"}
        elif top in sys.stdlib_module_names:
            fine = top not in forbidden and name not in forbidden
        else:
            fine = top in allowed | {layer}
        if not fine:
            wrong.append(name)
    return wrong


def declared(plugin: Path) -> set[str]:
    """Return the packages that a plugin's own distribution depends on."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    names = (re.split(r"[^\w.-]", needed)[0] for needed in project["dependencies"])
    return {name.replace("-", "_") for name in names} - {"gomodel_proxy"}


def check(file: Path, module: str, layer: str, allowed: set[str]) -> None:
    names = imported(file.read_text(), module, package=file.name == "__init__.py")
    assert not violations(names, layer, allowed), f"{layer} must not import this"


def identify(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=identify)
def test_core(file: Path) -> None:
    parts = file.relative_to(CORE).with_suffix("").parts
    module = ".".join(["gomodel_proxy", *parts]).removesuffix(".__init__")
    check(file, module, parts[0], ALLOWED[parts[0]])


@pytest.mark.parametrize("file", sorted(ROOT.glob("plugins/*/src/**/*.py")), ids=identify)
def test_plugins(file: Path) -> None:
    parts = file.relative_to(ROOT).with_suffix("").parts[3:]
    allowed = PLUGIN | declared(ROOT / Path(*file.relative_to(ROOT).parts[:2]))
    check(file, ".".join(parts).removesuffix(".__init__"), parts[0], allowed)


@pytest.mark.parametrize("file", sorted(ROOT.glob("plugins/*/tests/**/*.py")), ids=identify)
def test_tests_of_plugins(file: Path) -> None:
    plugin = ROOT / Path(*file.relative_to(ROOT).parts[:2])
    own = {f"gomodel_proxy_{plugin.name}", *declared(plugin)}
    beside = {path.stem for path in file.parent.glob("*.py")}
    names = imported(file.read_text(), file.stem, package=False)
    assert not violations(names, "testing", PLUGIN_TESTS | beside | own)


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("gomodel_proxy.wire.sse", "import asyncio", "asyncio"),
        ("gomodel_proxy.wire.sse", "def f():\n    from time import time", "time"),
        ("gomodel_proxy.wire.sse", "from ..engine import x", "gomodel_proxy.engine"),
        ("gomodel_proxy.wire.sse", "from .. import engine", "gomodel_proxy.engine"),
        ("gomodel_proxy.engine.pipeline", "from aiohttp import web", "aiohttp"),
        ("gomodel_proxy.engine.pipeline", "import urllib.request", "urllib.request"),
        ("gomodel_proxy.engine.pipeline", "from gomodel_proxy import cli", "gomodel_proxy.cli"),
        ("gomodel_proxy.http.app", "import gomodel_proxy.testing", "gomodel_proxy.testing"),
        ("gomodel_proxy.engine.pipeline", "from .streams import Stream", None),
        ("gomodel_proxy.engine.pipeline", "from urllib.parse import quote", None),
        ("gomodel_proxy.engine.pipeline", "from http import HTTPStatus, client", "http.client"),
    ],
)
def test_a_wrong_arrow_is_found(module: str, source: str, wrong: str | None) -> None:
    layer = module.split(".")[1]
    names = imported(source, module, package=False)
    assert violations(names, layer, ALLOWED[layer]) == ([wrong] if wrong else [])
