"""A configured provider, opened: the plugin's pure object and all that the core adds to it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .gate import Gate
from .headers import upstream_id

if TYPE_CHECKING:
    from gomodel_proxy.api import (
        Attempt,
        Headers,
        Provider,
        ProviderConfig,
        Transport,
        UpstreamError,
    )

    from .pricing import PriceList

__all__ = ["Account"]

_MASK = "***"
_REMEMBERED = 1024  # models whose traits are kept; callers choose the names


class Account:
    """One ``[providers.<name>]``: who to ask, how to send, what it costs, what to keep secret."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        config: ProviderConfig,
        transport: Transport,
        prices: PriceList,
    ) -> None:
        self.name = name
        self.type = config.type
        self.provider = provider
        self.config = config
        self.transport = transport
        self.prices = prices
        self.speaks = {operation: tuple(spoken) for operation, spoken in provider.speaks.items()}
        self.asks_usage = provider.stream_usage == "ask"
        self.gate = Gate(name, config.concurrency, config.queue) if config.concurrency > 0 else None
        self._traits: dict[str, dict[str, Any]] = {}
        self._secrets = [s.reveal() for s in provider.secrets if len(s.reveal()) >= 4]

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what a refusal means, with our credentials masked wherever they were echoed."""
        error = self.masked(self.provider.failure(status, headers, body))
        error.headers = (*error.headers, *upstream_id(headers))
        return error

    def masked(self, error: UpstreamError) -> UpstreamError:
        """Return the error with this account's credentials masked, wherever they were echoed."""
        for secret in self._secrets:
            error.message = error.message.replace(secret, _MASK)
            error.code = error.code and error.code.replace(secret, _MASK)
            error.param = error.param and error.param.replace(secret, _MASK)
            error.kind = error.kind.replace(secret, _MASK)
        error.body = self.masked_bytes(error.body)
        error.args = (error.message,)
        return error

    def masked_bytes(self, data: bytes) -> bytes:
        """Return what the vendor wrote with this account's credentials masked."""
        for secret in self._secrets:
            data = data.replace(secret.encode(), _MASK.encode())
        return data

    def traits(self, model: str) -> dict[str, Any]:
        """Return what is peculiar to a model: the plugin's data, then the configuration's."""
        known = self._traits.get(model)
        if known is None:
            known = {}
            for patterns in (self.provider.traits, self.config.traits):
                for pattern, traits in patterns.items():
                    if fnmatchcase(model, pattern):
                        known.update(traits)
            if len(self._traits) >= _REMEMBERED:
                self._traits.clear()
            self._traits[model] = known
        return known

    def charge(self, attempt: Attempt, *, batch: bool = False) -> None:
        """Enter what an attempt cost and by which prices, if its usage and a price are known."""
        if attempt.usage is None:
            return
        found = self.prices.find(attempt.model)
        if found is not None:
            tariff, attempt.price_version = found
            costs = tariff.cost(attempt.usage, batch=batch)
            attempt.input_cost = costs.input
            attempt.output_cost = costs.output
            attempt.total_cost = costs.total

    def __repr__(self) -> str:
        return f"Account({self.name}, {self.type})"
