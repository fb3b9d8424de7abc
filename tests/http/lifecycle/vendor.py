"""A vendor that keeps responses and conversations, and one that has only chat, in one server.

It remembers every request in ``asked``, and numbers its answers.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

BASE = {
    "object": "response",
    "created_at": 1_790_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "large",
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5,
    },
}
CHAT_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


class Vendor:
    """The server; ``kept`` is what it keeps, by id."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.kept: dict[str, Any] = {}
        self.numbers = itertools.count(1)
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/responses", self.respond)
        app.router.add_post("/v1/responses/input_tokens", self.count)
        app.router.add_post("/v1/responses/compact", self.compact)
        app.router.add_route("*", "/v1/responses/{id}", self.response)
        app.router.add_post("/v1/responses/{id}/cancel", self.cancel)
        app.router.add_get("/v1/responses/{id}/input_items", self.items)
        app.router.add_post("/v1/conversations", self.converse)
        app.router.add_route("*", "/v1/conversations/{id}", self.conversation)
        app.router.add_route("*", "/v1/conversations/{id}/items", self.items)
        app.router.add_route("*", "/v1/conversations/{id}/items/{item}", self.item)
        self.server = TestServer(app)

    def forget(self) -> None:
        """Begin anew."""
        self.asked.clear()
        self.kept.clear()
        self.numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/v1"))

    @property
    def bodies(self) -> list[Any]:
        """What was posted, without what only asks about something."""
        return [body for method, _, body in self.asked if method == "POST" and body]

    async def note(self, request: web.Request) -> Any:
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append((request.method, request.path_qs, body))
        return body

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "large", "object": "model"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await self.note(request)
        id_ = "chatcmpl-1"  # some vendors have few ids, and so has this one
        text = f"answer {next(self.numbers)}"
        if not body.get("stream"):
            choice = {"index": 0, "finish_reason": "stop"}
            choice["message"] = {"role": "assistant", "content": text}
            head = {"id": id_, "object": "chat.completion", "created": 1, "model": "large"}
            return web.json_response({**head, "choices": [choice], "usage": CHAT_USAGE})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": id_, "object": "chat.completion.chunk", "created": 1, "model": "large"}
        for piece in (text[:3], text[3:]):
            delta = {"index": 0, "delta": {"role": "assistant", "content": piece}}
            chunk = {**head, "choices": [{**delta, "finish_reason": None}]}
            await response.write(b"data: %b\n\n" % json.dumps(chunk).encode())
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        ends = ({**head, "choices": [last]}, {**head, "choices": [], "usage": CHAT_USAGE})
        for chunk in ends:
            await response.write(b"data: %b\n\n" % json.dumps(chunk).encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async def respond(self, request: web.Request) -> web.StreamResponse:
        body = await self.note(request)
        number = next(self.numbers)
        part = {"type": "output_text", "text": f"answer {number}", "annotations": []}
        message = {"id": f"msg_v{number}", "type": "message", "role": "assistant"}
        output = [{**message, "status": "completed", "content": [part]}]
        whole = {**BASE, "id": f"resp_v{number}", "output": output, "store": True}
        if body.get("background"):
            whole |= {"status": "queued", "background": True, "usage": None, "output": []}
        self.kept[whole["id"]] = whole
        if not body.get("stream"):
            return web.json_response(whole)
        return await self.stream(request, whole, 0)

    async def stream(
        self, request: web.Request, whole: dict[str, Any], start: int
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        begun = {**whole, "status": "in_progress", "output": []}
        (item,) = whole["output"]
        story = [
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        for number, event in enumerate(story):
            if number >= start:
                data = json.dumps({**event, "sequence_number": number}).encode()
                await response.write(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), data))
        return response

    async def response(self, request: web.Request) -> web.StreamResponse:
        await self.note(request)
        kept = self.kept.get(request.match_info["id"])
        if kept is None:
            return self.unknown()
        if request.method == "DELETE":
            del self.kept[kept["id"]]
            return web.json_response({"id": kept["id"], "object": "response", "deleted": True})
        if request.query.get("stream") == "true":
            return await self.stream(
                request, kept, int(request.query.get("starting_after", -1)) + 1
            )
        return web.json_response(kept)

    def unknown(self) -> web.Response:
        error = {"message": "The vendor has no such thing.", "type": "invalid_request_error"}
        return web.json_response({"error": {**error, "param": None, "code": "gone"}}, status=404)

    async def cancel(self, request: web.Request) -> web.Response:
        await self.note(request)
        return web.json_response(self.kept[request.match_info["id"]] | {"status": "cancelled"})

    async def count(self, request: web.Request) -> web.Response:
        await self.note(request)
        return web.json_response({"object": "response.input_tokens", "input_tokens": 11})

    async def compact(self, request: web.Request) -> web.Response:
        await self.note(request)
        essence = {"id": "cmp_1", "type": "compaction", "encrypted_content": "x"}
        whole = {"id": "resp_c1", "object": "response.compaction", "created_at": 1}
        return web.json_response({**whole, "output": [essence], "usage": BASE["usage"]})

    async def converse(self, request: web.Request) -> web.Response:
        body = await self.note(request)
        made = {"id": "conv_v1", "object": "conversation", "created_at": 1}
        self.kept["conv_v1"] = {**made, "metadata": body.get("metadata", {})}
        return web.json_response(self.kept["conv_v1"])

    async def conversation(self, request: web.Request) -> web.Response:
        body = await self.note(request)
        kept = self.kept.get(request.match_info["id"])
        if kept is None:
            return self.unknown()
        if request.method == "DELETE":
            del self.kept[kept["id"]]
            gone = {"id": kept["id"], "object": "conversation.deleted", "deleted": True}
            return web.json_response(gone)
        return web.json_response({**kept, **(body or {})})

    async def items(self, request: web.Request) -> web.Response:
        await self.note(request)
        page = {"first_id": "msg_1", "last_id": "msg_1", "has_more": False}
        return web.json_response({"object": "list", "data": [self.message()], **page})

    async def item(self, request: web.Request) -> web.Response:
        await self.note(request)
        if request.method == "DELETE":
            return web.json_response(self.kept[request.match_info["id"]])
        return web.json_response(self.message())

    def message(self) -> dict[str, Any]:
        part = {"type": "input_text", "text": "at the vendor"}
        head = {"id": "msg_1", "type": "message", "role": "user", "status": "completed"}
        return {**head, "content": [part]}
