"""Message batches, played: platform.claude.com/docs/en/api/messages/batches (2026-11)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gomodel_proxy.testing.vendor import Batch, Vendor

__all__ = ["AnthropicVendor"]


class AnthropicVendor(Vendor):
    """``kinds``: what becomes of lines, by what they say; all others succeed."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = {"fail": "errored", "cancel": "canceled", "expire": "expired"}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of message batches."""
        path = "/v1/messages/batches"
        return [
            web.post(path, self._create),
            web.get(path, self._list),
            web.get(path + "/{id}", self.get),
            web.get(path + "/{id}/results", self._results),
            web.post(path + "/{id}/cancel", self.cancel),
        ]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        batch = Batch(f"msgbatch_v{len(self.batches)}", asked, asked["requests"])
        return await self.accept(request, batch, self.told(batch, "in_progress"))

    def told(self, batch: Batch, status: str) -> dict[str, Any]:
        """Return a batch object."""
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if status == "ended" else "processing"] = len(batch.lines)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": datetime.now(UTC).isoformat(),
            "results_url": "https://elsewhere.example/" if status == "ended" else None,
        }

    def now(self, batch: Batch) -> dict[str, Any]:
        """Return what is told of a batch that is asked about."""
        if self.ended:
            return self.told(batch, "ended")
        return self.told(batch, "canceling" if batch.cancelled else "in_progress")

    async def _list(self, request: web.Request) -> web.Response:
        page, more = self.page(request.query.get("after_id"))
        return web.json_response({"data": [self.now(one) for one in page], "has_more": more})

    async def _results(self, request: web.Request) -> web.Response:
        batch = self.find(request)
        lines = self.spoil([json.dumps(self.result(line)).encode() for line in batch.lines])
        return web.Response(body=b"\n".join(lines))

    def result(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return a line of the results."""
        said = line["params"]["messages"][-1]["content"]
        text = said if isinstance(said, str) else said[-1]["text"]
        kind = self.kinds.get(text, "succeeded")
        result: dict[str, Any] = {"type": kind}
        if kind == "succeeded":
            result["message"] = {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": line["params"]["model"],
                "content": [{"type": "text", "text": f"echo {text}"}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 7, "output_tokens": 3},
            }
        if kind == "errored":
            error = {"type": "invalid_request_error", "message": "bad words"}
            result["error"] = {"type": "error", "error": error}
        return {"custom_id": line["custom_id"], "result": result}
