"""Lists of models in Anthropic's shape: platform.claude.com/docs/en/api/models-list (2026-11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Model

__all__ = ["one", "page"]


def page(models: Sequence[Model], query: Mapping[str, str]) -> bytes:
    """Return the page that ``after_id``, ``before_id`` and ``limit`` ask for; all without them."""
    ids = [model.id for model in models]
    start, end = 0, len(models)
    if query.get("after_id") in ids:
        start = ids.index(query["after_id"]) + 1
    if query.get("before_id") in ids:
        end = ids.index(query["before_id"])
    limit = query.get("limit", "")
    if limit.isdecimal() and int(limit) > 0:
        if "before_id" in query and "after_id" not in query:
            start = max(start, end - int(limit))
        end = min(end, start + int(limit))
    shown = models[start:end]
    backwards = "before_id" in query and "after_id" not in query
    return json.encode(
        {
            "data": [_model(model) for model in shown],
            "has_more": start > 0 if backwards else end < len(models),
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
        }
    )


def one(model: Model) -> bytes:
    """Return one model."""
    return json.encode(_model(model))


def _model(model: Model) -> dict[str, Any]:
    created = datetime.fromtimestamp(model.created, UTC).isoformat().replace("+00:00", "Z")
    known = {"display_name": model.id, "lifecycle": "active", **model.metadata}
    return {"type": "model", "id": model.id, "created_at": created, **known}
