"""The distributions as users get them: built, installed into an empty environment, serving."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
DISTRIBUTIONS = ["gomodel-proxy", *(f"gomodel-proxy-{name.replace('_', '-')}" for name in PLUGINS)]
MOST_THIRD_PARTY = 16

# The bench prints the figure that this module holds.
dependencies = runpy.run_path(str(ROOT / "bench" / "dependencies.py"))


def uv(*arguments: str | Path) -> None:
    """Run uv without a network: all it needs is the locked environment that runs the tests."""
    bootstrapped = ROOT / ".uv" / "bin" / "uv"
    program = str(bootstrapped) if bootstrapped.exists() else shutil.which("uv")
    assert program, "uv is missing: run the tests by `make test`"
    settings = {"UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
    subprocess.run(
        [program, "--quiet", *arguments], cwd=ROOT, env=os.environ | settings, check=True
    )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every distribution, the wheels from the sdists."""
    out = tmp_path_factory.mktemp("dist")
    uv("build", "--all-packages", "--no-build-isolation", "--python", sys.executable, "-o", out)
    return out


def third_party_entries() -> Iterator[Path]:
    """Yield the files and folders of the third-party distributions that ours require."""
    for name in dependencies["third_party"](DISTRIBUTIONS):
        files = distribution(name).files
        assert files, f"{name} does not say what it installed"
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            yield Path(str(distribution(name).locate_file(top)))


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheels beside their declared dependencies and nothing else; return its bin/."""
    venv = tmp_path_factory.mktemp("venv")
    uv("venv", "--python", sys.executable, "--clear", venv)
    packages = next(venv.glob("lib/python*/site-packages"))
    for entry in third_party_entries():
        (packages / entry.name).symlink_to(entry)
    wheels = sorted(dist.glob("*.whl"))
    uv("pip", "install", "--python", venv / "bin" / "python", "--no-deps", "--no-index", *wheels)
    return venv / "bin"


def wheel(dist: Path, name: str) -> zipfile.ZipFile:
    (file,) = dist.glob(f"{name.replace('-', '_')}-[0-9]*.whl")
    return zipfile.ZipFile(file)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_holds_its_package_and_no_more(dist: Path, name: str) -> None:
    module = name.replace("-", "_")
    with wheel(dist, name) as archive:
        names = archive.namelist()
    assert f"{module}/py.typed" in names
    tops = {entry.split("/")[0] for entry in names}
    assert {re.sub(r"-[^-]+\.dist-info$", ".dist-info", top) for top in tops} == {
        module,
        f"{module}.dist-info",
    }


def test_the_wheel_holds_the_contract_of_the_top_level(dist: Path) -> None:
    with wheel(dist, "gomodel-proxy") as archive:
        contract = archive.read("gomodel_proxy/hookspecs.py")
    assert contract == (ROOT / "hookspecs.py").read_bytes()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_holds_every_file_of_the_package(dist: Path, name: str) -> None:
    plugin = name.removeprefix("gomodel-proxy").lstrip("-").replace("-", "_")
    source = ROOT / "plugins" / plugin / "src" if plugin else ROOT / "core"
    files = {file for file in source.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    with wheel(dist, name) as archive:
        assert {str(file.relative_to(source)) for file in files} <= set(archive.namelist())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_an_sdist_holds_no_links(dist: Path, name: str) -> None:
    (file,) = dist.glob(f"{name.replace('-', '_')}-[0-9]*.tar.gz")
    with tarfile.open(file) as archive:
        assert all(member.isfile() or member.isdir() for member in archive.getmembers())


def test_the_installed_command_finds_every_plugin(installed: Path) -> None:
    shown = subprocess.run(
        [installed / "gomodel-proxy", "plugins"], capture_output=True, text=True, check=True
    )
    assert all(re.search(rf"\b{name}\b", shown.stdout) for name in PLUGINS)


def test_the_installed_command_serves_a_request(installed: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[server]\nport = 0\n\n[providers.sandbox]\ntype = "sandbox"\n\n'
        '[store]\ntype = "sqlite"\npath = "ledger.db"\n'
    )
    with subprocess.Popen(
        [installed / "gomodel-proxy", "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            origin = listening(server)
            assert ask(f"{origin}/health")
            body = {"model": "sandbox-echo", "messages": [{"role": "user", "content": "hello"}]}
            reply = ask(f"{origin}/v1/chat/completions", json.dumps(body).encode())
        finally:
            server.terminate()
            server.communicate(timeout=15)
    assert reply["object"] == "chat.completion"
    assert reply["provider"] == "sandbox"
    assert server.returncode == 0


def listening(server: subprocess.Popen[str]) -> str:
    """Return the origin that the server says it listens on."""
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError(f"the server stopped before it listened:\n{said}")


def ask(url: str, body: bytes | None = None) -> Any:
    request = Request(url, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as reply:
        return json.load(reply)


def test_few_third_party_distributions_come_along() -> None:
    some = {"gomodel-proxy-openai", "gomodel-proxy-anthropic", "gomodel-proxy-sqlite"}
    names = ["gomodel-proxy", *sorted(some & set(DISTRIBUTIONS))]
    found = dependencies["third_party"](names)
    assert {"aiohttp", "yarl"} <= found
    assert len(found) <= MOST_THIRD_PARTY, sorted(found)
