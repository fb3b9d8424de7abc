"""Recorded requests, written for Anthropic: the SDK's types say whether they may be."""

from __future__ import annotations

import csv
import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from anthropic.types.beta import message_create_params as beta
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)

from gomodel_proxy.api import Losses
from gomodel_proxy.testing.typed_dicts import faults
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec
from gomodel_proxy_anthropic.codec import MessagesCodec
from gomodel_proxy_anthropic.data import published_traits

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
READERS: dict[str, Any] = {
    "anthropic": MessagesCodec(),
    "openai-chat": ChatCodec(),
    "openai-responses": ResponsesCodec(),
}
MODELS = ("claude-opus-5", "claude-haiku-4-5", "claude-opus-5-5")

if not RECORDED.is_dir():
    pytest.skip("there is no recorded vendor traffic", allow_module_level=True)

pytestmark = pytest.mark.recorded


def _recordings() -> Iterator[Any]:
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["dialect"] in READERS:
                yield pytest.param(row["file"], row["dialect"], id=row["file"])


def traits(model: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, one in published_traits("2026-10-21").items():
        if fnmatchcase(model, pattern):
            found |= one
    return found


@pytest.mark.parametrize(("file", "dialect"), list(_recordings()))
def test_a_recorded_request_is_one_of_anthropics(file: str, dialect: str) -> None:
    recorded = json.loads((RECORDED / file).read_text(encoding="utf-8"))["request"]
    if recorded is None:
        pytest.skip("no request was recorded")
    for model in MODELS:
        request = READERS[dialect].read_request(json.dumps(recorded).encode())
        request.model = model
        losses = Losses()
        body = MessagesCodec().write_request(request, traits=traits(model), losses=losses)
        written = json.loads(body)
        assert faults(written, _type(written, dialect)) == []
        kept = set(strings(written))
        for text in said(recorded):
            assert text in kept, text


def _type(written: Any, dialect: str) -> Any:
    module: Any = beta if dialect == "anthropic" else None
    if written.get("stream"):
        return module.MessageCreateParamsStreaming if module else MessageCreateParamsStreaming
    return module.MessageCreateParamsNonStreaming if module else MessageCreateParamsNonStreaming


def strings(root: Any) -> Iterator[str]:
    """Return every string in a value, as lines: texts may be joined."""
    if isinstance(root, str):
        yield from root.splitlines()
    elif isinstance(root, dict):
        for name, value in root.items():
            yield name
            yield from strings(value)
    elif isinstance(root, list):
        for value in root:
            yield from strings(value)


def said(recorded: Any) -> Iterator[str]:
    """Return every text, tool, schema property, argument, result and medium of a request."""
    for message in recorded.get("messages", ()):
        yield from strings(_content(message.get("content")))
        for call in message.get("tool_calls") or ():
            yield call["function"]["name"]
            yield from strings(json.loads(call["function"]["arguments"] or "{}"))
    for tool in recorded.get("tools") or ():
        inner = tool.get("function", tool)
        if "name" in inner and tool.get("type", "custom") in ("custom", "function"):
            schema = inner.get("parameters") or inner.get("input_schema")
            yield from strings([inner["name"], inner.get("description") or "", schema])


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    found = []
    for part in content:
        if part["type"] == "image_url":
            found.append(part["image_url"]["url"].rpartition(";base64,")[2])
        elif part["type"] == "file":
            found.append(part["file"].get("file_data", "").rpartition(";base64,")[2])
        elif part["type"] == "text":
            found.append(part["text"])
        elif part["type"] != "thinking":
            found.append({name: value for name, value in part.items() if name != "type"})
    return found
