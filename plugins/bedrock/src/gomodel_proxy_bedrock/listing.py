"""The models of an account, as Bedrock's control plane lists them.

docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html and
API_ListInferenceProfiles.html (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Model
from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["PATHS", "read_listing"]

PATHS: Final = {
    "foundation-models": "/foundation-models?byInferenceType=ON_DEMAND",
    "inference-profiles": "/inference-profiles?maxResults=1000",
}
"""What can be listed, and where."""


def read_listing(body: bytes, configured: Iterable[str]) -> Sequence[Model]:
    """Return the models of a listing, and those that the configuration names besides."""
    value = json.loads(body)
    entries = None
    if isinstance(value, dict):
        entries = value.get("modelSummaries", value.get("inferenceProfileSummaries"))
    if not isinstance(entries, list):
        raise ValueError("the list of models has no summaries")
    models = {model.id: model for entry in entries if (model := _model(entry)) is not None}
    for name in configured:
        models.setdefault(name, Model(id=name))
    return list(models.values())


def _model(entry: Any) -> Model | None:
    if not isinstance(entry, dict):
        return None
    name = entry.get("modelId") or entry.get("inferenceProfileId")
    if not isinstance(name, str) or entry.get("status") not in (None, "ACTIVE"):
        return None
    rest = {key: value for key, value in entry.items() if key not in ("modelId", "providerName")}
    embeds = entry.get("outputModalities") == ["EMBEDDING"]
    return Model(
        id=name,
        owned_by=str(entry.get("providerName") or entry.get("type") or ""),
        operations=("embeddings",) if embeds else (),
        metadata=rest,
    )
