"""Recorded requests of two dialects, written for the vendor and judged by its SDK's types."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_gemini.codec import GeminiCodec

from .recorded import files, load
from .typed import check, traits_of

if TYPE_CHECKING:
    from collections.abc import Iterator

READERS: Any = {"openai-chat": ChatCodec(), "gemini": GeminiCodec()}
CASES = [(file, dialect) for dialect in READERS for file in files(dialect)]
if not CASES:
    pytest.skip("there is no recorded vendor traffic", allow_module_level=True)

pytestmark = pytest.mark.recorded
MODEL = "gemini-3-flash-preview"


def write(file: str, dialect: str, model: str) -> tuple[dict[str, Any], Any, tuple[str, ...]]:
    recorded = load(file)["request"]
    request = READERS[dialect].read_request(json.dumps({"model": model, **recorded}).encode())
    losses = Losses()
    written = GeminiCodec().write_request(request, traits=traits_of(model), losses=losses)
    return recorded, json.loads(written), losses.found


@pytest.mark.parametrize(("file", "dialect"), [c for c in CASES if load(c[0])["request"]])
def test_a_recorded_request_is_one_of_the_vendors(file: str, dialect: str) -> None:
    recorded, written, losses = write(file, dialect, MODEL)
    check(written)
    leaves = list(strings(written))
    inside = [*leaves, *(leaf for text in leaves for leaf in parsed(text))]
    for place, text in wanted(recorded):
        kept = any(same(text, leaf) for leaf in inside)
        assert kept or any(place.startswith(node(loss)) for loss in losses), (
            place,
            text[:80],
            losses,
        )


def node(loss: str) -> str:
    """Return the node that lost something; what readers call its members is theirs."""
    place = loss.partition("(")[0]
    return place.rpartition(".")[0] or place


def same(text: str, leaf: str) -> bool:
    if text in leaf or text.upper() == leaf:
        return True
    return len(text) > 100 and text.translate(str.maketrans("-_", "+/")).rstrip("=") in leaf


def wanted(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a request that must not get lost, with its place."""
    if isinstance(value, dict):
        for name, one in value.items():
            place = f"{at}.{name}" if at else name
            if name in PLAIN:
                continue
            if isinstance(one, dict) and name in SCHEMAS:
                yield from ((place, key) for key in one.get("properties", {}))
            yield from wanted(one, place)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from wanted(one, f"{at}[{number}]")
    elif isinstance(value, str) and value:
        if value == "{}":
            return
        found = list(parsed(value)) if value.startswith("{") else []
        if value.startswith("data:"):
            found = [value.partition(",")[2]]
        yield from ((at, text) for text in found or [value])


PLAIN = frozenset({"role", "type", "model", "tool_choice", "reasoning_effort", "mode", "format"})
SCHEMAS = frozenset({"parameters", "parameters_json_schema", "schema", "responseJsonSchema"})


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def parsed(text: str) -> Iterator[str]:
    try:
        value = json.loads(text)
    except ValueError:
        return
    yield from (one for one in strings(value) if one)


@pytest.mark.parametrize("file", files("gemini"))
def test_the_vendors_own_requests_come_back_as_they_were(file: str) -> None:
    recorded, written, losses = write(file, "gemini", "gemini-2.5-pro")
    assert [loss for loss in losses if "thinkingConfig" not in loss] == []
    assert plain(written["contents"]) == plain(recorded["contents"])
    want = recorded.get("systemInstruction", {}).get("parts")
    assert written.get("systemInstruction", {}).get("parts") == want
    for name in ("safetySettings", "toolConfig"):
        assert written.get(name) == recorded.get(name)
    assert written.get("generationConfig", {}) == recorded["generationConfig"]


def plain(contents: list[Any]) -> list[Any]:
    """Return contents as lists of parts, base64 decoded, what stands for turns joined."""
    return [plainly(part) for content in contents for part in content["parts"]]


def plainly(value: Any) -> Any:
    if isinstance(value, list):
        return [plainly(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {name: plainly(one) for name, one in value.items()}
    for name in ("data", "thoughtSignature"):
        if name in out:
            data = out[name].translate(str.maketrans("-_", "+/"))
            out[name] = base64.b64decode(data + "=" * (-len(data) % 4))
    if "response" in out:
        out.pop("response")  # wrapped anew, as texts
    return out
