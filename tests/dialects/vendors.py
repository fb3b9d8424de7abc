"""What each vendor's published types have against a request, and how its codec writes one."""

from __future__ import annotations

import importlib.util
import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from anthropic.types.beta.message_create_params import MessageCreateParamsNonStreaming as Message
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Chat
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming as Response,
)

from gomodel_proxy.testing.typed_dicts import faults
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec
from gomodel_proxy.wire.published import read_traits
from gomodel_proxy_anthropic.codec import MessagesCodec
from gomodel_proxy_anthropic.data import published_traits as anthropic_traits
from gomodel_proxy_bedrock.codec import ConverseCodec
from gomodel_proxy_bedrock.data import published_traits as bedrock_traits
from gomodel_proxy_cohere.codec import ChatCodec as CohereCodec
from gomodel_proxy_gemini.codec import GeminiCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLUGINS = Path(__file__).parents[2] / "plugins"


def beside(plugin: str, module: str) -> Any:
    """Return a module of a plugin's tests: what they hold requests to is the vendor's word."""
    file = PLUGINS / plugin / "tests" / f"{module}.py"
    spec = importlib.util.spec_from_file_location(f"{plugin}_{module}", file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # where annotations are looked up
    spec.loader.exec_module(loaded)
    return loaded


class Vendor(NamedTuple):
    """One dialect: its codec, traits by pattern, a model, and what its types have against a body.

    Bodies are without ``model`` and ``stream`` where the vendor has these in the URL.
    """

    codec: Any
    traits: Mapping[str, Mapping[str, Any]]
    model: str
    faults: Callable[[Any], list[str]]

    def peculiar(self) -> dict[str, Any]:
        """Return what is peculiar to the model."""
        found: dict[str, Any] = {}
        for pattern, one in self.traits.items():
            if fnmatchcase(self.model, pattern):
                found |= one
        return found


def _raised(check: Callable[[Any], Any]) -> Callable[[Any], list[str]]:
    def found(body: Any) -> list[str]:
        try:
            check(body)
        except (AssertionError, ValueError) as error:  # both SDKs' are ValueErrors
            return [str(error)]
        return []

    return found


_cohere = beside("cohere", "request_type")
VENDORS = {
    "anthropic": Vendor(
        MessagesCodec(),
        anthropic_traits("2026-10-21"),
        "claude-opus-5",
        lambda body: faults(body, Message),
    ),
    "bedrock": Vendor(
        ConverseCodec(),
        bedrock_traits(),
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        beside("bedrock", "service_model").faults,
    ),
    "cohere": Vendor(
        CohereCodec(),
        read_traits("gomodel_proxy_cohere"),
        "command-a-reasoning-08-2025",
        _raised(lambda body: _cohere.decode_request(msgspec.json.encode(body))),
    ),
    "gemini": Vendor(
        GeminiCodec(),
        read_traits("gomodel_proxy_gemini"),
        "gemini-2.5-pro",
        _raised(beside("gemini", "typed").check),
    ),
    "openai-chat": Vendor(ChatCodec(), {}, "gpt-x", lambda body: faults(body, Chat)),
    "openai-responses": Vendor(ResponsesCodec(), {}, "gpt-x", lambda body: faults(body, Response)),
}


def read(dialect: str, recorded: Any) -> bytes:
    """Return a recorded request as its dialect's caller would send it, without a stream."""
    body = {name: value for name, value in recorded.items() if name not in STREAMED}
    return json.dumps({**body, "model": "m"}).encode()


STREAMED = frozenset({"stream", "stream_options"})
