"""What one account offers: model ids, and patterns for families too many to name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gomodel_proxy.api import Model

__all__ = ["Offer"]


class Offer:
    """Models by id. One with ``*`` is a pattern: it offers whatever matches, and is not listed."""

    __slots__ = ("_patterns", "models")

    def __init__(self, models: Iterable[Model]) -> None:
        known = list(models)
        self._patterns = tuple(model.id for model in known if "*" in model.id)
        self.models: Mapping[str, Model] = {
            model.id: model for model in known if "*" not in model.id
        }

    def __contains__(self, model: str) -> bool:
        return model in self.models or any(
            fnmatchcase(model, pattern) for pattern in self._patterns
        )

    def __bool__(self) -> bool:
        return bool(self.models or self._patterns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Offer):
            return NotImplemented
        return self.models == other.models and self._patterns == other._patterns

    __hash__ = None  # type: ignore[assignment]
