"""How much to think: between levels of effort and budgets of tokens.

Vendors name one or the other. The table is ours: a level stands for the budgets up to its bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .members import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ReasoningWish

__all__ = ["BUDGETS", "budget_of", "effort_of", "nearest"]

BUDGETS: Final = {
    "minimal": 1024,
    "low": 4096,
    "medium": 10_000,
    "high": 24_000,
    "xhigh": 32_000,
    "max": 64_000,
}
_LEVELS: Final = tuple(BUDGETS)


def effort_of(wish: ReasoningWish, losses: Losses, names: Mapping[str, str]) -> str | None:
    """Return the effort wished for; a budget becomes the nearest level, and is noted.

    So is one that comes beside an effort, which goes before it.
    """
    if wish.effort is not None:
        if wish.budget is not None:
            losses.drop(names.get("reasoning.budget", place(wish.at, "budget")))
        return wish.effort
    if wish.enabled is False:
        return "none"
    if wish.budget is None:
        if wish.enabled and not wish.adaptive:
            return "medium"
        return None
    budget = wish.budget
    level = min(BUDGETS, key=lambda name: abs(BUDGETS[name] - budget))
    losses.change(names.get("reasoning.budget", place(wish.at, "budget")), budget, level)
    return level


def budget_of(wish: ReasoningWish, losses: Losses, names: Mapping[str, str]) -> int | None:
    """Return the budget wished for; a level of effort becomes its tokens, and is noted."""
    if wish.budget is not None or wish.effort in (None, "none"):
        return wish.budget
    budget = BUDGETS.get(wish.effort or "", BUDGETS["medium"])
    losses.change(names.get("reasoning.effort", place(wish.at, "effort")), wish.effort, budget)
    return budget


def nearest(effort: str, taken: Sequence[str]) -> str:
    """Return the level of those ``taken`` that is nearest to an effort, the first of two.

    One that nobody knows counts as medium.
    """
    if effort in taken:
        return effort
    rank = _LEVELS.index(effort if effort in _LEVELS else "medium")
    return min(taken, key=lambda level: abs(_LEVELS.index(level) - rank))
