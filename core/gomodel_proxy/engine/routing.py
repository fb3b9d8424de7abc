"""From what a caller wrote in ``model`` to the accounts that can serve it, in order.

A selector is ``model``, ``provider/model``, or a model with the body's ``provider`` hint; provider
means a configured name or, after that, a type. Model ids may contain slashes themselves.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest, NotFound, Target, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .account import Account
    from .inventory import Inventory

__all__ = ["Routes"]

_REMEMBERED = 8192
_SHOWN = 120  # characters of a name that no model has; a caller may send megabytes


class Routes:
    """Finds targets; keeps what it found until the inventory changes."""

    def __init__(self, accounts: Mapping[str, Account], inventory: Inventory) -> None:
        self._accounts = accounts
        self._inventory = inventory
        self._version = -1
        self._found: dict[tuple[str, str | None, str], tuple[Target, ...]] = {}

    def recall(self, model: str, hint: str | None, operation: str) -> tuple[Target, ...] | None:
        """Return what `find` returned for this selector before, if that still holds."""
        if self._version != self._inventory.version:
            self._found.clear()
            self._version = self._inventory.version
        return self._found.get((model, hint, operation))

    async def find(self, model: str, hint: str | None, operation: str) -> tuple[Target, ...]:
        """Return the targets of a selector in configured order.

        Raises `NotFound` with near names, `InvalidRequest` if nobody who has the model can do the
        operation, `Unavailable` while it cannot be known who has it.
        """
        targets = await self.locate(model, hint)
        able = tuple(t for t in targets if operation in self._accounts[t.provider].speaks)
        if not able:
            names = ", ".join(sorted({t.provider for t in targets}))
            raise InvalidRequest(
                f"Model '{_short(model)}' is offered by {names}, which cannot do {operation}.",
                code="operation_not_supported",
                param="model",
            )
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[model, hint, operation] = able
        return able

    async def locate(self, model: str, hint: str | None = None) -> tuple[Target, ...]:
        """Return who offers a model, whatever it can do; raises as `find` does."""
        await self._inventory.wait()
        targets = self._resolve(model, hint)
        if not targets:
            for account in self._named(model, hint):
                if await self._inventory.renew(account):
                    targets = self._resolve(model, hint)
        if not targets:
            raise self._unknown(model, hint)
        return targets

    def _resolve(self, model: str, hint: str | None) -> tuple[Target, ...]:
        if hint is not None:
            model = model.removeprefix(f"{hint}/")
            return self._at(self._called(hint), model)
        prefix, slash, rest = model.partition("/")
        qualified = self._at(self._called(prefix), rest) if slash and rest else ()
        return qualified or self._listing(model)

    def _called(self, name: str) -> Sequence[Account]:
        """Return the account of that name, else all of that type."""
        named = self._accounts.get(name)
        if named is not None:
            return (named,)
        return [account for account in self._accounts.values() if account.type == name]

    def _at(self, accounts: Sequence[Account], model: str) -> tuple[Target, ...]:
        """Return these accounts as targets, without those known not to have the model."""
        offers = self._inventory.offers
        return tuple(
            Target(account.name, model)
            for account in accounts
            if (offer := offers[account.name]) is None or model in offer
        )

    def _listing(self, model: str) -> tuple[Target, ...]:
        return tuple(
            Target(name, model)
            for name in self._accounts
            if model in (self._inventory.offers[name] or ())
        )

    def _named(self, model: str, hint: str | None) -> Sequence[Account]:
        return self._called(hint if hint is not None else model.partition("/")[0])

    def _unknown(self, model: str, hint: str | None) -> Exception:
        if hint is not None and not self._called(hint):
            near = [] if len(hint) > _SHOWN else get_close_matches(hint, self._accounts, n=3)
            return NotFound(
                f"No provider is called '{_short(hint)}'." + _or(near), code="provider_not_found"
            )
        shown = _short(model)
        blind = [name for name, offer in self._inventory.offers.items() if offer is None]
        if blind and hint is None and not self._named(model, None):
            return Unavailable(
                f"It is not known yet who offers '{shown}': {', '.join(blind)} did not list "
                f"models. Write the provider too, such as '{blind[0]}/{shown}'.",
                code="models_unknown",
                param="model",
                headers=(("retry-after", "5"),),
            )
        return NotFound(
            f"The model '{shown}' does not exist here." + _or(self._near(model)),
            code="model_not_found",
            param="model",
        )

    def _near(self, model: str) -> list[str]:
        if len(model) > _SHOWN:
            return []
        names: dict[str, None] = {}
        for name, offer in self._inventory.offers.items():
            for id_ in offer.models if offer else ():
                names[id_] = None
                names[f"{name}/{id_}"] = None
        return get_close_matches(model, names, n=3, cutoff=0.6)


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _or(near: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
