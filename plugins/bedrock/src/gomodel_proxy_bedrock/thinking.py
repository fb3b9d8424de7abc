"""How much to think, which every family of models is told in its own words.

docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html,
…/APIReference/API_runtime_OutputConfig.html, docs.aws.amazon.com/nova/latest/nova2-userguide/
extended-thinking.html (2026-11).

Traits: ``thinking`` ("budget", "both", "adaptive": Claude's; "nova": ``reasoningConfig``; "effort":
``reasoning_effort``; absent where nothing can be said), ``thinking_off`` (what switches Claude's
off, empty where nothing does), ``efforts`` (the levels that the model takes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.wire.effort import BUDGETS, budget_of, effort_of, nearest
from gomodel_proxy.wire.members import place
from gomodel_proxy.wire.turns import is_proven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, ReasoningWish
    from gomodel_proxy.wire.turns import Turn

__all__ = ["thinks", "write_thinking"]

_SMALLEST: Final = 1024  # tokens; Claude refuses a smaller budget
_FIELDS: Final = "additionalModelRequestFields"


def thinks(out: Mapping[str, Any]) -> bool:
    """Whether a request switches Claude's thinking on."""
    return out.get(_FIELDS, {}).get("thinking", {}).get("type") in ("enabled", "adaptive")


def write_thinking(
    request: ChatRequest,
    out: dict[str, Any],
    turns: Sequence[Turn],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    """Write what the model is to be told into ``out``, noting what had to change."""
    wish = request.reasoning
    if wish is None:
        return
    losses.drop_extra(wish.at, wish.extra)
    writer = _Writer(request, wish, out, traits, losses)
    mode = traits.get("thinking")
    if wish.enabled is False or wish.effort == "none":
        writer.off(mode)
    elif mode == "nova":
        writer.nova()
    elif mode == "effort":
        writer.level()
    elif mode == "budget" or (mode == "both" and wish.budget is not None):
        writer.budget(possible=_is_possible(out, turns))
    elif mode in ("both", "adaptive"):
        writer.adaptive()
    else:
        losses.drop(writer.at)
    writer.display()


def _is_possible(out: Mapping[str, Any], turns: Sequence[Turn]) -> bool:
    """Whether Claude can be given a budget: not with a forced tool, nor in a loop without proof."""
    if out.get("toolConfig", {}).get("toolChoice", {}).keys() & {"any", "tool"}:
        return False
    return is_proven(turns)


class _Writer:
    """One request's wish and where it is written."""

    def __init__(
        self,
        request: ChatRequest,
        wish: ReasoningWish,
        out: dict[str, Any],
        traits: Mapping[str, Any],
        losses: Losses,
    ) -> None:
        self._request = request
        self._wish = wish
        self._out = out
        self._traits = traits
        self._losses = losses
        self._names = request.names
        self.at = self._names.get("reasoning.effort", wish.at) if wish.effort else wish.at

    def off(self, mode: str | None) -> None:
        if mode in ("budget", "both", "adaptive"):
            word = self._traits.get("thinking_off", "disabled")
            if word:
                self._field("thinking", {"type": word})
            else:
                self._least("none")
            if word not in ("", "disabled"):
                self._losses.change(self.at, "none", word)
        elif mode == "effort":
            least = self._least_level()
            self._losses.change(self.at, "none", least)
            self._field("reasoning_effort", least)
        # other models do not think unless they are told to

    def nova(self) -> None:
        level = self._nearest()
        self._field("reasoningConfig", {"type": "enabled", "maxReasoningEffort": level})
        if level == "high":  # refused together with any limit of the caller's
            for name in ("max_tokens", "temperature", "top_p"):
                if getattr(self._request, name) is not None:
                    self._losses.drop(self._names.get(name, name))
                    setattr(self._request, name, None)

    def level(self) -> None:
        self._field("reasoning_effort", self._nearest())

    def budget(self, *, possible: bool) -> None:
        limit = self._request.max_tokens
        if not possible or (limit is not None and limit <= _SMALLEST):
            self._losses.drop(self.at)
            return
        effort = self._wish.effort
        if effort in self._traits.get("efforts", ()):
            self._effort(effort or "medium")
            budget = self._wish.budget or BUDGETS[effort or "medium"]
        else:
            budget = budget_of(self._wish, self._losses, self._names) or BUDGETS["medium"]
        fitting = max(_SMALLEST, budget if limit is None else min(budget, limit - 1))
        if fitting != budget:
            self._losses.change(self._named("budget"), budget, fitting)
        self._field("thinking", {"type": "enabled", "budget_tokens": fitting})

    def adaptive(self) -> None:
        self._field("thinking", {"type": "adaptive"})
        if self._wish.effort is not None or self._wish.budget is not None:
            self._effort(self._nearest())
        if self._wish.effort is not None and self._wish.budget is not None:
            self._losses.drop(self._named("budget"))

    def display(self) -> None:
        wish = self._wish
        if not thinks(self._out):
            for name in ("summary", "shown"):
                if getattr(wish, name) is not None:
                    self._losses.drop(self._named(name))
            return
        thinking = self._out[_FIELDS]["thinking"]
        if wish.shown is False:
            thinking["display"] = "omitted"
            if wish.summary is not None:
                self._losses.drop(self._named("summary"))
        elif wish.shown or wish.summary is not None:
            thinking["display"] = "summarized"
            if wish.summary not in (None, "auto"):
                self._losses.change(self._named("summary"), wish.summary, "summarized")

    def _named(self, member: str) -> str:
        """Return the caller's name for a member of the wish."""
        return self._names.get(f"reasoning.{member}", place(self._wish.at, member))

    def _nearest(self) -> str:
        wanted = effort_of(self._wish, self._losses, self._names) or "medium"
        taken = self._traits.get("efforts") or ("low", "medium", "high")
        level = nearest(wanted, taken)
        if level != wanted:
            self._losses.change(self._named("effort"), wanted, level)
        return level

    def _least_level(self) -> str:
        return str((self._traits.get("efforts") or ("low",))[0])

    def _least(self, was: str) -> None:
        least = self._least_level()
        self._losses.change(self.at, was, least)
        self._effort(least)

    def _effort(self, level: str) -> None:
        self._out.setdefault("outputConfig", {})["effort"] = level

    def _field(self, name: str, value: Any) -> None:
        self._out.setdefault(_FIELDS, {})[name] = value
