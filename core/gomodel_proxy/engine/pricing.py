"""Whose price counts for a model: the configuration's, a price book's, the plugin's own."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import ConfigError

from .tariff import faults, tariff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import Price, PriceBook

    from .tariff import Tariff

__all__ = ["PriceList"]

_MEMO: Final = 1024  # models remembered per list; callers choose the names
_CONFIGURED: Final = "config"  # the version of prices from the configuration


class PriceList:
    """The prices of one account: the configuration's, then the books', then the plugin's own.

    Within each, an id goes before a pattern and a longer pattern before a shorter one. Raises
    `ConfigError` on a price that is no decimal number.
    """

    def __init__(
        self,
        provider: str,
        type_: str,
        *,
        configured: Mapping[str, Price],
        books: Sequence[PriceBook] = (),
        published: Mapping[str, Price],
        version: str,
    ) -> None:
        _check(f"providers.{provider}.prices", configured)
        _check(f"the prices of type {type_}", published)
        self._provider = provider
        self._type = type_
        self._configured = _matcher(configured)
        self._books = books
        self._published = _matcher(published)
        self._version = version

    def find(self, model: str) -> tuple[Tariff, str] | None:
        """Return the tariff of a model and its version, None if nobody knows its price."""
        if (known := self._configured(model)) is not None:
            return known, _CONFIGURED
        for book in self._books:
            # asked each time: a book may learn new prices while it is open
            if (found := book.price(self._provider, self._type, model)) is not None:
                return tariff(found[0]), found[1]
        if (known := self._published(model)) is not None:
            return known, self._version
        return None


def _matcher(prices: Mapping[str, Price]) -> Callable[[str], Tariff | None]:
    patterns = sorted(
        (name for name in prices if set(name) & set("*?[")), key=lambda name: (-len(name), name)
    )

    @lru_cache(maxsize=_MEMO)
    def find(model: str) -> Tariff | None:
        if model in prices:
            return tariff(prices[model])
        return next((tariff(prices[name]) for name in patterns if fnmatchcase(model, name)), None)

    return find


def _check(where: str, prices: Mapping[str, Price]) -> None:
    for model, price in prices.items():
        for member, text in faults(price):
            raise ConfigError(
                f'{where}."{model}".{member}: {text!r} is no decimal number of USD, such as "2.50"',
                param=member,
            )
