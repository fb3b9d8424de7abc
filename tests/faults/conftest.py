"""Gateways over upstreams that misbehave, and their books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gomodel_proxy.http.gateway import Gateway

KEY = "sk-up-canary-0123456789"
MODEL = "m"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"


def over(url: str, *, server: dict[str, Any] | None = None, **provider: Any) -> dict[str, Any]:
    """Return the configuration of a gateway whose only provider is at ``url``."""
    upstream = provider.pop("upstream", {})
    return {
        "server": server or {},
        "upstream": upstream,
        "providers": {
            "up": {
                "type": "openai_compatible",
                "base_url": f"{url}/v1",
                "api_key": KEY,
                "models": [MODEL],
                "models_mode": "allowlist",
                **provider,
            }
        },
    }


def asking(text: str = "Hello", **more: Any) -> dict[str, Any]:
    """Return a chat request's body."""
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


async def rows(gateway: Gateway) -> dict[str, list[dict[str, Any]]]:
    """Return the ledger's rows by request id; one that has several rows shows them all."""
    from gomodel_proxy.api import Query

    await gateway.generation.books.flush()
    store = gateway.generation.store
    assert store is not None
    assert store.ledger is not None
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await store.ledger.log(Query(limit=1_000_000)):
        found.setdefault(row["request_id"], []).append(dict(row))
    return found


async def row_of(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """Return the one row of a request."""
    (row,) = (await rows(gateway))[request_id]
    return row
