"""Whole replies, read from the vendor and written for callers of its dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types
from msgspec import Raw

from gomodel_proxy.api import Losses
from gomodel_proxy.api.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from gomodel_proxy.api.values import Usage
from gomodel_proxy_gemini.codec import GeminiCodec
from gomodel_proxy_gemini.offsets import Offsets
from gomodel_proxy_gemini.usage import read_usage, write_usage


def read(candidate: dict[str, Any], **members: Any) -> Choice:
    body = {"candidates": [candidate], "responseId": "r", "modelVersion": "m", **members}
    (choice,) = GeminiCodec().read_reply(json.dumps(body).encode(), traits={}).choices
    return choice


def parts(*given: Any) -> dict[str, Any]:
    return {"content": {"parts": list(given), "role": "model"}, "finishReason": "STOP"}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("LANGUAGE", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_reasons_to_finish(word: str, reason: str) -> None:
    choice = read({"content": {}, "finishReason": word})
    assert (choice.finish, choice.raw_finish) == (reason, word)
    call = {"functionCall": {"name": "f"}}
    choice = read({"content": {"parts": [call]}, "finishReason": word})
    assert choice.finish == ("tool_calls" if word == "STOP" else reason)


def test_a_blocked_prompt() -> None:
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "No."}
    body = json.dumps({"promptFeedback": feedback}).encode()
    (choice,) = GeminiCodec().read_reply(body, traits={}).choices
    assert (choice.finish, choice.raw_finish) == ("content_filter", "SAFETY")
    assert [part.text for part in choice.parts if isinstance(part, Refusal)] == ["No."]


def test_parts_of_a_new_kind_are_kept_as_they_came() -> None:
    (part,) = read(parts({"hologram": {"a": 1}})).parts
    assert isinstance(part, Opaque)
    assert (part.type, json.loads(bytes(part.raw))) == ("hologram", {"hologram": {"a": 1}})


def test_made_up_ids_differ_between_replies_and_places() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    ids = [
        part.id
        for reply in ("r1", "r2")
        for part in read(parts(call, call), responseId=reply).parts
        if isinstance(part, ToolCall)
    ]
    assert len(set(ids)) == 4


def test_sources_by_character_and_part() -> None:
    text = "Über Zürich: groß."
    segment = {"partIndex": 1, "startIndex": 6, "endIndex": 13, "text": "Zürich"}
    grounding = {
        "webSearchQueries": ["q"],
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"web": {"uri": "https://b.example", "title": "B"}},
        ],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    }
    candidate = {**parts({"text": "x", "thought": True}, {"text": text})}
    choice = read({**candidate, "groundingMetadata": grounding})
    thought, said = choice.parts
    assert isinstance(thought, Reasoning)
    assert isinstance(said, Text)
    first, second = said.citations
    assert (first.url, first.title) == ("https://a.example", "A")
    assert text[first.start : first.end] == "Zürich"
    assert (second.url, second.start, second.end) == ("https://b.example", None, None)
    assert bytes(choice.extra["groundingMetadata"]) == json.dumps(grounding).encode()


def test_recited_sources() -> None:
    cited = {"citations": [{"startIndex": 0, "endIndex": 2, "uri": "https://a.example"}]}
    (said,) = read({**parts({"text": "ab"}), "citationMetadata": cited}).parts
    assert isinstance(said, Text)
    (source,) = said.citations
    assert (source.url, source.start, source.end) == ("https://a.example", 0, 2)


@pytest.mark.parametrize("text", ["plain", "ä", "aäb€c😀d", "😀😀"])
def test_offsets_both_ways(text: str) -> None:
    offsets = Offsets()
    for letter in text:
        offsets.add(letter)
    for offset in (offsets, Offsets(text)):
        for number in range(len(text) + 1):
            byte = len(text[:number].encode())
            assert offset.byte(number) == byte
            assert offset.character(byte) == number


USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "toolUsePromptTokenCount": 7,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 157,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 90},
        {"modality": "AUDIO", "tokenCount": 10},
    ],
}


def test_usage_is_counted_in_one_convention() -> None:
    raw = json.dumps(USAGE).encode()
    usage = read_usage(raw)
    assert usage == Usage(
        input=107, output=50, cache_read=40, reasoning=30, audio_input=10, raw=raw
    )
    assert usage is not None
    assert write_usage(usage) == {
        "promptTokenCount": 107,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "cachedContentTokenCount": 40,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 97},
            {"modality": "AUDIO", "tokenCount": 10},
        ],
        "totalTokenCount": 157,
    }


@pytest.mark.parametrize(
    ("raw", "counts"),
    [
        (b'{"promptTokenCount":5,"totalTokenCount":5}', (5, 0)),
        (b'{"promptTokenCount":5.0,"candidatesTokenCount":"x"}', (5, None)),
        (b'{"promptTokenCount":-1,"candidatesTokenCount":3}', (None, 3)),
    ],
)
def test_odd_counts(raw: bytes, counts: Any) -> None:
    usage = read_usage(raw)
    assert usage is not None
    assert (usage.input, usage.output) == counts


def test_no_counts() -> None:
    assert read_usage(b"{}") is None
    assert read_usage(b"[1]") is None


def write(*given: Part, **members: Any) -> tuple[Any, tuple[str, ...]]:
    choice = Choice(parts=list(given), finish=members.pop("finish", "stop"), **members)
    losses = Losses()
    reply = ChatReply("id", "model", [choice], created=1700000000)
    body = GeminiCodec().write_reply(reply, ChatRequest("m", []), losses=losses)
    written = json.loads(body)
    types.GenerateContentResponse.model_validate(written)
    return written["candidates"][0], losses.found


def test_an_answer_of_another_vendor() -> None:
    candidate, losses = write(
        Reasoning("Hm", dialect="openai.chat"),
        Text("Yes, ü.", citations=[Citation(url="https://a.example", title="A", start=5, end=6)]),
        ToolCall("c1", "f", '{"a": 1}'),
        ToolCall("c2", "g", "text"),
        Media("image", data="iVBORw0KGgo="),
        Opaque("openai.responses", "web_search_call", Raw(b"{}")),
        finish="tool_calls",
    )
    assert candidate["content"]["parts"] == [
        {"text": "Hm", "thought": True},
        {"text": "Yes, ü."},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "c2", "name": "g", "args": {"input": "text"}}},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
    ]
    assert candidate["finishReason"] == "STOP"
    segment = {"startIndex": 5, "endIndex": 7, "partIndex": 1, "text": "ü"}
    assert candidate["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    }
    assert losses == ("candidates.g.args(text>object)", "candidates.web_search_call")


def test_a_foreign_proof_comes_back_as_it_was() -> None:
    hidden = Reasoning(encrypted="x", redacted=True, item="rs_1", dialect="openai.responses")
    candidate, _ = write(hidden)
    request = {"contents": [candidate["content"]]}
    (message,) = GeminiCodec().read_request(json.dumps(request).encode()).messages
    (part,) = message.parts
    assert isinstance(part, Reasoning)
    assert (part.encrypted, part.redacted, part.item, part.dialect) == (
        "x",
        True,
        "rs_1",
        "openai.responses",
    )


def test_probabilities_go_both_ways() -> None:
    token = {"token": "Hi", "tokenId": 5, "logProbability": -0.5}
    result = {"chosenCandidates": [token], "topCandidates": [{"candidates": [token]}]}
    choice = read({**parts({"text": "Hi"}), "logprobsResult": result})
    assert choice.logprobs is not None
    one = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
    assert json.loads(bytes(choice.logprobs)) == {"content": [{**one, "top_logprobs": [one]}]}
    candidate, _ = write(Text("Hi"), logprobs=choice.logprobs)
    del token["tokenId"]
    assert candidate["logprobsResult"] == result


def test_what_is_no_reply() -> None:
    with pytest.raises(ValueError, match="array"):
        GeminiCodec().read_reply(b'{"candidates":[{"content":{"parts":5}}]}', traits={})
