from __future__ import annotations

import pytest
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import Message, Part, Text, ToolCall, ToolResult
from gomodel_proxy.wire.turns import Turn, extend, pair_up, worded

CALL = ToolCall("c", "look", at="call")
RESULT = ToolResult("c", [Text("it")], at="result")


def test_one_side_goes_on_until_the_other_speaks() -> None:
    turns: list[Turn] = []
    said: list[Message] = [
        Message("user", [Text("a")], at="0"),
        Message("user", [], at="1"),
        Message("assistant", [CALL], at="2"),
        Message("tool", [RESULT], at="3"),
        Message("user", [Text("b")], at="4"),
    ]
    for message in said:
        extend(turns, message, worded(message, Losses()))
    assert [(turn.role, turn.at, turn.parts) for turn in turns] == [
        ("user", "0", [Text("a")]),
        ("assistant", "2", [CALL]),
        ("user", "3", [RESULT, Text("b")]),
    ]


def test_what_a_turn_has_no_place_for_is_noted() -> None:
    losses = Losses()
    mark = Raw(b'{"type":"ephemeral"}')
    message = Message(
        "user", [Text("a"), Text("")], name="n", item="i", cache=mark, at="m", extra={"x": mark}
    )
    (part,) = worded(message, losses)
    assert losses.found == ("m.name", "m.id", "m.x")
    assert isinstance(part, Text)
    assert part.cache == mark
    worded(Message("user", [Text("")], cache=mark, at="n"), losses)
    assert losses.found[-1] == "n.cache_control"


def test_results_come_first() -> None:
    turn = Turn("user", "1", [Text("b"), RESULT])
    pair_up([Turn("assistant", "0", [CALL]), turn], unanswered=False)
    assert turn.parts == [RESULT, Text("b")]


@pytest.mark.parametrize(
    ("turns", "at"),
    [
        ([("user", [RESULT])], "result"),
        ([("assistant", [CALL]), ("user", [RESULT, RESULT])], "result"),
        ([("assistant", [CALL]), ("user", [Text("b")])], "call"),
        ([("assistant", [CALL]), ("user", []), ("assistant", []), ("user", [RESULT])], "call"),
    ],
)
def test_calls_and_results_must_pair_up(turns: list[tuple[str, list[Part]]], at: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        pair_up([Turn(role, "", parts) for role, parts in turns], unanswered=True)
    assert refused.value.param == at


def test_the_last_calls_may_wait_where_the_dialect_lets_them() -> None:
    turns = [Turn("assistant", "0", [CALL])]
    pair_up(turns, unanswered=True)
    with pytest.raises(InvalidRequest, match="call without its result"):
        pair_up(turns, unanswered=False)
