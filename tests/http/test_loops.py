"""Which event loop serves: the one that is asked for, uvloop if nothing is said and it is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest
import uvloop

from gomodel_proxy.http import loops
from gomodel_proxy.http.loops import factory, name
from gomodel_proxy.testing.processes import GatewayProcess

if TYPE_CHECKING:
    from pathlib import Path


def test_auto_is_uvloop_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert factory("auto") is uvloop.new_event_loop
    monkeypatch.setattr(loops, "find_spec", lambda name: None)
    assert factory("auto") is asyncio.new_event_loop


@pytest.mark.parametrize(
    ("choice", "loop"), [("auto", "uvloop"), ("asyncio", "asyncio"), ("uvloop", "uvloop")]
)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_and_its_workers_say_which_loop_they_run(
    tmp_path: Path, choice: Literal["auto", "asyncio", "uvloop"], loop: str, workers: int
) -> None:
    made = factory(choice)()
    assert name(made) == loop
    made.close()
    config = tmp_path / "gateway.toml"
    config.write_text(
        f'[server]\nport = 0\nworkers = {workers}\nloop = "{choice}"\n'
        '[providers.sandbox]\ntype = "sandbox"\n[accounting]\njournal = "journal"\n'
    )
    with GatewayProcess(config) as gateway:
        assert gateway.stop() == 0
    lines = [line for line in gateway.output.splitlines() if "server.listening" in line]
    assert lines
    assert all(f'"loop":"{loop}"' in line for line in lines)
