"""Recorded requests, written for Anthropic: the SDK's types say whether they may be.

Checked by hand and not by pydantic, which reads iterables lazily and lets unknown keys pass.
"""

from __future__ import annotations

import csv
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, Required

import pytest
from anthropic.types.beta import message_create_params as beta
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from pydantic import BaseModel
from typing_extensions import get_type_hints, is_typeddict

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec
from gomodel_proxy_anthropic.codec import MessagesCodec
from gomodel_proxy_anthropic.data import published_traits

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


# ------------------------------------------------------------------------------
# Values and types
# ------------------------------------------------------------------------------


def faults(value: Any, type_: Any, at: str = "$") -> list[str]:
    """Return what is wrong, each with its place; nothing if all is well."""
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin in (Required, NotRequired, typing.Annotated):
        return faults(value, args[0], at)
    if type_ is Any or type_ is object:
        return []
    if type_ is None or type_ is type(None):
        return [] if value is None else [f"{at}: {value!r} is not null"]
    if origin in (typing.Union, types.UnionType):
        return min((faults(value, one, at) for one in args), key=lambda found: _weight(found, at))
    if origin is typing.Literal:
        return [] if value in args else [f"{at}: {value!r} is none of {args}"]
    if is_typeddict(type_):
        return _dictionary(value, type_, at)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return [f"{at}: models are for replies"]
    if origin in (dict, Mapping):
        return [] if isinstance(value, dict) else [f"{at}: {value!r} is no object"]
    if origin in (list, Iterable, Sequence) or getattr(origin, "__name__", "") == "SequenceNotStr":
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no array"]
        found = [faults(one, args[0], f"{at}[{n}]") for n, one in enumerate(value)]
        return [fault for one in found for fault in one]
    if type_ is float:
        return [] if isinstance(value, int | float) else [f"{at}: {value!r} is no number"]
    if isinstance(type_, type) and type_.__module__ == "builtins":
        right = isinstance(value, type_) and (type_ is bool or not isinstance(value, bool))
        return [] if right else [f"{at}: {value!r} is no {type_.__name__}"]
    return [f"{at}: {type_} is unknown"]


def _weight(found: list[str], at: str) -> tuple[int, int]:
    """Prefer the branch of a union whose discriminator fits."""
    return sum(fault.startswith(f"{at}.type:") for fault in found), len(found)


@cache
def _hints(type_: Any) -> dict[str, Any]:
    return get_type_hints(type_, include_extras=True)


def _dictionary(value: Any, type_: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    hints = _hints(type_)
    open_ = getattr(type_, "__pydantic_config__", {}).get("extra") == "allow"
    found = [f"{at}.{name}: missing" for name in type_.__required_keys__ if name not in value]
    for name, one in value.items():
        if name in hints:
            found += faults(one, hints[name], f"{at}.{name}")
        elif not open_:
            found.append(f"{at}.{name}: unknown")
    return found
