"""What the vendor's SDK says of a body: its types forbid unknown members."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from google.genai import types

from gomodel_proxy.wire.published import read_traits

TOP = ("cachedContent", "labels", "safetySettings", "serviceTier", "store", "systemInstruction")


def traits_of(model: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, one in read_traits("gomodel_proxy_gemini").items():
        if fnmatchcase(model, pattern):
            found |= one
    return found


def check(body: dict[str, Any]) -> None:
    """Raise what the SDK's types, which forbid unknown members, have against a body."""
    assert types.Part.model_config["extra"] == "forbid"
    body = json.loads(json.dumps(body))
    for content in body.pop("contents"):
        types.Content.model_validate(content)
    config = body.pop("generationConfig", {})
    config |= {name: body.pop(name) for name in TOP if name in body}
    tools = body.pop("tools", [])
    for tool in tools:
        types.Tool.model_validate(tool)
    choice = body.pop("toolConfig", None)
    types.GenerateContentConfig.model_validate({**config, "tools": tools, "toolConfig": choice})
    assert body == {}
