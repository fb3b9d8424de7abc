"""Plugins for configurations to name, none of them installed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import pytest

from gomodel_proxy.api import Kind, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable


class Acme(ProviderConfig):
    """Needs a key."""

    api_key: Secret = Secret("")
    base_url: str = "https://acme.example/v1"


class Local(ProviderConfig):
    """Needs none."""

    keyless: ClassVar[bool] = True

    base_url: str
    api_key: Secret = Secret("")


class Rate(msgspec.Struct):
    """Has no type of its own, and marks a duration without importing ours."""

    requests: int
    per: Annotated[float, msgspec.Meta(extra={"written": "duration"})] = 60.0


class Database(msgspec.Struct, forbid_unknown_fields=True):
    path: str


class Plain(msgspec.Struct):
    pass


@asynccontextmanager
async def start(config: Any, runtime: Any) -> Any:
    yield None


OFFERED: dict[str, dict[str, type[msgspec.Struct]]] = {
    "gomodel_providers": {"acme": Acme, "acme_local": Local, "sandbox": ProviderConfig},
    "gomodel_limits": {"rate": Rate},
    "gomodel_routers": {"cheapest": Plain},
    "gomodel_stores": {"sqlite": Database},
    "gomodel_transports": {"pigeon": Plain},
    "gomodel_authenticators": {"badge": Plain},
    "gomodel_caches": {"memory": Plain},
}


def module(name: str) -> ModuleType:
    """A plugin offering what OFFERED has under its name."""
    made = ModuleType(name)
    for hook, offered in OFFERED.items():
        if name in offered:
            kinds = [Kind(name, offered[name], start)]
            setattr(made, hook, hookimpl(lambda kinds=kinds: kinds))
    return made


@pytest.fixture
def offering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plugins]:
    """Make `Plugins` that has these and no other."""
    monkeypatch.setattr("gomodel_proxy.plugins.manager.candidates", dict)

    def make(*names: str) -> Plugins:
        plugins = Plugins()
        for name in names:
            plugins.add(module(name), name)
        return plugins

    return make


@pytest.fixture
def plugins(offering: Callable[..., Plugins]) -> Plugins:
    """Every plugin of these tests."""
    names = [name for offered in OFFERED.values() for name in offered]
    return offering(*names)
