"""Requests of Anthropic's callers, read into the neutral model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import ChatRequest, Media, Opaque, Reasoning, Text, ToolCall, ToolResult
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_anthropic.codec import MessagesCodec

MARK = {"type": "ephemeral", "ttl": "1h"}


def read(*messages: Any, **more: Any) -> ChatRequest:
    body = {"model": "m", "max_tokens": 9, "messages": list(messages), **more}
    return MessagesCodec().read_request(json.dumps(body).encode())


def block(role: str = "user", **members: Any) -> Any:
    """Return the part that one block is read as."""
    (message,) = read({"role": role, "content": [members]}).messages
    (part,) = message.parts
    assert part.at == "messages[0].content[0]"
    return part


def chat(**more: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a request as OpenAI's chat gets it, and the losses."""
    request = read({"role": "user", "content": "Hi"}, **more)
    losses = Losses()
    return json.loads(ChatCodec().write_request(request, traits={}, losses=losses)), losses.found


def test_a_text_and_a_system_prompt() -> None:
    request = read({"role": "user", "content": "Hi"}, system="Be kind.", temperature=0.5, top_k=3)
    system, user = request.messages
    assert (system.role, system.parts[0].at) == ("system", "system")
    assert isinstance(user.parts[0], Text)
    assert (request.max_tokens, request.temperature, request.top_k) == (9, 0.5, 3)


def test_marks_are_kept_at_every_level() -> None:
    request = read(
        {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": MARK}]},
        system=[{"type": "text", "text": "Kind", "cache_control": MARK}],
        tools=[{"name": "f", "input_schema": {"type": "object"}, "cache_control": MARK}],
        cache_control=MARK,
    )
    marked = [*(m.parts[0] for m in request.messages), *request.tools, request]
    assert [json.loads(bytes(one.cache or b"")) for one in marked] == [MARK] * 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({"type": "base64", "media_type": "image/png", "data": "AA"}, {"data": "AA"}),
        ({"type": "url", "url": "https://x.test"}, {"url": "https://x.test"}),
        ({"type": "file", "file_id": "f1"}, {"file_id": "f1"}),
        ({"type": "text", "media_type": "text/plain", "data": "Hi"}, {"text": "Hi"}),
    ],
)
@pytest.mark.parametrize("kind", ["image", "document"])
def test_media(kind: str, source: dict[str, str], found: dict[str, str]) -> None:
    part = block(type=kind, source=source, title="T", context="C")
    assert isinstance(part, Media)
    assert {name: getattr(part, name) for name in found} == found
    assert (part.kind, part.name, dict(part.extra)) == (kind, "T", {"context": Raw(b'"C"')})


def test_a_document_of_blocks_is_anthropics_alone() -> None:
    content = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    part = block(type="document", title="T", source={"type": "content", "content": content})
    assert isinstance(part, Opaque)
    assert part.text == "T\none\ntwo"


def test_calls_and_their_results() -> None:
    call = block("assistant", type="tool_use", id="c", name="f", input={"a": [1.50]})
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == {"a": [1.5]}
    request = read(
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c", "content": "one", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "d",
                    "content": [{"type": "image", "source": {"type": "url", "url": "u"}}],
                },
                {"type": "text", "text": "So?"},
            ],
        }
    )
    results, user = request.messages
    assert (results.role, user.role) == ("tool", "user")
    one, other = results.parts
    assert isinstance(one, ToolResult)
    assert isinstance(other, ToolResult)
    assert (one.call, one.error, one.parts[0].at) == ("c", True, "messages[0].content[0].content")
    assert isinstance(other.parts[0], Media)


def test_thoughts() -> None:
    thought = block("assistant", type="thinking", thinking="Hm", signature="S")
    hidden = block("assistant", type="redacted_thinking", data="D")
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.signature, thought.dialect) == ("Hm", "S", "anthropic.messages")
    assert (hidden.encrypted, hidden.redacted) == ("D", True)


@pytest.mark.parametrize(
    "kind",
    ["server_tool_use", "bash_code_execution_tool_result", "container_upload", "mcp_tool_use"],
)
def test_blocks_of_anthropics_own_are_kept_as_they_came(kind: str) -> None:
    part = block("assistant", type=kind, id="x", input={"a": 1})
    assert isinstance(part, Opaque)
    assert json.loads(bytes(part.raw)) == {"type": kind, "id": "x", "input": {"a": 1}}


def test_a_search_result_can_be_said() -> None:
    content = [{"type": "text", "text": "Fact."}]
    part = block(type="search_result", source="https://x.test", title="T", content=content)
    assert part.text == "T\nhttps://x.test\nFact."


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([{"role": "user", "content": [{"type": "hologram"}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "user", "content": [{"type": "image"}]}], "messages[0].content[0].source"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        (
            [{"role": "assistant", "content": [{"type": "tool_use", "input": "x"}]}],
            "messages[0].content[0].input",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_place(messages: list[Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(*messages)
    assert caught.value.param == place
    assert place in caught.value.message


def test_tools_and_choices_for_others() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    written, losses = chat(
        tools=[
            {"name": "f", "description": "d", "input_schema": schema, "strict": True},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    )
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    assert written["tools"] == [{"type": "function", "function": function}]
    assert written["tool_choice"] == "required"
    assert written["parallel_tool_calls"] is False
    assert losses == ("tools[1]",)


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_choices(choice: Any, written: Any) -> None:
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    assert chat(tools=tools, tool_choice=choice)[0]["tool_choice"] == written


def test_a_schema_for_the_answer_under_both_names() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    for given in ({"output_config": {"format": form}}, {"output_format": form}):
        written, losses = chat(**given)
        assert written["response_format"]["json_schema"]["schema"] == {"type": "object"}
        assert losses == ()


@pytest.mark.parametrize(
    ("given", "effort", "losses"),
    [
        ({"output_config": {"effort": "high"}}, "high", ()),
        ({"thinking": {"type": "disabled"}}, "none", ()),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "max", ()),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 15000}},
            "medium",
            ("thinking.budget_tokens(15000>medium)",),
        ),
        ({"thinking": {"type": "between_tools"}}, None, ("thinking.type",)),
        ({"thinking": {"kept": "all"}}, None, ("thinking.kept",)),
    ],
)
def test_thinking_for_others(given: Any, effort: str | None, losses: tuple[str, ...]) -> None:
    written, found = chat(**given)
    assert (written.get("reasoning_effort"), found) == (effort, losses)


def test_every_loss_has_the_callers_name() -> None:
    _, losses = chat(
        container="c1",
        mcp_servers=[],
        output_config={"task_budget": {"type": "tokens", "total": 5}},
        metadata={"user_id": "u", "more": 1},
        speed=None,
        cache_control=MARK,
    )
    assert set(losses) == {
        "container",
        "mcp_servers",
        "output_config.task_budget",
        "metadata.more",
        "cache_control",
    }
