"""Batches as OpenAI's callers see them.

https://platform.openai.com/docs/api-reference/batch/object (22 November 2026). The gateway adds
``provider``, ``provider_batch_id``, ``provider_batches``, ``results``, ``webhook``, costs in
``usage`` and ``resent`` in ``request_counts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import json
from .later import later
from .openai_failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Batch, BatchAsk, LineResult, Shipment, Spent, Webhook

    from . import openai_batch_requests as batch_requests
    from . import openai_batch_results as batch_results
else:
    batch_requests, batch_results = later(
        __package__, "openai_batch_requests", "openai_batch_results"
    )

__all__ = ["OpenAIBatches"]

_PICO: Final = 1e12


class OpenAIBatches:
    """``/v1/batches``; a `BatchView`."""

    path = "/v1/batches"
    deletes = False
    jsonl = False
    cursors = ("after", None)
    default_limit = 20
    max_limit = 100

    def name(self, id: str) -> str:
        """Return the id that callers see, which is the batch's own."""
        return id

    def id(self, name: str) -> str:
        """Return the batch's id."""
        return name

    def read(self, body: bytes) -> BatchAsk:
        """Read a request for a batch; raises `InvalidRequest`."""
        return batch_requests.read_batch(body)

    def write(self, batch: Batch, results: Sequence[LineResult] | None, base_url: str) -> bytes:
        """Write a batch; times are seconds, costs USD and null where a price is not known."""
        shipments = [_shipment(shipment) for shipment in batch.shipments]
        written: dict[str, Any] = {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "model": _only(batch.models),
            "provider": _only(batch.providers),
            "provider_batch_id": _only([one["id"] for one in shipments]),
            "errors": _errors(batch),
            "input_file_id": batch.input_file,
            "completion_window": batch.window,
            "status": batch.status,
            "output_file_id": batch.output_file,
            "error_file_id": batch.error_file,
            "created_at": _seconds(batch.created),
            "in_progress_at": _seconds(batch.in_progress_at),
            "expires_at": _seconds(batch.expires),
            "finalizing_at": _seconds(batch.finalizing_at),
            "completed_at": _seconds(batch.completed_at),
            "failed_at": _seconds(batch.failed_at),
            "expired_at": _seconds(batch.expired_at),
            "cancelling_at": _seconds(batch.cancelling_at),
            "cancelled_at": _seconds(batch.cancelled_at),
            "request_counts": {
                "total": batch.total,
                "completed": batch.completed,
                "failed": batch.failed,
                "resent": batch.resent,
            },
            "usage": _usage(batch.spent),
            "metadata": msgspec.Raw(batch.metadata),
        }
        if shipments:
            written["provider_batches"] = shipments
        if batch.webhook is not None:
            written["webhook"] = _webhook(batch.webhook)
        if results is not None:
            written["results"] = [msgspec.Raw(self.result(batch, one)) for one in results]
        return json.encode(written)

    def page(self, batches: Sequence[bytes], names: Sequence[str], more: bool) -> bytes:
        """Write a page of batches."""
        return json.encode(
            {
                "object": "list",
                "data": [msgspec.Raw(batch) for batch in batches],
                "first_id": names[0] if names else None,
                "last_id": names[-1] if names else None,
                "has_more": more,
            }
        )

    def deleted(self, name: str) -> bytes:
        """Write that a batch is deleted, as OpenAI writes it of other objects."""
        return json.encode({"id": name, "object": "batch", "deleted": True})

    def result(self, batch: Batch, result: LineResult) -> bytes:
        """Write one result; ``response`` is the reply, or the refusal, in the line's dialect.

        ``status_code`` is 0 where there was no reply.
        """
        told = None if result.result is None else batch_results.read(result.result)
        return json.encode(
            {
                "index": result.index,
                "custom_id": result.custom_id,
                "url": result.url,
                "status_code": 0 if told is None else told.status,
                "model": result.model,
                "provider": result.provider,
                "response": None if told is None else told.body,
                "error": _error(told) if told is not None and result.failed else None,
            }
        )


def _seconds(time: int | None) -> int | None:
    return None if time is None else time // 1_000_000


def _only(names: Sequence[str | None]) -> str | None:
    return names[0] if len(names) == 1 else None


def _errors(batch: Batch) -> dict[str, Any] | None:
    if not batch.errors:
        return None
    data = [
        {"code": one.code, "message": one.message, "line": one.line, "param": one.param}
        for one in batch.errors
    ]
    return {"object": "list", "data": data}


def _usage(spent: Spent) -> dict[str, Any]:
    return {
        "input_tokens": spent.input_tokens,
        "input_tokens_details": {"cached_tokens": spent.cached_tokens},
        "output_tokens": spent.output_tokens,
        "output_tokens_details": {"reasoning_tokens": spent.reasoning_tokens},
        "total_tokens": spent.input_tokens + spent.output_tokens,
        "input_cost": _usd(spent.input_cost),
        "output_cost": _usd(spent.output_cost),
        "total_cost": _usd(spent.total_cost),
    }


def _usd(cost: int | None) -> float | None:
    return None if cost is None else cost / _PICO


def _shipment(shipment: Shipment) -> dict[str, Any]:
    return {
        "id": shipment.vendor_id,
        "provider": shipment.provider,
        "model": shipment.model or None,
        "status": shipment.state,
        "request_counts": {"total": shipment.lines, "settled": shipment.settled},
        "error": shipment.error,
    }


def _webhook(webhook: Webhook) -> dict[str, Any]:
    return {
        "tries": webhook.tries,
        "delivered_at": _seconds(webhook.delivered),
        "error": webhook.error,
    }


def _error(told: batch_results.Result) -> dict[str, str]:
    if told.body is None:
        return {"type": told.code or "api_error", "message": told.message or ""}
    failure = read_failure(told.status, (), bytes(told.body))
    return {"type": failure.kind, "message": failure.message}
