"""What an account offers: ids and patterns."""

from gomodel_proxy.api import Model
from gomodel_proxy.engine.offer import Offer


def test_ids_are_offered_and_listed_patterns_only_offered() -> None:
    offer = Offer([Model(id="a"), Model(id="ft:*"), Model(id="b/c")])
    assert list(offer.models) == ["a", "b/c"]
    assert "a" in offer
    assert "ft:gpt:me" in offer
    assert "b" not in offer
    assert "ft" not in offer


def test_an_offer_of_nothing_is_none() -> None:
    assert not Offer([])
    assert Offer([Model(id="x*")])


def test_equal_offers_are_equal() -> None:
    assert Offer([Model(id="a")]) == Offer([Model(id="a")])
    assert Offer([Model(id="a")]) != Offer([Model(id="a*")])
