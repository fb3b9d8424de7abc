"""Configurations that are refused for what they would let happen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy.config import load, safety
from gomodel_proxy.config.safety import is_loopback

if TYPE_CHECKING:
    from gomodel_proxy.plugins import Plugins


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.5", "gateway.example"])
def test_an_open_door_to_the_network_is_refused(host: str, plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match=r"server\.host: .* auth\.open"):
        load({"server": {"host": host}}, plugins, {})


@pytest.mark.parametrize(
    "locked",
    [
        {"auth": {"master_key": "m"}},
        {"auth": {"keys": {"ann": {"key": "k"}}}},
        {"auth": {"open": True}},
        {"authenticators": {"badge": {}}},
    ],
)
def test_a_key_or_a_clear_word_opens_it(locked: dict[str, Any], plugins: Plugins) -> None:
    assert load({"server": {"host": "0.0.0.0"}, **locked}, plugins, {}).server.host == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_key(host: str, plugins: Plugins) -> None:
    assert is_loopback(host)
    load({"server": {"host": host}}, plugins, {})


def test_several_workers_need_linux(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert load({"server": {"workers": 2}}, plugins, {}).server.workers == 2
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigError, match=r"server\.workers: .* Linux"):
        load({"server": {"workers": 2}}, plugins, {})
    load({"server": {"workers": 1}}, plugins, {})


def test_a_loop_that_is_not_installed_is_refused_with_a_remedy(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load({"server": {"loop": "uvloop"}}, plugins, {}).server.loop == "uvloop"
    monkeypatch.setattr(safety, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"server\.loop: .*pip install 'gomodel-proxy\[uvloop\]'"):
        load({"server": {"loop": "uvloop"}}, plugins, {})
    load({"server": {"loop": "auto"}}, plugins, {})


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({"keys": {"ann": {"key": "${NONE:-}"}}}, r"auth\.keys\.ann\.key: empty"),
        (
            {"keys": {"ann": {"key": "k"}, "bob": {"key": "k"}}},
            r"auth\.keys\.bob\.key: the same as auth\.keys\.ann\.key",
        ),
        (
            {"master_key": "k", "keys": {"ann": {"key": "k"}}},
            r"auth\.keys\.ann\.key: the same as auth\.master_key",
        ),
        ({"keys": {"master": {"key": "k"}}}, r"auth\.keys\.master: .* the gateway's own"),
        ({"keys": {"anonymous": {"key": "k"}}}, r"auth\.keys\.anonymous: .* the gateway's own"),
    ],
)
def test_a_key_stands_for_one_caller(auth: dict[str, Any], message: str, plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match=message):
        load({"auth": auth}, plugins, {})


def test_every_secret_of_a_configuration_is_found(plugins: Plugins) -> None:
    source = {
        "auth": {"master_key": "one", "keys": {"ann": {"key": "two"}}},
        "providers": {"acme": {"type": "acme", "api_key": "three"}},
    }
    configuration = load(source, plugins, {})
    assert [secret.reveal() for secret in configuration.secrets()] == ["one", "two", "three"]
    assert "three" not in repr(configuration)
