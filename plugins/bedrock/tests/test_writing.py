"""Requests of Converse: sampling, formats, thinking, tools, and what is said to be lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest

from .written import CLAUDE, NOVA, OPUS, calls, result, tool, write, written

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "City", "description": "A city.", "schema": SCHEMA, "strict": True},
}
TOOLS = [tool("look", description="Looks."), tool("find", strict=True)]
NAMED = {"type": "function", "function": {"name": "look"}}
FIELDS = "additionalModelRequestFields"


def test_sampling() -> None:
    out, losses = write(NOVA, NOVA, temperature=0.5, top_p=0.9, top_k=20, max_tokens=7, stop="END")
    assert out["inferenceConfig"] == {
        "maxTokens": 7,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    assert out[FIELDS] == {"inferenceConfig": {"topK": 20}}
    assert losses == []


def test_sampling_by_family() -> None:
    out, losses = write("Hi", CLAUDE, temperature=1.5, top_p=0.9, top_k=20, stop=["a", " "])
    assert out["inferenceConfig"] == {"temperature": 1.0, "stopSequences": ["a"]}
    assert out[FIELDS] == {"top_k": 20}
    assert out["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert losses == ["temperature(1.5>1.0)", "top_p", "stop[1]"]
    out, losses = write("Hi", OPUS, temperature=0.5, top_p=0.9, top_k=20)
    assert "inferenceConfig" not in out
    assert losses == ["temperature", "top_p", "top_k"]


def test_what_converse_has_no_word_for_is_noted() -> None:
    members = {"n": 2, "seed": 7, "presence_penalty": 0.5, "user": "u", "logprobs": True, "x": 1}
    _, losses = write(**members)
    assert sorted(losses) == sorted(members)
    _, losses = write(n=1, presence_penalty=0, logprobs=False)
    assert losses == []


def test_members_of_converse_come_along() -> None:
    guard = {"guardrailIdentifier": "abc", "guardrailVersion": "1"}
    own = {
        "guardrailConfig": guard,
        "performanceConfig": {"latency": "optimized"},
        FIELDS: {"top_k": 5, "anthropic_beta": ["x"]},
    }
    out, losses = write("Hi", CLAUDE, top_k=20, service_tier="flex", **own)
    assert out["guardrailConfig"] == guard
    assert out["performanceConfig"] == {"latency": "optimized"}
    assert out[FIELDS] == {"top_k": 5, "anthropic_beta": ["x"]}
    assert out["serviceTier"] == {"type": "flex"}
    assert losses == []


def test_metadata_as_far_as_it_may() -> None:
    out, losses = write(metadata={"team": "a b", "quote": "it's"})
    assert out["requestMetadata"] == {"team": "a b"}
    assert losses == ["metadata.quote"]


def test_a_format_by_schema() -> None:
    out, losses = write(response_format=FORMAT)
    kept = out["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (kept["name"], kept["description"]) == ("City", "A city.")
    assert json.loads(kept["schema"]) == SCHEMA
    assert losses == []
    for model, form in ((NOVA, FORMAT), (CLAUDE, {"type": "json_object"})):
        out, losses = write("Hi", model, response_format=form)
        assert "outputConfig" not in out
        assert [loss.partition(".")[0] for loss in losses] == ["response_format"]


# ------------------------------------------------------------------------------
# Tools
# ------------------------------------------------------------------------------


def test_tools() -> None:
    out, losses = write(tools=TOOLS, tool_choice="required")
    empty = {"json": {"type": "object", "properties": {}}}
    assert out["toolConfig"] == {
        "tools": [
            {"toolSpec": {"name": "look", "inputSchema": empty, "description": "Looks."}},
            {"toolSpec": {"name": "find", "inputSchema": empty, "strict": True}},
        ],
        "toolChoice": {"any": {}},
    }
    assert losses == []
    _, losses = write("Hi", NOVA, tools=TOOLS)
    assert losses == ["tools[1].strict"]


@pytest.mark.parametrize(
    ("model", "choice", "written", "noted"),
    [
        (CLAUDE, "auto", {"auto": {}}, []),
        (CLAUDE, NAMED, {"tool": {"name": "look"}}, []),
        ("mistral.mistral-large-2407-v1:0", NAMED, {"any": {}}, ["tool_choice(named>any)"]),
        ("us.meta.llama3-3-70b-instruct-v1:0", "required", None, ["tool_choice(required>auto)"]),
        ("us.meta.llama3-3-70b-instruct-v1:0", "auto", None, []),
    ],
)
def test_choices_by_family(model: str, choice: Any, written: Any, noted: list[str]) -> None:
    out, losses = write("Hi", model, tools=[tool("look")], tool_choice=choice)
    assert out["toolConfig"].get("toolChoice") == written
    assert losses == noted


def test_no_tool_is_to_be_called() -> None:
    out, losses = write(tools=TOOLS, tool_choice="none")
    assert "toolConfig" not in out
    assert losses == ["tools[0]", "tools[1]"]
    history = [{"role": "user", "content": "Hi"}, calls(("c", "look", "{}")), result("c", "1")]
    out, losses = write(history, tools=TOOLS, tool_choice="none")
    assert len(out["toolConfig"]["tools"]) == 2  # the calls in the messages need theirs
    assert losses == ["tool_choice(none>auto)"]


def test_calls_without_tools_get_the_tools_they_need() -> None:
    history = [{"role": "user", "content": "Hi"}, calls(("c", "look", "{}")), result("c", "1")]
    out, _ = write(history)
    (spec,) = out["toolConfig"]["tools"]
    assert spec["toolSpec"]["name"] == "look"


def test_only_allowed_tools_go() -> None:
    one = {"type": "function", "function": {"name": "find"}}
    allowed = {"mode": "required", "tools": [one]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    out, losses = write(tools=TOOLS, tool_choice=choice)
    assert [one["toolSpec"]["name"] for one in out["toolConfig"]["tools"]] == ["find"]
    assert out["toolConfig"]["toolChoice"] == {"tool": {"name": "find"}}
    assert losses == ["tools[0]"]


def test_one_call_at_a_time() -> None:
    out, losses = write(tools=TOOLS, parallel_tool_calls=False)
    assert out[FIELDS]["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert losses == []
    _, losses = write("Hi", NOVA, tools=[tool("look")], parallel_tool_calls=False)
    assert losses == ["parallel_tool_calls"]


def test_a_name_that_bedrock_refuses_is_refused_by_place() -> None:
    with pytest.raises(InvalidRequest) as refused:
        write(tools=[tool("look"), tool("a.b")])
    assert refused.value.param == "tools[1]"


# ------------------------------------------------------------------------------
# Thinking
# ------------------------------------------------------------------------------


def test_a_budget() -> None:
    wish = {"max_tokens": 2000}
    out, losses = write(reasoning=wish, max_tokens=9000, temperature=0.5, tools=TOOLS)
    assert out[FIELDS]["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert losses == ["temperature"]
    _, losses = write(reasoning=wish, tools=TOOLS, tool_choice="required")
    assert losses == ["reasoning"]
    out, losses = write(reasoning={"max_tokens": 5000}, max_tokens=3000)
    assert out[FIELDS]["thinking"]["budget_tokens"] == 2999
    assert losses == ["reasoning.max_tokens(5000>2999)"]


def test_an_effort() -> None:
    out, losses = write("Hi", OPUS, reasoning_effort="xhigh")
    assert out[FIELDS] == {"thinking": {"type": "adaptive"}}
    assert out["outputConfig"] == {"effort": "xhigh"}
    assert losses == []
    out, losses = write("Hi", "openai.gpt-oss-120b-1:0", reasoning_effort="minimal")
    assert out[FIELDS] == {"reasoning_effort": "low"}
    assert losses == ["reasoning_effort(minimal>low)"]
    _, losses = write("Hi", NOVA, reasoning_effort="high")
    assert losses == ["reasoning_effort"]


def test_nova_thinks_hard_without_limits() -> None:
    out, losses = write("Hi", "us.amazon.nova-2-lite-v1:0", reasoning_effort="high", max_tokens=9)
    assert out[FIELDS]["reasoningConfig"] == {"type": "enabled", "maxReasoningEffort": "high"}
    assert "inferenceConfig" not in out
    assert losses == ["max_tokens"]


def test_thoughts_go_back_with_their_proof() -> None:
    def said(form: str) -> list[dict[str, Any]]:
        detail = {"type": "reasoning.text", "text": "Hm.", "signature": "sig", "format": form}
        hidden = {"type": "reasoning.encrypted", "data": "QUJD", "format": form}
        before = {"role": "assistant", "content": "A", "reasoning_details": [detail, hidden]}
        return [{"role": "user", "content": "Q"}, before, {"role": "user", "content": "R"}]

    for form in ("bedrock.converse", "anthropic.messages"):
        out, losses = write(said(form))
        assert out["messages"][1]["content"] == [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": "QUJD"}},
            {"text": "A"},
        ]
        assert losses == []
    out, losses = write(said("anthropic.messages"), NOVA)
    assert out["messages"][1]["content"] == [{"text": "A"}]
    assert losses == ["messages[1].reasoning_details[0]", "messages[1].reasoning_details[1]"]


def test_caching_marks_become_points_where_the_family_takes_them() -> None:
    def marked(text: str) -> list[dict[str, Any]]:
        hour = {"type": "ephemeral", "ttl": "1h"}
        return [{"type": "text", "text": text, "cache_control": hour}]

    messages = [
        {"role": "system", "content": marked("S")},
        {"role": "user", "content": marked("U")},
    ]
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    cached = tool("look") | {"cache_control": {"type": "ephemeral"}}
    out, losses = write(messages, CLAUDE, tools=[cached])
    assert out["system"] == [{"text": "S"}, point]
    assert out["messages"][0]["content"] == [{"text": "U"}, point]
    assert out["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert losses == []
    _, losses = write(messages, NOVA, tools=[cached])
    assert losses == ["tools[0].cache_control"]
    _, losses = write(messages, "us.meta.llama3-3-70b-instruct-v1:0")
    assert losses == [
        "messages[1].content[0].cache_control",
        "messages[0].content[0].cache_control",
    ]


# ------------------------------------------------------------------------------
# Recorded requests of OpenAI's dialect
# ------------------------------------------------------------------------------


def recorded() -> list[Any]:
    if not RECORDED.is_dir():
        return []
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return sorted({row["file"] for row in rows if row["dialect"] == "openai-chat"})


@pytest.mark.recorded
@pytest.mark.parametrize("file", recorded())
@pytest.mark.parametrize("model", [CLAUDE, NOVA, OPUS])
def test_recorded_requests_fit_the_published_types(file: str, model: str) -> None:
    recording = json.loads((RECORDED / file).read_text(encoding="utf-8"))
    if not recording["request"]:
        pytest.skip("the recording has no request")
    body = json.dumps(recording["request"]).encode()
    try:
        out, losses = written(body, model)
    except InvalidRequest as refused:
        assert refused.code == "unsupported_content"  # a URL that Bedrock cannot fetch
        assert b'"url": "http' in body or b'"file_data": "http' in body
        return
    said = json.dumps(out, ensure_ascii=False)
    for message in recording["request"]["messages"]:
        content = message.get("content")
        if isinstance(content, str) and content.strip():
            assert json.dumps(content, ensure_ascii=False)[1:-1] in said
        for call in message.get("tool_calls") or ():
            assert call["function"]["name"] in said
    sent = {
        t["toolSpec"]["name"] for t in out.get("toolConfig", {}).get("tools", ()) if "toolSpec" in t
    }
    for number, one in enumerate(recording["request"].get("tools") or ()):
        if "function" in one:
            assert one["function"]["name"] in sent or f"tools[{number}]" in losses
