"""What callers wish for and not every dialect or model can do, noted where it is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest

__all__ = ["drop_foreign", "take_sampling", "take_stops"]

_USUAL: Final = {"cache": "cache_control"}
_SHARES: Final = ("temperature", "top_p")
_KEPT_WITH_THOUGHT: Final = 0.95  # the least top_p that models take which do not vary in thought


def drop_foreign(request: ChatRequest, foreign: Mapping[str, Any], losses: Losses) -> None:
    """Note what a dialect has no word for: ``foreign`` members, with the value that asks nothing.

    None never asks anything.
    """
    for name, idle in foreign.items():
        value = getattr(request, name)
        if value is not None and value != idle:
            losses.drop(request.names.get(name, _USUAL.get(name, name)))


def take_stops(request: ChatRequest, losses: Losses) -> list[str]:
    """Return the stop sequences for a vendor who refuses one of spaces alone."""
    at = request.names.get("stop", "stop")
    kept = []
    for number, text in enumerate(request.stop or ()):
        if text.strip():
            kept.append(text)
        else:
            losses.drop(f"{at}[{number}]")
    return kept


def take_sampling(
    request: ChatRequest, mode: str, losses: Losses, *, thinks: bool
) -> dict[str, Any]:
    """Return the temperature, top_p and top_k that a model takes, of the first two at most 1.

    ``mode`` is "all", "one" (of temperature and top_p) or "none"; one that ``thinks`` takes
    next to nothing.
    """
    kept: dict[str, Any] = {}
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(request, name)
        if value is None:
            continue
        place = request.names.get(name, name)
        if (
            mode == "none"
            or (thinks and not (name == "top_p" and value >= _KEPT_WITH_THOUGHT))
            or (mode == "one" and name == "top_p" and "temperature" in kept)
        ):
            losses.drop(place)
        elif name in _SHARES and value > 1:
            losses.change(place, value, 1.0)
            kept[name] = 1.0
        else:
            kept[name] = value
    return kept
