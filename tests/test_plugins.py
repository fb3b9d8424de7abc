"""Plugins: discovery, admission, quarantine, and what the loaded ones offer."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from gomodel_proxy.api import ConfigError, Kind
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.plugins import Plugins
from gomodel_proxy.plugins.compiled import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.plugins import PluginState

Install = Any

GOOD = """
    from contextlib import asynccontextmanager
    from gomodel_proxy.api import Kind, ProviderConfig
    from gomodel_proxy.hookspecs import hookimpl

    @asynccontextmanager
    async def start(config, runtime):
        yield

    @hookimpl
    def gomodel_providers():
        return [Kind("acme", ProviderConfig, start)]
"""


class Empty(msgspec.Struct):
    pass


@asynccontextmanager
async def start(config: Any, runtime: Any) -> Any:
    yield None


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    module = ModuleType("made")
    for name, function in hooks.items():
        setattr(module, name, hookimpl(function))
    return module


def state(plugins: Plugins, name: str) -> PluginState:
    return next(one for one in plugins.report() if one.name == name)


# ---------------------------------------------------------------- discovery


def test_discovery_imports_nothing(distribution: Install) -> None:
    module = distribution("acme", "raise AssertionError('imported')", version="2.3")
    plugins = Plugins()
    plugins.discover()
    found = state(plugins, "acme")
    assert (found.distribution, found.version, found.state) == ("acme", "2.3", "off")
    assert module not in sys.modules


def test_a_named_plugin_is_on_and_offers_its_kinds(distribution: Install) -> None:
    distribution("acme", GOOD)
    plugins = Plugins()
    assert plugins.kinds("gomodel_providers") == {}
    plugins.need("acme")
    assert state(plugins, "acme").state == "on"
    kind, owner = plugins.kinds("gomodel_providers")["acme"]
    assert (kind.name, owner) == ("acme", "acme")
    assert plugins.kinds("gomodel_stores") == {}


def test_two_distributions_cannot_claim_one_name(distribution: Install) -> None:
    distribution("acme-one", GOOD, "acme")
    distribution("acme-two", GOOD, "acme")
    plugins = Plugins()
    plugins.load(["acme"])
    found = state(plugins, "acme")
    assert found.state == "conflict"
    assert "acme-one and acme-two" in (found.error or "")
    assert plugins.kinds("gomodel_providers") == {}
    with pytest.raises(ConfigError, match="acme-one and acme-two"):
        plugins.need("acme")


def test_one_module_may_have_several_names(distribution: Install) -> None:
    distribution("acme", GOOD, "acme", "acme_eu")
    plugins = Plugins()
    plugins.load(["acme", "acme_eu"])
    assert [state(plugins, name).state for name in ("acme", "acme_eu")] == ["on", "on"]
    assert list(plugins.kinds("gomodel_providers")) == ["acme"]


def test_a_missing_plugin_is_answered_with_its_package() -> None:
    with pytest.raises(ConfigError, match=r"pip install gomodel-proxy-no-such-thing\b"):
        Plugins().need("no_such_thing")


def test_a_misspelt_name_is_answered_with_the_right_one(distribution: Install) -> None:
    distribution("acme", GOOD)
    with pytest.raises(ConfigError, match="did you mean 'acme'"):
        Plugins().need("amce")


def test_two_gateways_share_nothing(distribution: Install) -> None:
    distribution("acme", GOOD)
    one, two = Plugins(), Plugins()
    one.need("acme")
    one.add(plugin(gomodel_observe=lambda call: None), "watch")
    assert two.kinds("gomodel_providers") == {}
    assert two.calls("gomodel_observe") == ()
    assert state(two, "acme").state == "off"


# ---------------------------------------------------------------- quarantine

HOOK = "from gomodel_proxy.hookspecs import hookimpl\n"
BROKEN = {
    "import": ("1 / 0", "ZeroDivisionError"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "misspelt hook": (HOOK + "@hookimpl\ndef gomodel_provders(): ...", "gomodel_provders"),
    "unknown argument": (HOOK + "@hookimpl\ndef gomodel_observe(cal): ...", "cal"),
    "other contract": ("GOMODEL_API = 2", "GOMODEL_API 2"),
    "wrapper": (HOOK + "@hookimpl(wrapper=True)\ndef gomodel_observe(call): yield", "wrapper"),
    "old wrapper": (HOOK + "@hookimpl(hookwrapper=True)\ndef gomodel_stream(): yield", "wrapper"),
    "coroutine": (HOOK + "@hookimpl\nasync def gomodel_observe(call): ...", "coroutine"),
    "raising hook": (HOOK + "@hookimpl\ndef gomodel_stores(): raise OSError('disk')", "disk"),
    "no kind": (HOOK + "@hookimpl\ndef gomodel_stores(): return [7]", "no Kind"),
    "other settings": (
        HOOK + "import msgspec\nfrom gomodel_proxy.api import Kind\n"
        "class Bare(msgspec.Struct): ...\n"
        "@hookimpl\ndef gomodel_providers(): return [Kind('x', Bare, None)]",
        "ProviderConfig",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_fails_alone(case: str, distribution: Install) -> None:
    source, reason = BROKEN[case]
    also = f"\n{HOOK}\n@hookimpl\ndef gomodel_dialects(): return ['mine']\n"
    distribution("broken", source + also)
    distribution("acme", GOOD)
    plugins = Plugins()
    plugins.load(["broken", "acme"])
    failed = state(plugins, "broken")
    assert failed.state == "failed"
    assert "Traceback (most recent call last)" in (failed.error or "")
    assert reason in (failed.error or "")
    assert plugins.objects("gomodel_dialects") == []
    assert list(plugins.kinds("gomodel_providers")) == ["acme"]
    with pytest.raises(ConfigError, match="gomodel-proxy plugins"):
        plugins.need("broken")


def test_the_need_of_a_broken_plugin_tells_its_last_line(distribution: Install) -> None:
    distribution("broken", "import module_that_is_not_there")
    with pytest.raises(ConfigError, match="No module named 'module_that_is_not_there'"):
        Plugins().need("broken")


def test_an_optional_hook_of_a_later_contract_is_fine(distribution: Install) -> None:
    distribution("acme", HOOK + "@hookimpl(optionalhook=True)\ndef gomodel_later(x): ...")
    plugins = Plugins()
    plugins.need("acme")
    assert state(plugins, "acme").state == "on"


def test_a_plugin_that_raises_when_asked_later_is_quarantined() -> None:
    def broken() -> Any:
        yield "half"
        raise OSError("gone")

    plugins = Plugins()
    plugins.add(plugin(gomodel_dialects=lambda: ["good"]), "good")
    plugins.add(plugin(gomodel_dialects=broken, gomodel_observe=lambda call: 1), "bad")
    assert plugins.objects("gomodel_dialects") == ["good"]
    assert state(plugins, "bad").state == "failed"
    assert plugins.calls("gomodel_observe") == ()


# ---------------------------------------------------------------- added objects


def test_an_added_object_serves_at_once() -> None:
    plugins = Plugins()
    plugins.add(plugin(gomodel_stores=lambda: [Kind("memory", Empty, start)]), "memory")
    assert plugins.kind("gomodel_stores", "memory").config is Empty
    assert state(plugins, "memory").state == "on"
    plugins.need("memory")


def test_adding_an_object_again_changes_nothing() -> None:
    made = plugin(gomodel_dialects=lambda: ["one"])
    plugins = Plugins()
    plugins.add(made, "made")
    plugins.add(made, "made")
    assert plugins.objects("gomodel_dialects") == ["one"]


def test_an_object_that_cannot_serve_is_refused_completely() -> None:
    plugins = Plugins()
    broken = plugin(gomodel_provders=lambda: [], gomodel_dialects=lambda: ["mine"])
    with pytest.raises(ConfigError, match="gomodel_provders"):
        plugins.add(broken, "made")
    assert "made" not in plugins.installed
    assert plugins.objects("gomodel_dialects") == []
    plugins.add(plugin(gomodel_dialects=lambda: ["good"]), "made")
    assert plugins.objects("gomodel_dialects") == ["good"]


def test_two_plugins_cannot_offer_one_type() -> None:
    plugins = Plugins()
    for name in ("one", "two"):
        plugins.add(plugin(gomodel_stores=lambda: [Kind("db", Empty, start)]), name)
    with pytest.raises(ConfigError, match="'one' and 'two' both offer the type 'db'"):
        plugins.kinds("gomodel_stores")


def test_a_type_of_another_sort_is_told_from_a_missing_one(distribution: Install) -> None:
    distribution("acme", GOOD)
    with pytest.raises(ConfigError, match="no 'acme' among its stores"):
        Plugins().kind("gomodel_stores", "acme")


def test_pluggy_relays_the_pair_hook() -> None:
    plugins = Plugins()
    plugins.add(plugin(gomodel_translator=lambda source, target: None), "none")
    plugins.add(plugin(gomodel_translator=lambda source: f"from {source}"), "some")
    assert plugins.hook.gomodel_translator(source="a", target="b") == "from a"


# ---------------------------------------------------------------- call hooks


def test_call_hooks_get_the_arguments_they_name() -> None:
    seen: list[Any] = []

    def backwards(target: Any, call: Any) -> None:
        seen.append(("backwards", call, target))

    def defaults(target: Any, note: str = "own", call: Any = None) -> None:
        seen.append(("defaults", call, target, note))

    plugins = Plugins()
    plugins.add(plugin(gomodel_stream=lambda call, target: seen.append((call, target))), "all")
    plugins.add(plugin(gomodel_stream=lambda target: seen.append(target)), "one")
    plugins.add(plugin(gomodel_stream=lambda: seen.append("none")), "none")
    plugins.add(plugin(gomodel_stream=backwards), "backwards")
    plugins.add(plugin(gomodel_stream=defaults), "defaults")
    for call in plugins.calls("gomodel_stream"):
        call("C", "T")
    assert seen == [("defaults", "C", "T", "own"), ("backwards", "C", "T"), "none", "T", ("C", "T")]


def test_call_hooks_keep_the_order_of_pluggy() -> None:
    plugins = Plugins()
    ordered: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"trylast": True},
        "c": {"tryfirst": True},
        "d": {},
    }
    for name, marks in ordered.items():
        module = ModuleType(name)
        module.gomodel_observe = hookimpl(lambda call, name=name: name, **marks)  # type: ignore[attr-defined]
        plugins.add(module, name)
    assert [call(None) for call in plugins.calls("gomodel_observe")] == ["c", "d", "a", "b"]


def test_a_raising_call_hook_is_logged_and_after_a_hundred_times_switched_off() -> None:
    runs: list[int] = []

    def broken(call: Any) -> None:
        runs.append(call)
        raise ValueError("on strike")

    plugins = Plugins()
    plugins.add(plugin(gomodel_observe=lambda call: "fine"), "good")
    plugins.add(plugin(gomodel_observe=broken), "bad")
    calls = plugins.calls("gomodel_observe")
    with capture_logs() as lines:
        for number in range(LIMIT + 5):
            assert [call(number) for call in calls] == [None, "fine"]
    assert len(runs) == LIMIT
    assert [line["event"] for line in lines] == ["plugin.failed"] * LIMIT + ["plugin.off"]
    assert {line["plugin"] for line in lines} == {"bad"}
    assert "on strike" in (state(plugins, "bad").error or "")
    assert state(plugins, "good").state == "on"
