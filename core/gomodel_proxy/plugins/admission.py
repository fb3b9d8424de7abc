"""What a plugin must be like before it may serve: the checks that pluggy does not make."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import Kind, ProviderConfig
from gomodel_proxy.hookspecs import API

if TYPE_CHECKING:
    from pluggy import HookImpl

KIND_HOOKS: Final = (
    "gomodel_providers",
    "gomodel_transports",
    "gomodel_routers",
    "gomodel_authenticators",
    "gomodel_limits",
    "gomodel_guardrails",
    "gomodel_caches",
    "gomodel_price_books",
    "gomodel_stores",
)

# pluggy itself calls these three, so wrappers work there; all others are called one by one.
RELAYED: Final = ("gomodel_translator", "gomodel_lifespan", "gomodel_commands")


def check_api(plugin: object) -> None:
    """Raise unless the plugin was written for this contract."""
    wanted = getattr(plugin, "GOMODEL_API", API)
    if wanted != API:
        raise TypeError(f"written for GOMODEL_API {wanted}, this gateway has {API}")


def check_hook(hook: str, impl: HookImpl) -> None:
    """Raise if a hook implementation is of a sort that could never be called."""
    if inspect.iscoroutinefunction(impl.function):
        raise TypeError(f"{hook} is a coroutine; hooks are plain calls, their objects may await")
    if (impl.wrapper or impl.hookwrapper) and hook not in RELAYED:
        raise TypeError(f"{hook} is compiled to a plain call, so it cannot be a wrapper")


def checked_kinds(hook: str, kinds: Any) -> tuple[Kind[Any], ...]:
    """Return what a hook offered as a tuple of `Kind`; raises on anything else."""
    checked = tuple(kinds)
    base = ProviderConfig if hook == "gomodel_providers" else msgspec.Struct
    for kind in checked:
        if not isinstance(kind, Kind):
            raise TypeError(f"{hook} offered {kind!r}, which is no Kind")
        if not (isinstance(kind.config, type) and issubclass(kind.config, base)):
            raise TypeError(f"{hook}: settings of {kind.name!r} must derive from {base.__name__}")
    return checked
