"""`load`: TOML and mappings to checked settings, and errors that say where and what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import ConfigError, Secret
from gomodel_proxy.config import Configuration, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.plugins import Plugins

Offering = Any


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text)
        return file

    return write


def settings(configuration: Configuration, provider: str) -> Any:
    return configuration.providers[provider].config


# ---------------------------------------------------------------- what is read


def test_a_file_becomes_settings(write: Any, plugins: Plugins) -> None:
    file = write(
        """
        [server]
        port = 9000
        body_limit = "1MiB"
        idle_timeout = "2m"

        [providers.acme-us]
        type = "acme"
        api_key = "us-key"
        prices = {"big" = {input = "2.50", output = "10"}}

        [providers.acme-eu]
        type = "acme"
        api_key = "eu-key"
        base_url = "https://eu.acme.example/v1"
        concurrency = 8

        [store]
        type = "sqlite"
        path = "mine.db"
        """
    )
    configuration = load(file, plugins, {})
    assert configuration.file == file
    assert configuration.base == file.parent
    assert configuration.server.port == 9000
    assert configuration.server.body_limit == 1_048_576
    assert configuration.server.idle_timeout == 120.0
    assert configuration.server.host == "127.0.0.1"
    assert list(configuration.providers) == ["acme-us", "acme-eu"]
    assert settings(configuration, "acme-us").type == "acme"
    assert settings(configuration, "acme-us").api_key == Secret("us-key")
    assert settings(configuration, "acme-us").prices["big"].output == "10"
    assert settings(configuration, "acme-eu").base_url == "https://eu.acme.example/v1"
    assert configuration.store is not None
    assert configuration.store.config.path == "mine.db"  # type: ignore[attr-defined]


def test_paths_start_from_the_file(
    write: Any, plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("")
    monkeypatch.chdir(tmp_path.parent)
    assert load(Path(tmp_path.name, "config.toml"), plugins, {}).base == tmp_path
    assert load({}, plugins, {}).base == tmp_path.parent


def test_a_mapping_is_as_good_as_a_file(plugins: Plugins) -> None:
    key = Secret("given as such")
    source = {"providers": {"acme": {"type": "acme", "api_key": key}}, "logs": {"level": "debug"}}
    configuration = load(source, plugins, {})
    assert configuration.file is None
    assert settings(configuration, "acme").api_key == key
    assert configuration.logs.level == "debug"
    assert "given as such" not in repr(configuration)


def test_numbers_may_come_as_strings_since_the_environment_has_no_others(plugins: Plugins) -> None:
    source = {
        "server": {"port": "${PORT:-8080}", "fast_lane": "${FAST}"},
        "upstream": {"retries": "${RETRIES:-2}", "connect_timeout": "${CONNECT:-3}"},
    }
    configuration = load(source, plugins, {"FAST": "false", "RETRIES": "5"})
    assert configuration.server.port == 8080
    assert configuration.server.fast_lane is False
    assert configuration.upstream.retries == 5
    assert configuration.upstream.connect_timeout == 3.0


def test_tables_of_plugins_take_their_name_as_type(plugins: Plugins) -> None:
    source = {
        "limits": {"rate": {"requests": 5}, "slow": {"type": "rate", "requests": 1, "per": "1h"}},
        "cache": {"type": "memory"},
    }
    configuration = load(source, plugins, {})
    rate, slow = configuration.limits.values()
    assert (rate.name, rate.kind.name, rate.config.per) == ("rate", "rate", 60.0)  # type: ignore[attr-defined]
    assert (slow.name, slow.kind.name, slow.config.per) == ("slow", "rate", 3600.0)  # type: ignore[attr-defined]
    assert configuration.cache is not None
    assert configuration.cache.kind.name == "memory"


def test_a_routing_step_needs_no_table_of_its_own(plugins: Plugins) -> None:
    configuration = load({"routing": {"steps": ["cheapest"]}}, plugins, {})
    assert configuration.routers["cheapest"].kind.name == "cheapest"


def test_only_what_is_named_is_loaded(distribution: Any) -> None:
    from gomodel_proxy.plugins import Plugins

    source = """
        from gomodel_proxy.api import Kind, ProviderConfig
        from gomodel_proxy.hookspecs import hookimpl

        @hookimpl
        def gomodel_providers():
            return [Kind("{0}", ProviderConfig, None)]
    """
    for name in ("named", "enabled", "idle"):
        distribution(name, source.format(name))
    plugins = Plugins()
    table = {
        "plugins": {"enabled": ["enabled"]},
        "providers": {"one": {"type": "named"}},
        "store": {"type": "sqlite", "path": "x"},
    }
    with pytest.raises(ConfigError):  # of no interest here: which store is installed
        load({**table, "store": {"type": "none-such"}}, plugins, {})
    states = {state.name: state.state for state in plugins.report()}
    assert (states["named"], states["enabled"], states["idle"]) == ("on", "on", "off")


# ---------------------------------------------------------------- what stands in


def test_a_provider_without_its_key_is_left_out(plugins: Plugins) -> None:
    source = {
        "providers": {
            "none": {"type": "acme", "api_key": "${ACME:-}"},
            "some": {"type": "acme", "api_key": "k"},
            "local": {"type": "acme_local", "base_url": "http://localhost/v1"},
        }
    }
    configuration = load(source, plugins, {})
    assert list(configuration.providers) == ["some", "local"]
    assert configuration.skipped == {"none": "api_key is empty"}
    skips = [one for one in configuration.notices if one.event == "providers.skipped"]
    assert [dict(one.fields) for one in skips] == [
        {"provider": "none", "reason": "api_key is empty"}
    ]


def test_the_embedded_store_serves_where_none_is_named(plugins: Plugins) -> None:
    store = load({}, plugins, {}).store
    assert store is not None
    assert (store.kind.name, store.config.path) == ("sqlite", "gomodel.db")  # type: ignore[attr-defined]


def test_without_any_store_the_log_says_so(offering: Offering) -> None:
    configuration = load({}, offering("acme"), {})
    assert configuration.store is None
    assert "store.none" in [one.event for one in configuration.notices]


def test_a_file_without_providers_gets_no_sandbox(plugins: Plugins) -> None:
    configuration = load({}, plugins, {})
    assert configuration.providers == {}
    assert "providers.none" in [one.event for one in configuration.notices]


def test_a_broken_plugin_nobody_needs_is_a_notice(
    distribution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gomodel_proxy.plugins import Plugins

    distribution("broken", "raise OSError('no disk')")
    source = {"plugins": {"enabled": ["broken"]}, "store": {"type": "broken"}}
    with pytest.raises(ConfigError, match=r"store\.type: plugin 'broken' failed: OSError: no disk"):
        load(source, Plugins(), {})
    monkeypatch.setattr("gomodel_proxy.config.loading.EMBEDDED_STORE", {"type": "nothing"})
    configuration = load({"plugins": {"enabled": ["broken"]}}, Plugins(), {})
    failed = next(one for one in configuration.notices if one.event == "plugin.failed")
    assert failed.fields["plugin"] == "broken"
    assert "no disk" in failed.fields["error"]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nprot = 1", "server.prot: unknown key; did you mean 'port'?"),
        ("[server]\nzzz = 1", "server.zzz: unknown key (known: body_limit, body_timeout, "),
        ("[sever]\nport = 1", "sever: unknown table; did you mean 'server'?"),
        ("server = 1", "server: expected a table"),
        ("providers = 1", "providers: expected a table"),
        ("providers.a = 1", "providers.a: expected a table"),
        ("[server]\nport = 'x'", "server.port: Expected `int`, got `str`"),
        ("[server]\nport = 70000", "server.port: Expected `int` <= 65535"),
        ("[server]\nbody_limit = '1 pint'", "server.body_limit: '1 pint' is not a size"),
        ("[server]\nbody_limit = -1", "server.body_limit: Expected `int` >= 0"),
        ("[upstream]\nkeepalive = 'soon'", "upstream.keepalive: 'soon' is not a duration"),
        ("[logs]\nlevel = 'loud'", "logs.level: Invalid enum value 'loud'"),
        ("[auth]\nmaster_key = 5", "auth.master_key: expected a string"),
        ("[auth.keys.ann]\nuser_path = '/'", "auth.keys.ann.key: missing"),
        ("[auth.keys.ann]\nkey = 'k'\nuser = '/'", "auth.keys.ann.user: unknown key; did you mean"),
        ("[auth.keys.ann]\nkey = 'k'\nadmin = 'x'", "auth.keys.ann.admin: Expected `bool`"),
        (
            "[auth.keys.ann]\nkey = 'k'\nuser_path = 'x'",
            "auth.keys.ann.user_path: must begin with /",
        ),
        ("[plugins]\nenabled = ['amce']", "plugins.enabled: no plugin called 'amce' is installed;"),
        ("[plugins]\nenabled = [1]", "plugins.enabled[0]: Expected `str`, got `int`"),
        ("[providers.a]\nbase_url = 'x'", "providers.a.type: missing; it names a plugin"),
        ("[providers.a]\ntype = 1", "providers.a.type: expected a string"),
        ("[providers.a]\ntype = 'acne'", "providers.a.type: no plugin called 'acne' is installed;"),
        ("[providers.a]\ntype = 'rate'", "providers.a.type: plugin 'rate' has no 'rate' among its"),
        (
            "[providers.a]\ntype = 'acme'\napi_kye = 'x'",
            "providers.a.api_kye: unknown key; did you mean 'api_key'?",
        ),
        (
            "[providers.'a b']\ntype = 'acme'\nmodel = []",
            "providers.\"a b\".model: unknown key; did you mean 'models'?",
        ),
        (
            "[providers.a]\ntype = 'acme'\nprices.big.inptu = '1'",
            "providers.a.prices.big.inptu: unknown key; did you mean 'input'?",
        ),
        (
            "[providers.a]\ntype = 'acme'\nprices.big.tiers = [{above = 1}, {above = 'x'}]",
            "providers.a.prices.big.tiers[1].above: Expected `int`",
        ),
        ("[providers.a]\ntype = 'acme_local'", "providers.a.base_url: missing"),
        (
            "[providers.a]\ntype = 'acme'\napi_key = 'k'\ntransport = 'pigoen'",
            "providers.a.transport: no plugin called 'pigoen' is installed; did you mean 'pigeon'",
        ),
        ("[limits.rate]\nrequests = 1\nper = 'x'", "limits.rate.per: 'x' is not a duration"),
        ("[limits.rate]\nrequests = 1\nburst = 2", "limits.rate.burst: unknown key"),
        ("[store]\npath = 'x'", "store.type: missing"),
        ("[routing]\nsteps = ['cheap']", "routing.steps.type: no plugin called 'cheap'"),
    ],
)
def test_an_error_names_file_key_and_remedy(
    text: str, message: str, write: Any, plugins: Plugins
) -> None:
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        load(file, plugins, {})
    assert caught.value.message.startswith(f"{file}: {message}")


def test_a_syntax_error_names_line_and_column(write: Any, plugins: Plugins) -> None:
    file = write("[server]\nport 80\n")
    with pytest.raises(ConfigError, match=r"config\.toml: no valid TOML: .*line 2, column 6"):
        load(file, plugins, {})


def test_files_that_cannot_be_read(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml", plugins, {})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 2"):
        load(tmp_path / "latin.toml", plugins, {})


def test_a_secret_is_in_no_error(write: Any, plugins: Plugins) -> None:
    canary = "canary-1234567890"
    for text in (
        f"[auth]\nmaster_key = ['{canary}']",
        f"[auth]\nmaster_key = {{a = '{canary}'}}",
        f"[auth.keys.a]\nkey = '{canary}'\n[auth.keys.b]\nkey = '{canary}'",
        f"[providers.a]\ntype = 'acme'\napi_key = ['{canary}']",
    ):
        with pytest.raises(ConfigError) as caught:
            load(write(text), plugins, {})
        assert canary not in caught.value.message
