"""How much to think: docs.cohere.com/docs/reasoning (2026-11).

Trait: ``thinking`` (true: the model thinks, unless told not to).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.wire.effort import budget_of
from gomodel_proxy.wire.members import place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest

__all__ = ["is_thinking", "write_thinking"]


class _Thinking(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    token_budget: int | None = None


def is_thinking(raw: msgspec.Raw) -> bool:
    """Return whether a caller's ``thinking`` is Cohere's: other vendors have one too."""
    try:
        return msgspec.json.decode(raw, type=_Thinking).type in ("enabled", "disabled")
    except msgspec.DecodeError:
        return False


def write_thinking(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    """Write ``thinking`` into ``out``, noting what had to change."""
    wish = request.reasoning
    if wish is None:
        return
    losses.drop_extra(wish.at, wish.extra)
    off = wish.enabled is False or wish.effort == "none"
    if not traits.get("thinking"):
        if not off:
            losses.drop(wish.at)
        return
    if off:
        out["thinking"] = {"type": "disabled"}
        return
    out["thinking"] = {"type": "enabled"}
    budget = budget_of(wish, losses, request.names)
    if budget is not None:
        out["thinking"]["token_budget"] = budget
        if wish.budget is not None and wish.effort is not None:
            losses.drop(request.names.get("reasoning.effort", place(wish.at, "effort")))
    if wish.summary is not None:
        losses.drop(wish.at, "summary")
    if wish.shown is False:
        losses.drop(wish.at, "shown")
