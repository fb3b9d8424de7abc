"""``gomodel-proxy``: what it prints, what it returns, and what it does not import."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy import __version__
from gomodel_proxy.cli import main

if TYPE_CHECKING:
    from pathlib import Path

HOOK = """
    from gomodel_proxy.hookspecs import hookimpl

    def arguments(parser):
        parser.add_argument("--times", type=int, default=1)

    @hookimpl
    def gomodel_commands(commands):
        commands.add("{name}", "wave at somebody", arguments, lambda given: 40 + given.times)
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(
        '[server]\nport = 0\n[providers.sandbox]\ntype = "sandbox"\n'
        '[providers.openai]\ntype = "openai"\napi_key = "${NO_SUCH_VARIABLE:-}"\n'
    )
    return file


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_MODELS")) or name in ("PORT", "GOMODEL_HOST"):
            monkeypatch.delenv(name)


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, **options
    )


# ---------------------------------------------------------------- version, help, sample


def test_the_version_by_module() -> None:
    done = python("-m", "gomodel_proxy", "--version")
    assert (done.returncode, done.stdout) == (0, f"gomodel-proxy {__version__}\n")


def test_nothing_heavy_is_imported_before_a_command_is_known() -> None:
    done = python(
        "-c",
        "import sys; from gomodel_proxy.cli.parser import build; build();"
        "print(*{name.partition('.')[0] for name in sys.modules})",
    )
    heavy = {"aiohttp", "asyncio", "importlib.metadata", "msgspec", "pluggy", "structlog"}
    assert not heavy & set(done.stdout.split())


def test_help_teaches_and_lists_the_commands_of_plugins(
    distribution: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    distribution("waver", HOOK.format(name="wave"))
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert "wave at somebody" in out
    assert "gomodel-proxy check --config config.toml" in out


def test_the_sample_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "sample"]) == 0
    assert "[server]\nhost = " in capsys.readouterr().out


# ---------------------------------------------------------------- commands of plugins


def test_a_command_of_a_plugin(distribution: Any) -> None:
    distribution("waver", HOOK.format(name="wave"))
    assert main(["wave", "--times", "2"]) == 42


def test_a_plugin_cannot_take_a_built_in_command(
    distribution: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    distribution("waver", HOOK.format(name="run"))
    distribution("broken", "1 / 0")
    with pytest.raises(SystemExit) as exit_:
        main(["no-such-command"])
    assert exit_.value.code == 2
    err = capsys.readouterr().err
    assert "plugin 'waver' is left out (failed)" in err
    assert "plugin 'broken' is left out (failed)" in err
    assert "invalid choice: 'no-such-command'" in err


def test_built_in_commands_import_no_plugin_for_its_commands(distribution: Any) -> None:
    module = distribution("waver", HOOK.format(name="wave"))
    assert main(["config", "sample"]) == 0
    assert module not in sys.modules


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gomodel_proxy", "config", "sample"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


# ---------------------------------------------------------------- check


@pytest.mark.parametrize("before", [True, False])
def test_check_says_what_would_be_served(
    before: bool, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option = ["--config", str(config)]
    assert main([*option, "check"] if before else ["check", *option]) == 0
    words = [text.split(None, 1) for text in capsys.readouterr().out.splitlines()]
    for line in (
        ["configuration", str(config)],
        ["provider", "sandbox"],
        ["left", "out        openai: api_key is empty"],
        ["store", "sqlite"],
        ["plugin", f"openai {__version__}: on"],
    ):
        assert line in words
    assert not list(config.parent.glob("*.db*")), "a check must write nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "server.prot: unknown key; did you mean 'port'?"),
        (
            "[providers.acme]\ntype = 'openai_compatible'\nbase_url = 'ftp:/x'\n",
            "[providers.acme] base_url: must be http:// or https://",
        ),
    ],
)
def test_check_finds_what_is_wrong(
    text: str, said: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(text)
    assert main(["check", "--config", str(config)]) == 1
    assert said in capsys.readouterr().err


def test_check_without_a_file_checks_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_EU_API_KEY", "canary-12345678")
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert "openai-eu (openai)" in out
    assert "canary" not in out


# ---------------------------------------------------------------- plugins


def test_plugins_lists_all_and_tries_them(
    distribution: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plugins"]) == 0
    distribution("broken", "1 / 0", version="0.7")
    capsys.readouterr()
    assert main(["plugins"]) == 1
    out = capsys.readouterr().out
    rows = [text.split() for text in out.splitlines()]
    assert ["sandbox", "on", "gomodel-proxy-sandbox", __version__] in rows
    assert ["broken", "failed", "broken", "0.7"] in rows
    assert "broken: ZeroDivisionError: division by zero" in out
    assert "Traceback" not in out
    assert main(["plugins", "-v"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().out


def test_plugins_of_a_configuration(
    config: Path, distribution: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    distribution("idle", "1 / 0")
    assert main(["plugins", "--config", str(config)]) == 0
    rows = [text.split()[:2] for text in capsys.readouterr().out.splitlines()]
    assert ["sandbox", "on"] in rows
    assert ["idle", "off"] in rows


# ---------------------------------------------------------------- run


@pytest.mark.parametrize("words", [["run"], []])
def test_a_wrong_configuration_is_one_line_and_no_traceback(words: list[str], config: Path) -> None:
    config.write_text("[server]\nhost = '0.0.0.0'\n")
    done = python("-m", "gomodel_proxy", *words, "--config", str(config))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"gomodel-proxy: {config}: server.host: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGTERM")
def test_it_serves_until_it_is_told_to_stop(config: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gomodel_proxy", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        events = []
        try:
            for text in process.stderr:
                events.append(json.loads(text))
                if events[-1]["event"] == "server.listening":
                    break
            address = events[-1]["address"]
            with urllib.request.urlopen(f"{address}/health", timeout=10) as reply:
                assert reply.status == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert {"providers.skipped"} <= {event["event"] for event in events}
