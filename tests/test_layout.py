"""What the folders promise: one contract, complete plugins, pins without addresses, small files."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
SOURCES = sorted(
    file
    for folder in ("core", "plugins", "tests", "bench")
    for file in (ROOT / folder).rglob("*.py")
)
LONGEST = 400
LONGEST_TEST = 600  # there is one for each source, and cases take more lines than code
LONGER = {"core/gomodel_proxy/api/roles.py": "the roles of the contract, to be read as one page"}


def load(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def name(plugin: Path) -> str:
    return plugin.name


def test_the_package_holds_the_contract_of_the_top_level() -> None:
    spec = importlib.util.find_spec("gomodel_proxy.hookspecs")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).read_bytes() == (ROOT / "hookspecs.py").read_bytes()


def test_no_other_module_lies_at_the_top_level() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["hookspecs.py"]


def test_every_list_of_plugins_is_complete() -> None:
    project = load(ROOT)
    distributions = [load(plugin)["project"]["name"] for plugin in PLUGINS]
    modules = [f"gomodel_proxy_{plugin.name}" for plugin in PLUGINS]
    assert project["project"]["optional-dependencies"]["all"] == distributions
    assert list(project["tool"]["uv"]["sources"]) == ["gomodel-proxy", *distributions]
    assert project["tool"]["mypy"]["packages"] == ["gomodel_proxy", *modules]


def test_every_folder_of_plugins_is_a_plugin() -> None:
    folders = [path for path in (ROOT / "plugins").iterdir() if path.is_dir()]
    assert sorted(folders) == PLUGINS


@pytest.mark.parametrize("plugin", PLUGINS, ids=name)
def test_a_plugin_is_complete(plugin: Path) -> None:
    module = plugin / "src" / f"gomodel_proxy_{plugin.name}"
    assert (module / "__init__.py").is_file()
    assert (module / "py.typed").is_file()
    assert list((plugin / "tests").glob("test_*.py"))
    readme = (plugin / "README.md").read_text()
    assert readme.startswith(f"# gomodel-proxy-{plugin.name.replace('_', '-')}\n")


@pytest.mark.parametrize("plugin", PLUGINS, ids=name)
def test_the_project_of_a_plugin_follows_the_names(plugin: Path) -> None:
    table = load(plugin)
    core = load(ROOT)["project"]
    project = table["project"]
    assert project["name"] == f"gomodel-proxy-{plugin.name.replace('_', '-')}"
    assert project["requires-python"] == core["requires-python"]
    assert project["license"] == core["license"]
    assert any(need.startswith("gomodel-proxy>=") for need in project["dependencies"])
    offered = project["entry-points"]["gomodel_proxy.plugins"]
    assert offered == {plugin.name: f"gomodel_proxy_{plugin.name}"}


@pytest.mark.parametrize("lock", ["requirements-dev.lock", "requirements-uv.lock"])
def test_pins_have_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9-]+==\S+", pin) for pin in pins)
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|file:|index-url|find-links|^\s*(?:-e |\.|/)", text, re.MULTILINE)


def test_the_build_backends_are_pinned() -> None:
    pins = (ROOT / "requirements-dev.lock").read_text()
    for folder in (ROOT, *PLUGINS):
        for need in load(folder)["build-system"]["requires"]:
            backend = re.split(r"[<>=]", need)[0].replace("_", "-")
            assert f"\n{backend}==" in pins


def test_the_lock_of_uv_is_not_kept() -> None:
    assert "/uv.lock" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_file_is_too_long() -> None:
    long = {
        str(file.relative_to(ROOT))
        for file in SOURCES
        if len(file.read_text().splitlines()) > (LONGEST_TEST if is_test(file) else LONGEST)
    }
    assert long == LONGER.keys()


def is_test(file: Path) -> bool:
    return "tests" in file.relative_to(ROOT).parts
