"""``GET /v1/models`` and ``/v1/models/{id}``, in OpenAI's shape or that of a dialect asked for.

https://platform.openai.com/docs/api-reference/models, November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from gomodel_proxy.api import NotFound

from .routes import GENERATION, Parameter, Route, answer, caller, listing

if TYPE_CHECKING:
    from gomodel_proxy.api import Model, Price
    from gomodel_proxy.engine.account import Account

__all__ = ["ROUTES"]


class ModelObject(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One model; ``metadata`` and ``provider`` are the gateway's additions."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = ""
    provider: str = ""
    metadata: dict[str, Any] = {}


class ModelList(msgspec.Struct, kw_only=True):
    """All models of all providers, qualified as ``provider/model``."""

    object: str = "list"
    data: list[ModelObject]


_PER_MILLION = {
    "input": "input_per_mtok",
    "output": "output_per_mtok",
    "cache_read": "cached_input_per_mtok",
    "cache_write": "cache_write_per_mtok",
    "cache_write_1h": "cache_write_1h_per_mtok",
    "reasoning": "reasoning_output_per_mtok",
    "audio_input": "audio_input_per_mtok",
    "audio_output": "audio_output_per_mtok",
    "batch_input": "batch_input_per_mtok",
    "batch_output": "batch_output_per_mtok",
    "per_request": "per_request",
}


def _pricing(price: Price) -> dict[str, Any]:
    """Return a price in USD, under the names of the reference system."""
    known = {shown: getattr(price, name) for name, shown in _PER_MILLION.items()}
    amounts = {shown: float(text) for shown, text in known.items() if text is not None}
    return {"currency": "USD", **amounts}


def _object(account: Account, model: Model) -> dict[str, Any]:
    metadata = dict(model.metadata)
    found = account.prices.find(model.id)
    if found is not None:
        metadata.setdefault("pricing", _pricing(found[0].price))
    return {
        "id": f"{account.name}/{model.id}",
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by or account.type,
        "provider": account.name,
        "metadata": metadata,
    }


async def list_models(request: web.Request) -> web.Response:
    """Answer with every model that a caller may write into ``model``."""
    await caller(request)
    g = request.app[GENERATION]()
    await g.inventory.wait()
    dialect = listing(request)
    if dialect is not None:
        qualified = [
            _qualified(account, model)
            for account in g.accounts.values()
            for model in g.inventory.listed(account.name)
        ]
        return _page(dialect.models_page(qualified, request.query))
    return answer(
        {
            "object": "list",
            "data": [
                _object(account, model)
                for account in g.accounts.values()
                for model in g.inventory.listed(account.name)
            ],
        }
    )


async def show_model(request: web.Request) -> web.Response:
    """Answer with one model; its id may contain slashes, raw or encoded, and may be bare."""
    await caller(request)
    g = request.app[GENERATION]()
    wanted = unquote(request.match_info["id"])
    targets = await g.routes.locate(wanted)
    account = g.accounts[targets[0].provider]
    model = g.inventory.model(account.name, targets[0].model)
    if model is None:
        raise NotFound(f"The model '{wanted}' does not exist here.", code="model_not_found")
    dialect = listing(request)
    if dialect is not None:
        return _page(dialect.model_page(_qualified(account, model)))
    return answer(_object(account, model))


def _qualified(account: Account, model: Model) -> Model:
    return msgspec.structs.replace(model, id=f"{account.name}/{model.id}")


def _page(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": "application/json"})


ROUTES = (
    Route("GET", "/v1/models", list_models, "List models", ModelList),
    Route(
        "GET",
        "/v1/models/{id}",
        show_model,
        "Show a model",
        ModelObject,
        (Parameter("id", str, "provider/model, or a bare model id", "path"),),
    ),
)
