"""How much to think: platform.claude.com/docs/en/build-with-claude/thinking and /effort (2026-11).

Traits: ``thinking`` ("none", "budget", "both", "adaptive"), ``thinking_off`` (what switches it off,
empty where nothing does), ``efforts`` (the levels that ``output_config.effort`` takes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from gomodel_proxy.wire.effort import BUDGETS, budget_of, effort_of, nearest
from gomodel_proxy.wire.members import place
from gomodel_proxy.wire.turns import is_proven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, ReasoningWish
    from gomodel_proxy.wire.turns import Turn

__all__ = ["is_thinking", "write_thinking"]

_SMALLEST: Final = 1024  # tokens; a smaller budget is refused


class _Thinking(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["enabled", "adaptive", "disabled", "between_tools"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


def is_thinking(raw: msgspec.Raw) -> bool:
    """Return whether a caller's ``thinking`` is Anthropic's: other vendors have one too."""
    try:
        thinking = msgspec.json.decode(raw, type=_Thinking)
    except msgspec.DecodeError:
        return False
    return (thinking.type == "enabled") == (thinking.budget_tokens is not None)


def write_thinking(
    request: ChatRequest,
    out: dict[str, Any],
    turns: Sequence[Turn],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    """Write ``thinking`` and ``output_config.effort`` into ``out``, noting what had to change."""
    wish = request.reasoning
    if wish is None:
        return
    losses.drop_extra(wish.at, wish.extra)
    mode = traits.get("thinking", "adaptive")
    at = request.names.get("reasoning.effort", wish.at) if wish.effort else wish.at
    if wish.enabled is False or wish.effort == "none":
        _switch_off(out, mode, at, traits, losses)
    elif mode == "none":
        losses.drop(at)
    elif mode == "budget" or (mode == "both" and wish.budget is not None):
        if _is_possible(out, turns):
            _write_budget(wish, request, out, traits, losses)
        else:
            losses.drop(at)
    else:
        _write_adaptive(wish, request, out, traits, losses)
    if out.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        _write_display(wish, out["thinking"], losses)


def _switch_off(
    out: dict[str, Any], mode: str, at: str, traits: Mapping[str, Any], losses: Losses
) -> None:
    word = traits.get("thinking_off", "disabled")
    if mode == "none":
        return  # such a model never thinks
    if word:
        out["thinking"] = {"type": word}
    else:
        least = _efforts(traits)[0]
        losses.change(at, "none", least)
        out.setdefault("output_config", {})["effort"] = least
    if word not in ("", "disabled"):
        losses.change(at, "none", word)


def _is_possible(out: Mapping[str, Any], turns: Sequence[Turn]) -> bool:
    """Whether a budget of thought may be given: not with a forced tool, nor in a loop without it.

    Only callers whose dialect keeps proofs can give back the thought that led to a call.
    """
    if out.get("tool_choice", {}).get("type") in ("any", "tool"):
        return False
    return is_proven(turns)


def _write_budget(
    wish: ReasoningWish,
    request: ChatRequest,
    out: dict[str, Any],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    names = request.names
    if wish.effort in traits.get("efforts", ()):
        out.setdefault("output_config", {})["effort"] = wish.effort
        budget = wish.budget or BUDGETS[wish.effort or "medium"]
    else:
        budget = budget_of(wish, losses, names) or BUDGETS["medium"]
    at = names.get("reasoning.budget", place(wish.at, "budget"))
    if request.max_tokens is None:
        out["max_tokens"] += budget  # the default is for the answer alone
    elif request.max_tokens <= _SMALLEST:
        losses.drop(wish.at)
        return
    fitting = max(_SMALLEST, min(budget, out["max_tokens"] - 1))
    if fitting != budget:
        losses.change(at, budget, fitting)
    out["thinking"] = {"type": "enabled", "budget_tokens": fitting}


def _write_adaptive(
    wish: ReasoningWish,
    request: ChatRequest,
    out: dict[str, Any],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    out["thinking"] = {"type": "adaptive"}
    if wish.effort is None and wish.budget is None:
        return
    wanted = effort_of(wish, losses, request.names) or "medium"
    if wish.effort is not None and wish.budget is not None:
        losses.drop(request.names.get("reasoning.budget", place(wish.at, "budget")))
    level = nearest(wanted, _efforts(traits))
    if level != wanted:
        losses.change(request.names.get("reasoning.effort", wish.at), wanted, level)
    out.setdefault("output_config", {})["effort"] = level


def _efforts(traits: Mapping[str, Any]) -> Sequence[str]:
    return traits.get("efforts") or ("low", "medium", "high")


def _write_display(wish: ReasoningWish, thinking: dict[str, Any], losses: Losses) -> None:
    if wish.shown is False:
        thinking["display"] = "omitted"
        if wish.summary is not None:
            losses.drop(wish.at, "summary")
    elif wish.shown or wish.summary is not None:
        thinking["display"] = "summarized"
        if wish.summary not in (None, "auto"):
            losses.change(place(wish.at, "summary"), wish.summary, "summarized")
