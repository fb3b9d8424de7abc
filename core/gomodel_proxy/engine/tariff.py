"""What tokens cost at one price: exact sums in pico-USD.

A price is USD per million tokens, so 1 USD is 1,000,000 pico-USD per token and nearly every
published price is a whole number of them. What is finer is kept as a fraction until the sum.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Price, Usage

__all__ = ["Costs", "Tariff", "faults", "tariff"]

_PER_TOKEN: Final = 10**6  # pico-USD per token for each USD per million tokens
_PER_REQUEST: Final = 10**12  # pico-USD per USD
_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?\Z")

_INPUT: Final = ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input")
_OUTPUT: Final = ("output", "reasoning", "audio_output")
_TIERED: Final = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
_WITHIN: Final = {"cache_write_1h": "cache_write"}  # classes that are part of another class
_PRICES: Final = (*_INPUT, *_OUTPUT, "batch_input", "batch_output", "per_request")

_Rates = dict[str, Fraction | None]  # pico-USD per token, by class


class Costs(msgspec.Struct, frozen=True, gc=False):
    """Pico-USD of one attempt; None where tokens or price are unknown.

    ``total`` also holds what the request costs as such.
    """

    input: int | None = None
    output: int | None = None
    total: int | None = None


class _Side(msgspec.Struct, frozen=True, gc=False):
    """The rates of input or of output, as whole numbers over one ``scale``.

    ``parts`` go with the counts of that side's classes; a class without a rate of its own has
    the side's.
    """

    scale: int
    rest: int | None
    parts: tuple[int | None, ...]
    free: bool

    def cost(self, count: int | None, parts: Sequence[int | None]) -> int | None:
        if count is None:
            return 0 if self.free else None
        half = self.scale // 2
        if not any(parts):  # by far the commonest: nothing but the whole
            if count <= 0:
                return 0
            return None if self.rest is None else (count * self.rest + half) // self.scale
        left, amount = max(count, 0), 0
        for tokens, rate in zip(parts, self.parts, strict=True):
            # parts that claim more than the whole are cut: nobody pays for a token twice
            taken = min(max(tokens or 0, 0), left)
            if taken:
                if rate is None:
                    return None
                amount += taken * rate
                left -= taken
        if left:
            if self.rest is None:
                return None
            amount += left * self.rest
        return (amount + half) // self.scale


class _Step(msgspec.Struct, frozen=True, gc=False):
    """The rates of requests whose input exceeds ``above`` tokens."""

    above: int
    input: _Side
    output: _Side


class Tariff:
    """A `Price` made ready for sums. Raises ValueError on one that is no decimal number."""

    __slots__ = ("_batch", "_request", "_usual", "price")

    def __init__(self, price: Price) -> None:
        self.price = price
        self._usual = _steps(price, batch=False)
        self._batch = _steps(price, batch=True)
        self._request = round(_fraction(price.per_request) * _PER_REQUEST)

    def cost(self, usage: Usage, *, batch: bool = False) -> Costs:
        """Return what the usage costs; ``batch`` for a line of a batch."""
        steps = self._batch if batch else self._usual
        whole = max(usage.input or 0, 0)
        step = steps[0]
        if len(steps) > 1:
            step = next(step for step in steps if whole > step.above)
        spent = step.input.cost(usage.input, _input_parts(usage))
        made = step.output.cost(usage.output, (usage.reasoning, usage.audio_output))
        total = None if spent is None or made is None else spent + made + self._request
        return Costs(spent, made, total)


def _input_parts(usage: Usage) -> Sequence[int | None]:
    """Return the counts of the classes of input, none of them within another."""
    written, hour = usage.cache_write, usage.cache_write_1h
    if hour:
        written = max((written or 0) - hour, 0)
    return usage.cache_read, written, hour, usage.audio_input


@lru_cache(maxsize=1024)
def tariff(price: Price) -> Tariff:
    """Return the tariff of a price, made once for equal prices."""
    return Tariff(price)


def faults(price: Price) -> list[tuple[str, str]]:
    """Return the members of a price that are no decimal number, each with what it says."""
    named = [(name, getattr(price, name)) for name in _PRICES]
    for index, tier in enumerate(price.tiers):
        named += [(f"tiers[{index}].{name}", getattr(tier, name)) for name in _TIERED]
    return [(name, text) for name, text in named if text is not None and not _DECIMAL.match(text)]


def _fraction(text: str | None) -> Fraction:
    if text is None:
        return Fraction(0)
    if not _DECIMAL.match(text):
        raise ValueError(f"{text!r} is no decimal number")
    return Fraction(text)


def _steps(price: Price, *, batch: bool) -> tuple[_Step, ...]:
    """Return the tiers, highest first, the base price (above any count) last."""
    base: _Rates = {name: _rate(getattr(price, name)) for name in (*_INPUT, *_OUTPUT)}
    steps = [_step(-1, base, price if batch else None)]
    rates = base
    for tier in sorted(price.tiers, key=lambda tier: tier.above):
        # a tier changes the prices it names and leaves the others as they are
        rates = rates | {
            name: rate for name in _TIERED if (rate := _rate(getattr(tier, name))) is not None
        }
        steps.append(_step(tier.above, rates, price if batch else None))
    return tuple(reversed(steps))


def _rate(text: str | None) -> Fraction | None:
    return None if text is None else _fraction(text) * _PER_TOKEN


def _step(above: int, rates: _Rates, batched: Price | None) -> _Step:
    if batched is not None:
        rates = _discounted(rates, _INPUT, batched.input, batched.batch_input)
        rates = _discounted(rates, _OUTPUT, batched.output, batched.batch_output)
    return _Step(above, _side(rates, _INPUT), _side(rates, _OUTPUT))


def _discounted(
    rates: _Rates, names: Sequence[str], usual: str | None, batch: str | None
) -> _Rates:
    """Return the rates with a batch's discount on every class of a side.

    Vendors publish the discount as the price of plain tokens; it holds for cached ones, audio
    and long inputs in the same proportion.
    """
    if batch is None:
        return rates
    if not (full := _rate(usual)):
        return rates | {names[0]: _rate(batch)}
    part = _fraction(batch) * _PER_TOKEN / full
    return rates | {name: rate * part for name in names if (rate := rates[name]) is not None}


def _side(rates: _Rates, names: Sequence[str]) -> _Side:
    rest = rates[names[0]]
    rates = rates | {name: rates[whole] for name, whole in _WITHIN.items() if rates[name] is None}
    parts = [rest if (rate := rates[name]) is None else rate for name in names[1:]]
    every = (rest, *parts)
    scale = math.lcm(*(rate.denominator for rate in every if rate is not None))

    def scaled(rate: Fraction | None) -> int | None:
        return None if rate is None else int(rate * scale)

    return _Side(
        scale,
        scaled(rest),
        tuple(scaled(rate) for rate in parts),
        not any(every) and rest is not None,
    )
