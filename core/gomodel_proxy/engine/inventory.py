"""Which models each account offers: listed by the vendor, or as configured; kept fresh."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Model, UpstreamError

from .offer import Offer
from .replies import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .account import Account

__all__ = ["Inventory"]

_RECHECK = 60.0  # seconds until a failed listing is tried again
_AGAIN = 30.0  # seconds in which one account is not listed twice because of unknown ids


class Inventory:
    """The models of every account. ``version`` grows with each change, so look-ups can be kept.

    An account's entry is None while nothing is known: its listing failed or has not come, and the
    configuration names no models.
    """

    def __init__(
        self, accounts: Sequence[Account], *, refresh: float, first_wait: float, log: Any
    ) -> None:
        self._accounts = accounts
        self._refresh = refresh
        self._first_wait = first_wait
        self._log = log
        self._listed = {account.name: asyncio.Event() for account in accounts}
        self._asked: dict[str, float] = {}
        self._locks = {account.name: asyncio.Lock() for account in accounts}
        self._tasks: list[asyncio.Task[None]] = []
        self.version = 0
        self.offers: dict[str, Offer | None] = {}
        for account in accounts:
            known = _configured(account)
            fixed = account.config.models_mode == "allowlist" and bool(known)
            self.offers[account.name] = known if fixed else None
            if fixed:
                self._listed[account.name].set()

    def start(self) -> None:
        """List every account now and then, each in its own task."""
        self._tasks = [
            asyncio.create_task(self._keep(account), name=f"models {account.name}")
            for account in self._accounts
            if not self._listed[account.name].is_set()
        ]

    async def stop(self) -> None:
        """Stop listing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def settled(self) -> bool:
        """Whether every account has been asked at least once."""
        return all(event.is_set() for event in self._listed.values())

    async def wait(self) -> None:
        """Wait, for the configured time at the most, until every account has been asked."""
        if self.settled:
            return
        waiting = [event.wait() for event in self._listed.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*waiting), self._first_wait)
        except TimeoutError:
            return

    def listed(self, account: str) -> Iterable[Model]:
        """Return what an account lists, nothing while that is unknown."""
        offer = self.offers[account]
        return offer.models.values() if offer else ()

    def model(self, account: str, model: str) -> Model | None:
        """Return one model of an account, None if it does not offer that."""
        offer = self.offers[account]
        if offer is None or model not in offer:
            return None
        return offer.models.get(model) or Model(id=model, owned_by=account)

    async def renew(self, account: Account) -> bool:
        """List one account again because an id is missing; return whether that was done."""
        if account.config.models_mode == "allowlist" and account.config.models:
            return False
        async with self._locks[account.name]:
            if time.monotonic() - self._asked.get(account.name, -_AGAIN) < _AGAIN:
                return False
            await self._list(account)
            return True

    async def _keep(self, account: Account) -> None:
        while True:
            async with self._locks[account.name]:
                good = await self._list(account)
            pause = self._refresh if good else min(_RECHECK, self._refresh)
            await asyncio.sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311

    async def _list(self, account: Account) -> bool:
        self._asked[account.name] = time.monotonic()
        try:
            models = await _ask(account)
        except (UpstreamError, ValueError) as error:
            self._log.warning("models.unlisted", provider=account.name, error=str(error))
            models = None
        # A failed listing never takes away what an earlier one gave.
        kept = models or self.offers[account.name] or _configured(account) or None
        self.offers[account.name] = kept
        self.version += 1
        self._listed[account.name].set()
        return bool(models)


def _configured(account: Account) -> Offer:
    return Offer(Model(id=name, owned_by=account.name) for name in account.config.models)


async def _ask(account: Account) -> Offer | None:
    request = account.provider.models_request()
    if request is None:
        return None
    reply = await fetch(account.transport, request, limit=16 * 1024 * 1024, within=30.0)
    if reply.status >= 400:
        raise account.failure(reply.status, reply.headers, reply.body)
    return Offer(account.provider.models_reply(reply.body))
