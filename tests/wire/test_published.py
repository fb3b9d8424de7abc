"""What a plugin publishes of its vendor's models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from gomodel_proxy.wire.published import decode_prices, decode_traits, read_prices, read_traits

if TYPE_CHECKING:
    from pathlib import Path

HEAD = b'version = "2026-11-22"\nsource = "https://acme.example"\n[models]\n'


def test_prices_and_their_version() -> None:
    prices, version = decode_prices(HEAD + b'"acme-*" = { input = "0.15" }\n')
    assert version == "2026-11-22"
    assert prices["acme-*"].input == "0.15"
    assert prices["acme-*"].output is None


def test_a_snapshot_costs_what_its_model_does_unless_it_has_a_line() -> None:
    lines = b'"one" = { input = "1" }\n"two-*" = { input = "3" }\n"two" = { input = "2" }\n'
    prices, _ = decode_prices(HEAD + lines, snapshot="-*")
    found = {name: prices[name].input for name in ("one", "one-*", "two", "two-*")}
    assert found == {"one": "1", "one-*": "1", "two": "2", "two-*": "3"}


def test_the_files_of_a_package_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_published"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "prices.toml").write_bytes(HEAD + b'"acme-1" = { input = "1" }\n')
    (package / "traits.toml").write_text('source = "x"\n[models]\n"*" = { a = 1 }\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    prices, _ = read_prices("acme_published")
    assert prices["acme-1"].input == "1"
    assert read_prices("acme_published")[0] is prices
    assert read_traits("acme_published") == {"*": {"a": 1}}


def test_a_misspelt_member_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="inptu"):
        decode_prices(HEAD + b'"acme-1" = { inptu = "0.15" }\n')


def test_traits_keep_their_order() -> None:
    file = b'source = "x"\n[models]\n"b*" = { a = true }\n"*" = {}\n'
    assert list(decode_traits(file).items()) == [("b*", {"a": True}), ("*", {})]
