"""Every recorded request, written for every other vendor: valid there, and nothing lost in silence.

Types that the vendors publish say what is valid, and keys that they lack are forbidden.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.testing.losslessness import silent_losses

from .recorded import files, load
from .vendors import VENDORS, read

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLERS = ("anthropic", "gemini", "openai-chat", "openai-responses")
SAYING = ("contents", "input", "instructions", "messages", "system", "systemInstruction", "tools")
"""Members that say something, in whatever dialect; settings are for each codec's own tests."""

CASES = [
    pytest.param(file, target, id=f"{file}-{target}")
    for caller in CALLERS
    for file in files(caller)
    if load(file)["request"]
    for target in VENDORS
    if target != caller
]
if not CASES:
    pytest.skip("there is no recorded vendor traffic", allow_module_level=True)

pytestmark = pytest.mark.recorded

SETTINGS = frozenset(
    {
        "encrypted_content",  # a proof for its own vendor, whose thought is noted
        "encrypted_index",
        "filename",
        "id",  # of an item, not of a call
        "is_error",
        "media_type",  # a format elsewhere, or in a data URL
        "mimeType",
        "status",
        "strict",
        "thought",
        "thoughtSignature",
    }
)
"""What is about a part and not said in it; how codecs report these is for their own tests."""


@pytest.mark.parametrize(("file", "target"), CASES)
def test_a_request_is_valid_and_whole(file: str, target: str) -> None:
    recorded, vendor = load(file), VENDORS[target]
    dialect = recorded["dialect"]
    request = VENDORS[dialect].codec.read_request(read(dialect, recorded["request"]))
    request.model = vendor.model
    losses = Losses()
    try:
        body = vendor.codec.write_request(request, traits=vendor.peculiar(), losses=losses)
    except InvalidRequest as refused:
        assert refused.param
        assert refused.param.startswith(SAYING)
        return  # a medium that this vendor does not take, which is a 400 before anything is sent
    written = json.loads(body)
    # films are no part of OpenAI's chat, but of that of many who speak it
    assert [fault for fault in vendor.faults(written) if "'video_url'" not in fault] == []
    asked = {name: one for name, one in recorded["request"].items() if name in SAYING}
    said = json.dumps(plain(asked, body.decode())).encode()
    assert silent_losses(said, body, losses.found) == []
    names = set(keys(written))
    lost = [loss.partition("(")[0] for loss in losses.found]
    for at, name in properties(asked):
        assert name in names or any(at.startswith(place) for place in lost), (at, name)


def plain(value: Any, written: str) -> Any:
    """Return what a value says: without settings, and data as others have it, or as text."""
    if isinstance(value, list):
        return [plain(one, written) for one in value]
    if isinstance(value, str) and value.startswith("data:"):
        return value.partition(",")[2]
    if not isinstance(value, dict):
        return value
    kept = {name: plain(one, written) for name, one in value.items() if name not in SETTINGS}
    if value.get("detail") == "auto":  # which is as if nothing was said
        kept.pop("detail")
    if str(value.get("type")).startswith("reasoning."):  # a detail: of which kind, and which one
        kept.pop("format", None)
        kept.pop("index", None)
    if "inlineData" in value:
        data = value["inlineData"]["data"].translate(str.maketrans("-_", "+/"))
        data += "=" * (-len(data) % 4)
        kept["inlineData"] = data if data in written else base64.b64decode(data).decode("latin-1")
    return kept


def keys(value: Any) -> Iterator[str]:
    """Yield the names of all members."""
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def properties(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield the names that schemas give to properties, with their schemas' places."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "properties" and isinstance(inner, dict):
                yield from ((at, one) for one in inner)
            yield from properties(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from properties(inner, f"{at}[{number}]")
