"""Mistral's batch jobs, played: docs.mistral.ai/capabilities/batch (2026-11)."""

from __future__ import annotations

import json
import time
from typing import Any

from aiohttp import web

from gomodel_proxy.testing.openai_vendor import OpenAIVendor
from gomodel_proxy.testing.vendor import Batch

__all__ = ["MistralVendor"]


class MistralVendor(OpenAIVendor):
    """Files as OpenAI's, jobs of its own. ``status`` is one of its words."""

    def __init__(self) -> None:
        super().__init__()
        self.status = "SUCCESS"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of files and jobs."""
        files = [route for route in super().routes() if "/files" in route.path]
        return [
            *files,
            web.post("/v1/batch/jobs", self._job),
            web.get("/v1/batch/jobs", self._jobs),
            web.get("/v1/batch/jobs/{id}", self.get),
            web.post("/v1/batch/jobs/{id}/cancel", self.cancel),
        ]

    async def _job(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        (file,) = asked["input_files"]
        lines = [json.loads(line) for line in self.files[file].splitlines()]
        assert asked["model"]
        assert not any("model" in line["body"] for line in lines)
        batch = Batch(f"job-{len(self.batches)}", asked, lines)
        return await self.accept(request, batch, self.told(batch, "QUEUED"))

    def told(self, batch: Batch, status: str | None = None) -> dict[str, Any]:
        """Return a job."""
        status = status or self.status
        ended = status in ("SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED")
        failed = any(self.fails(line) for line in batch.lines)
        return {
            "id": batch.id,
            "object": "batch",
            "status": status,
            "created_at": int(time.time()),
            "input_files": batch.asked["input_files"],
            "output_file": f"{batch.id}-output" if ended else None,
            "error_file": f"{batch.id}-errors" if ended and failed else None,
            "errors": [],
            "metadata": batch.asked["metadata"],
        }

    def now(self, batch: Batch) -> dict[str, Any]:
        """Return what is told of a batch that is asked about."""
        if not self.ended:
            return self.told(batch, "CANCELLATION_REQUESTED" if batch.cancelled else "RUNNING")
        return self.told(batch)

    async def _jobs(self, request: web.Request) -> web.Response:
        size, page = int(request.query["page_size"]), int(request.query["page"])
        batches = self.listed()[page * size : (page + 1) * size]
        return web.json_response({"data": [self.now(one) for one in batches]})
