"""How much to think, written as the family of the model takes it.

ai.google.dev/gemini-api/docs/thinking (2026-11). Traits: ``thinking`` ("level", "budget" or
"none"; a level where it is not said), ``thinking_levels`` (those taken, the lowest first),
``thinking_budget`` (least and most tokens), ``thinking_off`` (true: a budget of 0 is taken).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.wire.effort import budget_of, effort_of
from gomodel_proxy.wire.members import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, ReasoningWish

__all__ = ["write_thinking"]

_LEVELS: Final = ("minimal", "low", "medium", "high")
_ORDER: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_UNBOUNDED: Final = (1, 2**31 - 1)
_DYNAMIC: Final = -1


def write_thinking(
    request: ChatRequest, traits: Mapping[str, Any], losses: Losses
) -> dict[str, Any] | None:
    """Return ``thinkingConfig``, None where the request wishes nothing the model takes."""
    wish, names = request.reasoning, request.names
    if wish is None:
        return None
    losses.drop_extra(wish.at, wish.extra)
    kind = traits.get("thinking", "level")
    if kind == "none":
        _drop(wish, names, losses)
        return None
    writer = _budget if kind == "budget" else _level
    out = writer(wish, names, traits, losses)
    if wish.summary is not None:
        _note(wish, names, "summary", losses)
    off = wish.enabled is False or wish.effort == "none"
    shown = not off if wish.shown is None else wish.shown
    if shown or wish.shown is False:
        out["includeThoughts"] = shown
    return out or None


def _note(wish: ReasoningWish, names: Mapping[str, str], member: str, losses: Losses) -> None:
    losses.drop(names.get(f"reasoning.{member}", place(wish.at, member)))


def _drop(wish: ReasoningWish, names: Mapping[str, str], losses: Losses) -> None:
    given = [name for name in ("effort", "budget", "summary", "shown") if getattr(wish, name)]
    for name in given if wish.enabled is not False else ():
        if name != "effort" or wish.effort != "none":
            _note(wish, names, name, losses)
    if wish.enabled and not given:
        _note(wish, names, "enabled", losses)


def _level(
    wish: ReasoningWish, names: Mapping[str, str], traits: Mapping[str, Any], losses: Losses
) -> dict[str, Any]:
    effort = effort_of(wish, losses, names)
    if effort is None:
        return {}
    level = _nearest(effort, traits.get("thinking_levels", _LEVELS))
    if level != effort:
        member = names.get("reasoning.effort", place(wish.at, "effort"))
        losses.change(member, effort, level)
    return {"thinkingLevel": level.upper()}


def _nearest(effort: str, levels: Sequence[str]) -> str:
    """Return the level taken that is nearest, the higher of two."""
    if effort not in _ORDER:
        return levels[-1]
    rank = _ORDER.index(effort)
    return min(levels, key=lambda level: (abs(_ORDER.index(level) - rank), -_ORDER.index(level)))


def _budget(
    wish: ReasoningWish, names: Mapping[str, str], traits: Mapping[str, Any], losses: Losses
) -> dict[str, Any]:
    least, most = traits.get("thinking_budget", _UNBOUNDED)
    if wish.enabled is False or wish.effort == "none":
        if traits.get("thinking_off", True):
            return {"thinkingBudget": 0}
        member = "effort" if wish.effort == "none" else "enabled"
        place_ = names.get(f"reasoning.{member}", place(wish.at, member))
        losses.change(place_, wish.effort or "false", least)
        return {"thinkingBudget": least}
    budget = budget_of(wish, losses, names)
    if budget is None:
        return {"thinkingBudget": _DYNAMIC} if wish.enabled else {}
    bounded = min(max(budget, least), most)
    if bounded != budget:
        losses.change(names.get("reasoning.budget", place(wish.at, "budget")), budget, bounded)
    return {"thinkingBudget": bounded}
