from __future__ import annotations

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Message, ToolCall, ToolResult
from gomodel_proxy.wire.tool_order import refuse_orphans


def turns(order: str) -> list[Message]:
    """Return a history: a capital letter calls, a small one is a result."""
    return [
        Message(role="assistant", parts=[ToolCall(one, "f")])
        if one.isupper()
        else Message(role="tool", parts=[ToolResult(one.upper(), at=f"messages[{number}]")])
        for number, one in enumerate(order)
    ]


@pytest.mark.parametrize("order", ["", "A", "Aa", "ABba", "AaAa", "AAaa"])
def test_results_after_their_calls_are_well(order: str) -> None:
    refuse_orphans(turns(order))


@pytest.mark.parametrize(
    ("order", "at", "why"),
    [("a", 0, "nothing"), ("Ab", 1, "nothing"), ("aA", 0, "nothing"), ("Aaa", 2, "already")],
)
def test_a_result_without_a_call_of_its_own_is_named(order: str, at: int, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        refuse_orphans(turns(order))
    assert refused.value.param == f"messages[{at}]"
