"""Whose price counts for a model."""

from __future__ import annotations

import pytest

from gomodel_proxy.api import ConfigError, Price, Usage
from gomodel_proxy.engine.pricing import PriceList


class Book:
    """A price book with one model, that counts how often it is asked."""

    def __init__(self, model: str, price: str) -> None:
        self.model = model
        self.price_of_it = price
        self.asked: list[tuple[str, str, str]] = []

    def price(self, provider: str, type_: str, model: str) -> tuple[Price, str] | None:
        self.asked.append((provider, type_, model))
        return (Price(input=self.price_of_it), "book-1") if model == self.model else None


def prices(
    configured: dict[str, str] | None = None,
    *books: Book,
    published: dict[str, str] | None = None,
) -> PriceList:
    return PriceList(
        "mine",
        "acme",
        configured={name: Price(input=text) for name, text in (configured or {}).items()},
        books=books,
        published={name: Price(input=text) for name, text in (published or {}).items()},
        version="2026-11-22",
    )


def found(list_: PriceList, model: str) -> tuple[str | None, str] | None:
    hit = list_.find(model)
    return None if hit is None else (hit[0].price.input, hit[1])


def test_the_configuration_goes_before_books_before_the_plugin() -> None:
    book = Book("b", "2")
    list_ = prices({"a": "1"}, book, published={"a": "3", "b": "3", "c": "3"})
    assert found(list_, "a") == ("1", "config")
    assert found(list_, "b") == ("2", "book-1")
    assert found(list_, "c") == ("3", "2026-11-22")
    assert found(list_, "d") is None
    assert book.asked == [("mine", "acme", model) for model in "bcd"]


def test_the_first_book_that_knows_wins() -> None:
    assert found(prices(None, Book("x", "1"), Book("a", "2"), Book("a", "3")), "a") == (
        "2",
        "book-1",
    )


def test_a_book_may_learn() -> None:
    book = Book("later", "1")
    list_ = prices(None, book)
    assert found(list_, "a") is None
    book.model = "a"
    assert found(list_, "a") == ("1", "book-1")


def test_the_exact_id_then_the_longest_pattern() -> None:
    list_ = prices(published={"gpt-*": "1", "gpt-4o-*": "2", "gpt-4o-mini": "3", "*": "4"})
    assert found(list_, "gpt-4o-mini") == ("3", "2026-11-22")
    assert found(list_, "gpt-4o-mini-2024") == ("2", "2026-11-22")
    assert found(list_, "gpt-4") == ("1", "2026-11-22")
    assert found(list_, "o3") == ("4", "2026-11-22")


def test_a_configured_pattern_goes_before_a_published_id() -> None:
    assert found(prices({"*": "1"}, published={"a": "2"}), "a") == ("1", "config")


def test_names_are_taken_as_they_are() -> None:
    list_ = prices(published={"Model": "1", "m[12]": "2"})
    assert found(list_, "model") is None
    assert found(list_, "m1") == ("2", "2026-11-22")


def test_what_is_found_can_be_summed() -> None:
    hit = prices(published={"a": "1"}).find("a")
    assert hit is not None
    assert hit[0].cost(Usage(input=2, output=0)).total == 2_000_000


def test_equal_prices_share_a_tariff() -> None:
    list_ = prices(published={"a": "1", "b": "1"})
    first, second = list_.find("a"), list_.find("b")
    assert first is not None
    assert second is not None
    assert first[0] is second[0]


def test_a_price_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r'^providers\.mine\.prices\."gpt-4o"\.input: \'cheap\''):
        prices({"gpt-4o": "cheap"})
    with pytest.raises(ConfigError, match=r'^the prices of type acme\."a"\.input: '):
        prices(published={"a": "1e3"})
