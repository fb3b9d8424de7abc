from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Asked, GatewayError, InvalidRequest, StoredItem
from gomodel_proxy.wire.openai_responses_history import ResponsesHistory

if TYPE_CHECKING:
    from collections.abc import Callable

HISTORY = ResponsesHistory()
BEFORE = [
    StoredItem("msg_1", b'{"type":"message","role":"user","content":"One"}'),
    StoredItem("rs_1", b'{"type":"reasoning","summary":[]}'),
    StoredItem("msg_2", b'{"type":"message","role":"assistant","content":"1"}'),
]


def body(**members: Any) -> bytes:
    return json.dumps({"model": "large", **members}).encode()


def namer() -> Callable[[str], str]:
    numbers = count(1)
    return lambda prefix: f"{prefix}{next(numbers)}"


@pytest.mark.parametrize(
    ("members", "asked"),
    [
        ({}, Asked()),
        ({"previous_response_id": None, "conversation": None, "store": None}, Asked()),
        ({"previous_response_id": "resp_1"}, Asked(previous="resp_1")),
        ({"conversation": "conv_1"}, Asked(conversation="conv_1")),
        ({"conversation": {"id": "conv_1"}}, Asked(conversation="conv_1")),
        ({"store": False, "background": True}, Asked(keep=False, background=True)),
        ({"store": True, "background": False}, Asked()),
    ],
)
def test_what_a_request_says_about_turns(members: dict[str, Any], asked: Asked) -> None:
    assert HISTORY.asked(body(**members)) == asked


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": 1}, "previous_response_id"),
        ({"conversation": 1}, "conversation"),
        ({"conversation": {}}, "conversation.id"),
    ],
)
def test_a_wrong_name_is_refused(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        HISTORY.asked(body(**members))
    assert caught.value.param == param


def test_earlier_items_come_first() -> None:
    asked = body(input="Two", previous_response_id="resp_1", store=True, background=False, top_p=1)
    written = HISTORY.write(asked, BEFORE, native=False)
    assert json.loads(written.body) == {
        "model": "large",
        "top_p": 1,
        "input": [
            *(json.loads(item.body) for item in BEFORE),
            {"type": "message", "role": "user", "content": "Two"},
        ],
    }
    assert written.losses == ()


def test_a_vendor_gets_no_thoughts_that_are_not_its_own() -> None:
    written = HISTORY.write(body(input=[], conversation="c", store=True), BEFORE, native=True)
    told = json.loads(written.body)
    assert [item["type"] for item in told["input"]] == ["message", "message"]
    assert told["store"] is True
    assert "conversation" not in told
    assert written.losses == ("history.reasoning",)


def test_a_text_stays_a_text_where_nothing_came_before() -> None:
    written = HISTORY.write(body(input="One", store=False), (), native=False)
    assert json.loads(written.body) == {"model": "large", "input": "One", "store": False}


def test_an_item_that_is_only_referred_to_is_not_sent_twice() -> None:
    references = [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"type": "item_reference", "id": "msg_9"},
    ]
    written = HISTORY.write(body(input=references), BEFORE, native=False)
    assert json.loads(written.body)["input"][3:] == references[2:]
    assert HISTORY.input(body(input=references), namer()) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            "Hello",
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Hello"}],
            },
        ),
        (
            [{"role": "assistant", "content": "Hi", "phase": "final_answer"}],
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
                "phase": "final_answer",
            },
        ),
        (
            [{"type": "function_call_output", "call_id": "c", "output": [], "status": None}],
            {"type": "function_call_output", "call_id": "c", "output": []},
        ),
    ],
)
def test_short_items_are_listed_in_full(given: Any, shown: dict[str, Any]) -> None:
    (item,) = HISTORY.input(body(input=given), namer())
    (listed,) = json.loads(HISTORY.listed([item]))
    assert listed.pop("id") == item.id
    assert item.id.endswith("_1")
    assert listed == {**shown, "status": "completed"}


def test_an_item_keeps_its_id_and_members() -> None:
    given = {"type": "new_thing", "id": "nt_1", "x": {"id": "inner"}, "big": 12345678901234567890}
    (item,) = HISTORY.input(body(input=[given]), namer())
    assert item.id == "nt_1"
    assert json.loads(HISTORY.listed([item])) == [given]


@pytest.mark.parametrize("wrong", [5, {"a": 1}, [5], [[]]])
def test_what_is_no_item_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="input"):
        HISTORY.input(body(input=wrong), namer())


def test_what_a_response_added() -> None:
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "content": []},
    ]
    items = HISTORY.output(json.dumps({"output": output}).encode(), namer())
    assert [item.id for item in items] == ["rs_1", "msg_1"]
    assert HISTORY.output(b'{"output":null}', namer()) == ()


def test_places_are_the_callers() -> None:
    told = "'input[4].content[1]' is not like 'input[2]'"
    assert HISTORY.place(told, 3) == "'input[1].content[1]' is not like 'history[2]'"
    assert HISTORY.place(told, 0) == told
    assert HISTORY.place("input_text", 1) == "input_text"


def test_a_response_that_broke_off_has_failed() -> None:
    begun = b'{"id":"resp_1","status":"in_progress","output":[],"error":null}'
    failed = json.loads(HISTORY.failed(begun, GatewayError("It was cut.")))
    assert failed["status"] == "failed"
    assert failed["error"] == {"code": "server_error", "message": "It was cut."}


class Seen:
    def __init__(self) -> None:
        self.responses: list[tuple[Any, bool]] = []

    def __call__(self, response: bytes, last: bool) -> None:
        self.responses.append((json.loads(response), last))


def event(kind: str, **members: Any) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": 7, **members})
    return f"event: {kind}\ndata: {data}\n\n".encode()


def test_every_response_object_in_a_stream_is_stamped() -> None:
    seen = Seen()
    stage = HISTORY.stage({"id": "resp_ours", "store": True}, seen)
    delta = event("response.output_text.delta", delta='say "response": {"id": 1}')
    given = {"id": "resp_theirs", "output": [], "new": 1}
    out = stage.feed(event("response.created", response=given) + delta)
    out += stage.feed(b": a comment\n\n" + event("response.completed", response=given, new=2))
    out += stage.close()
    assert delta in out
    assert b": a comment\n\n" in out
    events = [line for line in out.split(b"\n") if line.startswith(b"data: ")]
    first, _, last = (json.loads(line[6:]) for line in events)
    stamped = {**given, "id": "resp_ours", "store": True}
    assert first == {"type": "response.created", "sequence_number": 7, "response": stamped}
    assert last["new"] == 2
    assert seen.responses == [(stamped, False), (stamped, True)]
    assert out.startswith(b"event: response.created\ndata: ")


@pytest.mark.parametrize("kind", ["response.incomplete", "response.failed"])
def test_a_stream_may_end_otherwise(kind: str) -> None:
    seen = Seen()
    HISTORY.stage({}, seen).feed(event(kind, response={"id": "resp_1"}))
    assert seen.responses == [({"id": "resp_1"}, True)]


@pytest.mark.parametrize(
    "odd",
    [
        b'data: {"response"\n\n',
        b'data: {"type":5,"response":{}}\n\n',
        b'data: {"response":"text"}\n\n',
        b"data: [DONE]\n\n",
    ],
)
def test_what_is_no_response_object_passes(odd: bytes) -> None:
    seen = Seen()
    assert HISTORY.stage({"id": "resp_ours"}, seen).feed(odd) == odd
    assert seen.responses == []
