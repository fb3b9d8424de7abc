"""What a plugin publishes of its vendor's models."""

from __future__ import annotations

import msgspec
import pytest

from gomodel_proxy.wire.published import decode_prices, decode_traits

HEAD = b'version = "2026-11-22"\nsource = "https://acme.example"\n[models]\n'


def test_prices_and_their_version() -> None:
    prices, version = decode_prices(HEAD + b'"acme-*" = { input = "0.15" }\n')
    assert version == "2026-11-22"
    assert prices["acme-*"].input == "0.15"
    assert prices["acme-*"].output is None


def test_a_misspelt_member_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="inptu"):
        decode_prices(HEAD + b'"acme-1" = { inptu = "0.15" }\n')


def test_traits_keep_their_order() -> None:
    file = b'source = "x"\n[models]\n"b*" = { a = true }\n"*" = {}\n'
    assert list(decode_traits(file).items()) == [("b*", {"a": True}), ("*", {})]
