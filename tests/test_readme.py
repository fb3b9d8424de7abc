"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gomodel_proxy import create_app
from gomodel_proxy.config import load
from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\$ make ([a-z ]+?)(?: +#.*)?$", README, re.MULTILINE))
    names = {name for line in targets for name in line.split()}
    assert {"run", "test", "bench"} <= names
    for name in names:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    (text,) = [block for block in blocks("toml") if "[auth.keys.reports]" in block]
    tomllib.loads(text)
    file = tmp_path / "config.toml"
    file.write_text(text)
    configuration = load(file, Plugins(), {"REPORTS_KEY": "sk-reports-1"})
    assert list(configuration.providers) == ["local"]  # openai has no key here
    assert configuration.auth.keys["reports"].user_path == "/finance/reports"


def test_the_plugin_is_a_plugin(distribution: Callable[..., str], tmp_path: Path) -> None:
    (source,) = [block for block in blocks("python") if "open_acme" in block]
    distribution("gomodel-proxy-acme", source, "acme")
    config = {"providers": {"mine": {"type": "acme", "api_key": "sk-acme-1"}}}
    configuration = load(config, Plugins(), {})
    assert configuration.providers["mine"].kind.name == "acme"


def test_the_python_examples_compile() -> None:
    for source in blocks("python"):
        body = source if "async with" not in source else _wrapped(source)
        compile(body, "README.md", "exec")


def _wrapped(source: str) -> str:
    return "async def example():\n" + "".join(f"    {line}\n" for line in source.splitlines())


async def test_the_embedding_example_mounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiohttp import web

    (source,) = [block for block in blocks("python") if "add_subapp" in block]
    (tmp_path / "config.toml").write_text('[providers.sandbox]\ntype = "sandbox"\n')
    monkeypatch.chdir(tmp_path)
    ran: list[Any] = []
    monkeypatch.setattr(web, "run_app", ran.append)
    exec(source, {})
    assert isinstance(ran[0], web.Application)
    assert create_app is not None
