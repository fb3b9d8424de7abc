import msgspec
import pytest

from gomodel_proxy_sandbox import tokens

SAY = {"type": "function", "function": {"name": "say", "parameters": {
    "type": "object", "properties": {"times": {"type": "integer", "minimum": 3}},
    "required": ["times"]}}}  # fmt: skip
GO = {"type": "function", "function": {"name": "go"}}
SCHEMA = {"type": "object", "properties": {"ok": {"const": True}}, "required": ["ok"]}


def message(reply):
    return reply["choices"][0]["message"]


def test_echo_says_the_last_user_text(ask):
    parts = [{"type": "text", "text": "second "}, {"type": "text", "text": "part"}]
    reply, _ = ask.whole(
        "/v1/chat/completions",
        model="sandbox-echo",
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "first"},
            {"role": "user", "content": parts},
        ],
    )
    assert message(reply)["content"] == "second part"
    assert reply["usage"]["prompt_tokens"] == 2 + 1 + 1 + 2
    assert reply["usage"]["completion_tokens"] == 2
    assert reply["usage"]["total_tokens"] == 8


def test_the_same_request_gets_the_same_reply_and_another_another(ask):
    assert ask.chat("sandbox-text") == ask.chat("sandbox-text")
    assert ask.chat("sandbox-text")["id"] != ask.chat("sandbox-text", "Other")["id"]
    assert message(ask.chat("sandbox-text")) != message(ask.chat("sandbox-text", "Other"))


def test_faults_in_the_name_leave_the_answer_alone(ask):
    assert message(ask.chat("sandbox-text+gap=1ms")) == message(ask.chat("sandbox-text"))


def test_n_answers_differ_and_are_all_counted(ask):
    reply = ask.chat("sandbox-text", n=3)
    said = [choice["message"]["content"] for choice in reply["choices"]]
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2]
    assert len(set(said)) == 3
    assert reply["usage"]["completion_tokens"] == sum(map(tokens.count, said))


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_the_answer(ask, name):
    reply = ask.chat("sandbox-echo", "one two three four", **{name: 2})
    assert message(reply)["content"] == "one two"
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 2
    assert ask.chat("sandbox-echo", "one two", **{name: 2})["choices"][0]["finish_reason"] == "stop"


def test_stop_ends_the_answer_before_it(ask):
    reply = ask.chat("sandbox-echo", "one two three", stop=["three", " two"])
    assert message(reply)["content"] == "one"
    assert reply["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("members", "called"),
    [
        ({}, ["say"]),
        ({"tool_choice": "auto"}, ["say"]),
        ({"tool_choice": "none"}, []),
        ({"tool_choice": "required"}, ["say"]),
        ({"tool_choice": GO}, ["go"]),
        ({"parallel_tool_calls": True}, ["say", "go"]),
        ({"parallel_tool_calls": False}, ["say"]),
    ],
)
def test_tools_are_called_as_asked(ask, members, called):
    choice = ask.chat("sandbox-tools", tools=[SAY, GO], **members)["choices"][0]
    calls = choice["message"].get("tool_calls", [])
    assert [call["function"]["name"] for call in calls] == called
    assert choice["finish_reason"] == ("tool_calls" if called else "stop")
    assert len({call["id"] for call in calls}) == len(calls)
    for call in calls:
        arguments = msgspec.json.decode(call["function"]["arguments"])
        assert arguments.get("times", 3) >= 3 and isinstance(arguments, dict)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What is f(3), or f(4)?", {"n": 3}),
        ("Call 'Zoë' -12 times", {"n": -12, "name": "Zoë"}),
        ("It's 1.5 or v2", {}),
    ],
)
def test_a_question_names_arguments(ask, text, named):
    number = {"type": "integer", "exclusiveMinimum": -20, "exclusiveMaximum": 9}
    members = {"name": {"type": "string"}, "n": number, "most": {"type": "integer"}}
    function = {"name": "f", "parameters": {"type": "object", "properties": members}}
    reply = ask.chat("sandbox-tools", text, tools=[{"type": "function", "function": function}])
    (call,) = message(reply)["tool_calls"]
    made = msgspec.json.decode(call["function"]["arguments"])
    left = {name: made[name] for name in made if made[name] in (3, -12, "Zoë")}
    assert left == named


def test_a_tool_result_is_answered_with_text(ask):
    call = {"id": "call_1", "type": "function", "function": {"name": "say", "arguments": "{}"}}
    reply, _ = ask.whole(
        "/v1/chat/completions",
        model="sandbox-tools",
        tools=[SAY],
        messages=[
            {"role": "user", "content": "Go"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "42 degrees"},
        ],
    )
    assert message(reply)["content"] == "The tool answered: 42 degrees"


def test_only_the_tools_model_calls_by_itself_but_all_obey(ask):
    assert "tool_calls" not in message(ask.chat("sandbox-echo", tools=[SAY]))
    assert message(ask.chat("sandbox-echo", tools=[SAY], tool_choice="required"))["tool_calls"]


@pytest.mark.parametrize("model", ["sandbox-echo", "sandbox-text", "sandbox-reasoning"])
def test_every_model_answers_a_schema(ask, model):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    assert msgspec.json.decode(message(ask.chat(model, response_format=form))["content"]) == {
        "ok": True
    }
    loose = message(ask.chat(model, response_format={"type": "json_object"}))["content"]
    assert isinstance(msgspec.json.decode(loose), dict)
    reply, _ = ask.whole(
        "/v1/responses",
        model=model,
        input="Hi",
        text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}},
    )
    assert msgspec.json.decode(reply["output"][-1]["content"][0]["text"]) == {"ok": True}


def test_reasoning_is_shown_and_counted(ask):
    reply = ask.chat("sandbox-reasoning")
    thought, said = message(reply)["reasoning_content"], message(reply)["content"]
    details = reply["usage"]["completion_tokens_details"]
    assert details["reasoning_tokens"] == tokens.count(thought) > 0
    assert reply["usage"]["completion_tokens"] == tokens.count(thought) + tokens.count(said)


def test_events_and_size_shape_the_text(ask):
    assert len(message(ask.chat("sandbox-text+size=50000"))["content"]) == 50_000
    pieces = [
        delta["content"]
        for event in ask.chat_stream("sandbox-text+events=200+size=50000")[:-1]
        for choice in msgspec.json.decode(event[6:])["choices"]
        if (delta := choice["delta"]).get("content")
    ]
    assert len(pieces) == 200
    assert sum(map(len, pieces)) == 50_000
    assert ask.chat("sandbox-echo+events=200")["usage"]["completion_tokens"] == 200
