"""The sample: equal to what the structs say, and right in every line, commented out or not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gomodel_proxy import builtin
from gomodel_proxy.config import load
from gomodel_proxy.config.sample import render
from gomodel_proxy.plugins import Plugins

SAMPLE = Path(__file__).parents[2] / "sample_config.toml"


@pytest.fixture
def plugins() -> Plugins:
    made = Plugins()
    made.add(builtin, builtin.NAME)
    return made


def test_the_file_is_what_the_structs_say() -> None:
    assert SAMPLE.read_text() == render(Plugins()), "run: gomodel-proxy config sample"


def test_it_runs_as_it_stands(plugins: Plugins) -> None:
    configuration = load(SAMPLE, plugins, {})
    assert list(configuration.providers) == ["sandbox"]
    assert configuration.skipped == {"openai": "api_key is empty"}
    assert configuration.store is not None
    assert configuration.store.kind.name == "sqlite"


def test_a_key_in_the_environment_is_all_it_takes(plugins: Plugins) -> None:
    configuration = load(SAMPLE, plugins, {"OPENAI_API_KEY": "k"})
    assert list(configuration.providers) == ["sandbox", "openai"]


def test_every_line_commented_out_is_valid_and_says_the_default(
    plugins: Plugins, tmp_path: Path
) -> None:
    opened = re.sub(r"^# (\w+ = |\[[^<\n]+\]$)", r"\1", SAMPLE.read_text(), flags=re.MULTILINE)
    (tmp_path / "config.toml").write_text(opened)
    everything = load(tmp_path / "config.toml", plugins, {"ALICE_KEY": "k", "OPENAI_API_KEY": "k"})
    plain = load({}, plugins, {})
    for table in ("server", "routing", "upstream", "assets", "models", "accounting", "logs"):
        written = tomllib.loads(opened)[table]
        settings = getattr(everything, table)
        assert written.keys() == set(settings.__struct_fields__)
        assert settings == getattr(plain, table)
    assert everything.auth.keys["alice"].user_path == "/research/alice"
    assert list(everything.providers) == ["sandbox", "openai", "local"]


def test_every_core_setting_is_described() -> None:
    table = ""
    for text in SAMPLE.read_text().splitlines():
        if found := re.match(r"\[(\w+)\]", text):
            table = found[1]
        if table in ("server", "routing", "upstream", "models", "accounting", "logs", "auth"):
            assert not re.match(r"#? ?\w+ = \S+$", text), text


def test_plugins_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gomodel_proxy.plugins.manager.candidates", dict)
    parsed = tomllib.loads(render(Plugins()))
    assert "providers" not in parsed
    assert "store" not in parsed
    assert "server" in parsed
