"""Requests of the dialect, read into the neutral model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    ChatRequest,
    Media,
    Opaque,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from gomodel_proxy_gemini.codec import GeminiCodec


def read(**members: Any) -> ChatRequest:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **members}
    return GeminiCodec().read_request(json.dumps(body).encode())


def parts(*given: Any, role: str = "user") -> list[Any]:
    request = read(contents=[{"role": role, "parts": list(given)}])
    return [part for message in request.messages for part in message.parts]


def test_both_spellings_say_the_same() -> None:
    camel = read(
        systemInstruction={"parts": [{"text": "Be brief."}]},
        generationConfig={"maxOutputTokens": 5, "topK": 40.0, "stopSequences": ["a"]},
        contents=[{"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}],
    )
    snake = read(
        system_instruction={"parts": {"text": "Be brief."}},
        generation_config={"max_output_tokens": 5, "top_k": 40, "stop_sequences": ["a"]},
        contents={"parts": [{"inline_data": {"mime_type": "image/png", "data": "AA=="}}]},
    )
    for request in (camel, snake):
        assert (request.max_tokens, request.top_k, request.stop) == (5, 40, ["a"])
        assert [message.role for message in request.messages] == ["system", "user"]
        (picture,) = request.messages[1].parts
        assert isinstance(picture, Media)
        assert (picture.kind, picture.media_type, picture.data) == ("image", "image/png", "AA==")
    assert camel.names["max_tokens"] == "generationConfig.maxOutputTokens"
    assert snake.names["max_tokens"] == "generation_config.max_output_tokens"


def test_errors_name_the_place_as_it_was_written() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(contents=[{"parts": [{"inline_data": {"mime_type": 5, "data": "AA=="}}]}])
    assert caught.value.param == "contents[0].parts[0].inline_data.mime_type"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"role": "critic", "parts": [{"text": "a"}]}, "contents[0].role"),
        ({"parts": [{"text": "a"}, {"hologram": {}}]}, "contents[0].parts[1]"),
        ({"parts": [{}]}, "contents[0].parts[0]"),
        ({"parts": [{"functionCall": {"args": {}}}]}, "contents[0].parts[0].functionCall.name"),
        (
            {"parts": [{"functionCall": {"name": "f", "args": []}}]},
            "contents[0].parts[0].functionCall.args",
        ),
        (
            {"parts": [{"functionResponse": {"name": "f", "response": "x"}}]},
            "contents[0].parts[0].functionResponse.response",
        ),
    ],
)
def test_what_the_dialect_does_not_define_is_refused(content: Any, place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(contents=[content])
    assert caught.value.param == place


def test_media_by_type_and_source() -> None:
    own = "https://generativelanguage.googleapis.com/v1beta/files/abc"
    found = parts(
        {"inlineData": {"mimeType": "text/plain", "data": "_-8"}},
        {"fileData": {"fileUri": own, "mimeType": "audio/mpeg"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"fps": 1}},
    )
    assert [(one.kind, one.data, one.file_id, one.url) for one in found] == [
        ("document", "/+8=", None, None),
        ("audio", None, own, None),
        ("video", None, None, "https://youtu.be/x"),
    ]
    assert found[2].at == "contents[0].parts[2]"
    assert bytes(found[2].extra["videoMetadata"]) == b'{"fps": 1}'


def test_thoughts_and_signatures() -> None:
    thought, text, lone = parts(
        {"text": "Hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "Yes", "thoughtSignature": "c2ln"},
        {"thoughtSignature": "c2ln"},
        role="model",
    )
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.signature, thought.dialect) == ("Hm", "c2ln", "gemini.generate")
    assert isinstance(text, Text)
    assert (text.text, text.signature) == ("Yes", "c2ln")
    assert (lone.text, lone.signature) == ("", "c2ln")


def conversation(*contents: tuple[str, Any]) -> list[Any]:
    request = read(contents=[{"role": role, "parts": [part]} for role, part in contents])
    return [part for message in request.messages for part in message.parts]


def test_calls_without_ids_pair_up_by_name_in_order() -> None:
    call = ("model", {"functionCall": {"name": "f", "args": {"a": 1}}})
    other = ("model", {"functionCall": {"name": "g"}})
    result = ("user", {"functionResponse": {"name": "f", "response": {"output": "1"}}})
    answer = ("user", {"functionResponse": {"name": "g", "response": {"b": 2}}})
    contents = (call, other, call, answer, result, result)
    first, g, second, of_g, *of_f = conversation(*contents)
    assert [part.arguments for part in (first, g, second)] == ['{"a": 1}', "{}", '{"a": 1}']
    assert len({first.id, g.id, second.id}) == 3
    assert of_g.call == g.id
    assert [part.call for part in of_f] == [first.id, second.id]
    assert [part.id for part in conversation(*contents)[:3]] == [first.id, g.id, second.id]


def test_given_ids_are_kept() -> None:
    call, result = conversation(
        ("model", {"functionCall": {"id": "x", "name": "f"}}),
        ("user", {"functionResponse": {"id": "x", "name": "f", "response": {}}}),
    )
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.id, result.call) == ("x", "x")


@pytest.mark.parametrize(
    ("response", "text", "error"),
    [
        ({"output": "fine"}, "fine", None),
        ({"result": [1, 2]}, "[1, 2]", None),
        ({"error": "broken"}, "broken", True),
        ({"temp": 3}, '{"temp": 3}', None),
        ({"output": "a", "more": 1}, '{"output": "a", "more": 1}', None),
    ],
)
def test_results(response: Any, text: str, error: bool | None) -> None:
    media = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    given = {"name": "f", "response": response, "parts": [media], "scheduling": "SILENT"}
    (result,) = parts({"functionResponse": given})
    said, picture = result.parts
    assert (said.text, result.error, picture.kind) == (text, error, "image")
    assert set(result.extra) == {"scheduling"}


def test_results_beside_other_parts_are_messages_of_their_own() -> None:
    result = {"functionResponse": {"name": "f", "response": {}}}
    content = {"parts": [{"text": "a"}, result, result, {"text": "b"}]}
    request = read(contents=[content])
    assert [(m.role, len(m.parts)) for m in request.messages] == [
        ("user", 1),
        ("tool", 2),
        ("user", 1),
    ]


def test_built_in_tools_are_opaque() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "cw"}
    (part,) = parts(code, role="model")
    assert isinstance(part, Opaque)
    assert (part.type, part.text, json.loads(bytes(part.raw))) == (
        "executableCode",
        "print(1)",
        code,
    )
    search, function = {"googleSearch": {}}, {"functionDeclarations": [{"name": "f"}]}
    tools = read(tools=[{**search, **function}]).tools
    assert [(tool.kind, tool.name) for tool in tools] == [
        ("function", "f"),
        ("builtin", "googleSearch"),
    ]
    assert tools[1].at == "tools[0].googleSearch"


def schema_of(tool: Tool) -> Any:
    assert tool.schema is not None
    return json.loads(bytes(tool.schema))


def test_schemas_become_json_schema() -> None:
    own = {
        "type": "OBJECT",
        "propertyOrdering": ["b", "a"],
        "properties": {
            "a": {"type": "STRING", "nullable": True, "enum": ["x"]},
            "b": {"type": "ARRAY", "min_items": "2", "items": {"type": "INTEGER"}},
            "type": {"any_of": [{"type": "NUMBER"}], "nullable": True, "default": "STRING"},
        },
    }
    (tool,) = read(tools=[{"functionDeclarations": [{"name": "f", "parameters": own}]}]).tools
    got = schema_of(tool)
    assert list(got["properties"]) == ["b", "a", "type"]
    assert got == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "minItems": 2, "items": {"type": "integer"}},
            "type": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": "STRING"},
        },
    }
    given = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    declared = {"name": "f", "parametersJsonSchema": given}
    (tool,) = read(tools=[{"functionDeclarations": [declared]}]).tools
    assert schema_of(tool) == given


@pytest.mark.parametrize(
    ("config", "mode", "names"),
    [
        ({}, "auto", []),
        ({"mode": "AUTO"}, "auto", []),
        ({"mode": "any"}, "required", []),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, "named", ["f"]),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, "required", ["f", "g"]),
        ({"mode": "NONE"}, "none", []),
        ({"mode": "VALIDATED"}, "auto", []),
    ],
)
def test_the_choice_of_tools(config: Any, mode: str, names: list[str]) -> None:
    choice = read(toolConfig={"functionCallingConfig": config}).tool_choice
    assert choice is not None
    assert (choice.mode, choice.names) == (mode, names)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="MAYBE"):
        read(toolConfig={"functionCallingConfig": {"mode": "MAYBE"}})


@pytest.mark.parametrize(
    ("config", "wish"),
    [
        ({"thinkingBudget": 0}, {"enabled": False}),
        ({"thinkingBudget": -1}, {"enabled": True, "adaptive": True}),
        ({"thinkingBudget": 512}, {"enabled": True, "budget": 512}),
        ({"thinkingLevel": "LOW"}, {"enabled": True, "effort": "low"}),
        ({"includeThoughts": True}, {"shown": True}),
    ],
)
def test_how_much_to_think(config: Any, wish: dict[str, Any]) -> None:
    found = read(generationConfig={"thinkingConfig": config}).reasoning
    assert found is not None
    names = ("enabled", "adaptive", "effort", "budget", "shown")
    want = {"enabled": None, "adaptive": False, "effort": None, "budget": None, "shown": None}
    assert {name: getattr(found, name) for name in names} == want | wish


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, "text"),
        ({"responseMimeType": "application/json"}, "json_object"),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
            "json_schema",
        ),
        ({"responseJsonSchema": {"type": "object"}}, "json_schema"),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}, "raw"),
    ],
)
def test_the_form_of_the_answer(config: Any, kind: str | None) -> None:
    form = read(generationConfig=config).format
    assert (form and form.kind) == kind


def test_what_has_no_place_is_kept() -> None:
    request = read(
        safetySettings=[],
        generationConfig={"mediaResolution": "X"},
        toolConfig={"retrievalConfig": {}},
        serviceTier="standard",
    )
    assert set(request.extra) == {
        "safetySettings",
        "generationConfig.mediaResolution",
        "toolConfig.retrievalConfig",
    }
    assert request.service_tier == "default"
