"""Nothing of a request is lost in silence on its way to the vendor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.testing.losslessness import silent_losses
from gomodel_proxy.testing.made_chat import chat_requests
from gomodel_proxy.testing.made_responses import responses_requests
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec
from gomodel_proxy_gemini.codec import GeminiCodec

from .recorded import files, load
from .typed import check, traits_of

SAID_OTHERWISE = (
    "model",  # in the URL, as is whether to stream
    "stream",
    "stream_options",  # the vendor always reports usage
    "logprobs",  # responseLogprobs
    "modalities",  # in capitals, as are levels and modes
    "reasoning_effort",
    "reasoning.effort",
    "reasoning.exclude",
    "tool_choice",
    "response_format.type",  # responseMimeType
    "response_format.json_schema.strict",  # the vendor's way, always
    "text.format.strict",
    "text.format.type",
    "include",  # proofs of thought are always there
    "tools[].strict",  # VALIDATED
    "tools[].function.strict",
)
NAMELESS = (  # reported as name, detail, citations and the like of the part they are of
    "messages[].content[].file.filename",
    "messages[].content[].image_url.detail",
    "messages[].content[].cache_control",
    "input[].content[].filename",
    "input[].output[].filename",
    "response_format.json_schema.name",
    "response_format.json_schema.description",
)
MEANINGLESS = (
    "input[].id",
    "input[].status",
    "messages[].reasoning_details[].id",
    "messages[].reasoning_details[].format",
)
INNER = ("messages[].content[].file", "messages[].content[].image_url")
AGREED = (*SAID_OTHERWISE, *NAMELESS, *MEANINGLESS, *INNER, "messages[].content[].input_audio")
MODELS = ("gemini-2.0-flash", "gemini-2.5-pro", "gemini-3-flash-preview", "gemini-9")
CHAT, RESPONSES = ChatCodec(), ResponsesCodec()


def lost(codec: Any, body: bytes, model: str) -> list[str]:
    losses = Losses()
    try:
        request = codec.read_request(body)
        traits = traits_of(model)
        written = GeminiCodec().write_request(request, traits=traits, losses=losses)
    except InvalidRequest as error:
        assert "does not know" in error.message or "no JSON object" in error.message
        return []
    check(json.loads(written))
    return silent_losses(body, written, losses.found, agreed=AGREED)


made = settings(max_examples=60, deadline=None)


@made
@given(chat_requests(), st.sampled_from(MODELS))
def test_from_chat(body: bytes, model: str) -> None:
    assert lost(CHAT, body, model) == []


@made
@given(responses_requests(), st.sampled_from(MODELS))
def test_from_responses(body: bytes, model: str) -> None:
    assert lost(RESPONSES, body, model) == []


@pytest.mark.recorded
@pytest.mark.parametrize("file", files("openai-chat") + files("openai-responses"))
def test_of_what_was_recorded(file: str) -> None:
    recorded = load(file)
    if recorded["request"] is None:
        pytest.skip("recorded without its request")
    codec = CHAT if recorded["dialect"] == "openai-chat" else RESPONSES
    body = json.dumps({"model": recorded["model"], **recorded["request"]}).encode()
    assert lost(codec, body, "gemini-2.5-pro") == []
