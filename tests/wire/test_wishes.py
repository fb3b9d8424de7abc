from __future__ import annotations

from typing import Any

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.api.chat import ChatRequest
from gomodel_proxy.wire.effort import nearest
from gomodel_proxy.wire.wishes import drop_foreign, take_sampling, take_stops


def test_only_what_asks_for_something_is_noted() -> None:
    losses = Losses()
    request = ChatRequest("m", [], n=1, seed=3, store=True, names={"seed": "theirs"})
    drop_foreign(request, {"n": 1, "seed": None, "store": False, "user": None}, losses)
    assert losses.found == ("theirs", "store")


def test_stops_of_spaces_alone_are_left_out() -> None:
    losses = Losses()
    assert take_stops(ChatRequest("m", [], stop=["a", " \n", "b"]), losses) == ["a", "b"]
    assert losses.found == ("stop[1]",)
    assert take_stops(ChatRequest("m", []), losses) == []


@pytest.mark.parametrize(
    ("mode", "thinks", "given", "kept", "lost"),
    [
        ("all", False, {"top_p": 0.5, "top_k": 3}, {"top_p": 0.5, "top_k": 3}, ()),
        ("all", False, {"temperature": 2.0}, {"temperature": 1.0}, ("temperature(2.0>1.0)",)),
        ("one", False, {"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}, ("top_p",)),
        ("one", False, {"top_p": 0.5}, {"top_p": 0.5}, ()),
        ("none", False, {"top_p": 0.5}, {}, ("top_p",)),
        ("all", True, {"temperature": 0.5, "top_p": 0.95}, {"top_p": 0.95}, ("temperature",)),
        ("all", True, {"top_p": 0.5}, {}, ("top_p",)),
    ],
)
def test_sampling(mode: str, thinks: bool, given: Any, kept: Any, lost: Any) -> None:
    losses = Losses()
    assert take_sampling(ChatRequest("m", [], **given), mode, losses, thinks=thinks) == kept
    assert losses.found == lost


@pytest.mark.parametrize(
    ("effort", "taken", "level"),
    [
        ("high", ("low", "high"), "high"),
        ("max", ("low", "high"), "high"),
        ("minimal", ("low", "high"), "low"),
        ("medium", ("low", "high"), "low"),
        ("enormous", ("minimal", "medium", "max"), "medium"),
    ],
)
def test_the_nearest_level(effort: str, taken: tuple[str, ...], level: str) -> None:
    assert nearest(effort, taken) == level
