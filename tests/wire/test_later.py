"""Modules that wait until they are used."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.wire.later import later

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAVY = """
from gate import began, go
began.set()
assert go.wait(10)
VALUE = object()
"""


class Gate(ModuleType):
    """What the heavy module waits for."""

    def __init__(self) -> None:
        super().__init__("gate")
        self.began = threading.Event()
        self.go = threading.Event()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    package = tmp_path / "waiting"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "heavy.py").write_text(HEAVY)
    gate = Gate()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "gate", gate)
    yield gate
    for name in ("waiting", "waiting.heavy"):
        sys.modules.pop(name, None)


def test_a_module_is_imported_when_it_is_first_used(gate: Gate) -> None:
    (heavy,) = later("waiting", "heavy")
    assert "waiting.heavy" not in sys.modules
    gate.go.set()
    value = heavy.VALUE
    assert value is sys.modules["waiting.heavy"].VALUE
    assert heavy.VALUE is value


def test_what_a_module_does_not_have_is_missed_as_always(gate: Gate) -> None:
    gate.go.set()
    (heavy,) = later("waiting", "heavy")
    with pytest.raises(AttributeError, match=r"'waiting\.heavy' has no attribute 'WORTH'"):
        _ = heavy.WORTH


def test_nobody_sees_a_module_that_is_still_being_imported(gate: Gate) -> None:
    (heavy,) = later("waiting", "heavy")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: heavy.VALUE)
        assert gate.began.wait(10)
        second = threads.submit(lambda: heavy.VALUE)
        gate.go.set()
        assert first.result(10) is second.result(10)
