"""Configuration from the environment alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import ConfigError, Secret
from gomodel_proxy.config import load

if TYPE_CHECKING:
    from gomodel_proxy.config import Configuration
    from gomodel_proxy.plugins import Plugins

Offering = Any


def provider(configuration: Configuration, name: str) -> Any:
    return configuration.providers[name].config


def test_providers_by_type_and_suffix(plugins: Plugins) -> None:
    configuration = load(
        None,
        plugins,
        {
            "ACME_EU_WEST_API_KEY": "west",
            "ACME_EU_WEST_BASE_URL": "https://west.example/v1",
            "ACME_EU_WEST_MODELS": "small, large,,",
            "ACME_API_KEY": "plain",
            "UNRELATED_API_KEY": "x",
        },
    )
    assert list(configuration.providers) == ["acme", "acme-eu-west"]
    west = provider(configuration, "acme-eu-west")
    assert west.type == "acme"
    assert west.api_key == Secret("west")
    assert west.base_url == "https://west.example/v1"
    assert west.models == ["small", "large"]


def test_the_longest_type_wins(plugins: Plugins) -> None:
    environ = {"ACME_LOCAL_BASE_URL": "http://localhost/v1", "ACME_LOCAL_API_KEY": "k"}
    configuration = load(None, plugins, environ)
    assert list(configuration.providers) == ["acme_local"]
    assert provider(configuration, "acme_local").type == "acme_local"


def test_only_installed_types_count(offering: Offering) -> None:
    configuration = load(None, offering("acme", "sqlite"), {"ACME_LOCAL_API_KEY": "k"})
    assert list(configuration.providers) == ["acme-local"]


def test_a_value_from_the_environment_is_not_expanded(plugins: Plugins) -> None:
    configuration = load(None, plugins, {"ACME_API_KEY": "a${NONE}b"})
    assert provider(configuration, "acme").api_key == Secret("a${NONE}b")


def test_models_alone_make_no_account(plugins: Plugins) -> None:
    configuration = load(None, plugins, {"ACME_MODELS": "small"})
    assert list(configuration.providers) == ["sandbox"]
    assert configuration.skipped == {}


def test_variables_of_other_programs_do_no_harm(plugins: Plugins) -> None:
    environ = {"SQLITE_API_KEY": "x", "SANDBOX_API_KEY": "y", "ACME_API_KEY": "k"}
    assert list(load(None, plugins, environ).providers) == ["acme"]


def test_an_address_without_its_key_is_left_out(plugins: Plugins) -> None:
    configuration = load(None, plugins, {"ACME_BASE_URL": "https://x.example", "ACME_API_KEY": ""})
    assert configuration.skipped == {"acme": "api_key is empty"}


def test_without_any_provider_the_sandbox_answers(plugins: Plugins, offering: Offering) -> None:
    configuration = load(None, plugins, {})
    assert list(configuration.providers) == ["sandbox"]
    assert "providers.sandbox" in [one.event for one in configuration.notices]
    assert load(None, offering("sqlite"), {}).providers == {}


def test_master_key_host_and_port(plugins: Plugins) -> None:
    environ = {"GOMODEL_MASTER_KEY": "m", "GOMODEL_HOST": "0.0.0.0", "PORT": "9001"}
    configuration = load(None, plugins, environ)
    assert configuration.auth.master_key == Secret("m")
    assert (configuration.server.host, configuration.server.port) == ("0.0.0.0", 9001)
    with pytest.raises(ConfigError, match=r"environment: server\.port: Expected `int`"):
        load(None, plugins, {"PORT": "http"})


def test_a_file_takes_nothing_from_the_environment_unasked(plugins: Plugins) -> None:
    environ = {"GOMODEL_MASTER_KEY": "m", "PORT": "9001", "ACME_API_KEY": "k"}
    configuration = load({}, plugins, environ)
    assert not configuration.auth.master_key
    assert configuration.server.port == 8080
    assert configuration.providers == {}
