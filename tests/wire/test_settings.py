"""Checks of what settings put on the wire."""

from __future__ import annotations

import pytest

from gomodel_proxy.api import ConfigError, Secret
from gomodel_proxy.wire.settings import check_base_url, check_header, check_path


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.acme.example/v1", "https://api.acme.example/v1"),
        ("https://api.acme.example/v1/", "https://api.acme.example/v1"),
        ("http://localhost:11434", "http://localhost:11434"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_base_urls(given: str, kept: str) -> None:
    assert check_base_url(given) == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.acme.example/v1",
        "ftp://acme.example",
        "https://",
        "https:///v1",
        "https://user:canary@acme.example",
        "https://canary@acme.example",
        "https://acme.example/v1?key=canary",
        "https://acme.example/v1?",
        "https://acme.example/#canary",
        "https://acme.example:canary/v1",
        "https://acme.example:99999/v1",
        "https://acme.example/a b",
        "https://acme.example/\r\nx: y",
        "https://äcme.example",
        "https://[::1",
    ],
)
def test_base_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^base_url: ") as caught:
        check_base_url(url)
    assert caught.value.param == "base_url"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "chat", "/a b", "/a?b", "/a#b", "/a\r\nb", "/ä"])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(ConfigError, match=r"^models_path: "):
        check_path("models_path", path)


@pytest.mark.parametrize("value", ["canary\n", "canary\r\nx: y", " canary", "canäry", "\0canary"])
def test_header_values_that_cannot_be(value: str) -> None:
    with pytest.raises(ConfigError, match="'x-key'") as caught:
        check_header("x-key", Secret(value))
    assert value.strip() not in str(caught.value)


@pytest.mark.parametrize("name", ["", "x y", "x:", "x\n", "ü"])
def test_header_names_that_cannot_be(name: str) -> None:
    with pytest.raises(ConfigError, match="not the name of a header"):
        check_header(name, "1")
