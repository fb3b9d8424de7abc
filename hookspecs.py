# mypy: disable-error-code="empty-body"
"""The contract between the gateway and its plugins. Read this file first.

A plugin is a module (or any object) whose functions carry ``@hookimpl``; a distribution offers it
in the entry point group ``gomodel_proxy.plugins``, under the name the configuration calls its
``type``. It is imported only when the configuration names it::

    from gomodel_proxy.api import Kind
    from gomodel_proxy.hookspecs import hookimpl

    @hookimpl
    def gomodel_providers():
        return [Kind("acme", AcmeConfig, open_acme)]

Three clocks. *Load* hooks run once per configuration and hand over `Kind`s and other objects;
the *pair* hook runs once per pair of dialects; *call* hooks run once per request and are compiled
to plain functions. None runs per chunk: objects do. No hook is a coroutine; the objects' own
methods may be. Order comes from the configuration, never from registration.

Arguments are passed by name: take the ones you need. What the objects must be able to do stands
in ``gomodel_proxy.api.roles``, what they are handed in ``gomodel_proxy.api.values``. A plugin may
state ``GOMODEL_API = 1``; another number than `API` quarantines that plugin alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager

    from gomodel_proxy.api import (
        AdminPage,
        Authenticator,
        Cache,
        Call,
        Commands,
        Dialect,
        Guardrail,
        Kind,
        Limit,
        Observer,
        PriceBook,
        Provider,
        Router,
        Runtime,
        Stage,
        Store,
        Target,
        Translator,
        Transport,
    )

API: Final = 1
GROUP: Final = "gomodel_proxy.plugins"

hookspec = pluggy.HookspecMarker("gomodel_proxy")
hookimpl = pluggy.HookimplMarker("gomodel_proxy")


# ------------------------------------------------------------------------------
# Load: once per configuration
# ------------------------------------------------------------------------------


@hookspec
def gomodel_providers() -> Iterable[Kind[Provider]]:
    """Offer vendors. ``[providers.<any name>]`` with ``type = "<kind>"`` opens one account."""


@hookspec
def gomodel_dialects() -> Iterable[Dialect]:
    """Offer ways to write requests; each brings its own POST routes."""


@hookspec
def gomodel_transports() -> Iterable[Kind[Transport]]:
    """Offer ways to send. ``[transports.<name>]``, or a provider's ``transport = "<kind>"``."""


@hookspec
def gomodel_routers() -> Iterable[Kind[Router]]:
    """Offer routing steps. ``[routers.<name>]``; ``routing.steps`` puts them in order."""


@hookspec
def gomodel_authenticators() -> Iterable[Kind[Authenticator]]:
    """Offer ways to know a caller. ``[authenticators.<name>]``, asked in order of the file."""


@hookspec
def gomodel_limits() -> Iterable[Kind[Limit]]:
    """Offer rates, budgets and other admissions. ``[limits.<name>]``."""


@hookspec
def gomodel_guardrails() -> Iterable[Kind[Guardrail]]:
    """Offer checks of requests and replies. ``[guardrails.<name>]``, in order of the file."""


@hookspec
def gomodel_caches() -> Iterable[Kind[Cache]]:
    """Offer caches of whole replies. ``[cache]``."""


@hookspec
def gomodel_price_books() -> Iterable[Kind[PriceBook]]:
    """Offer prices that go before the providers' own. ``[price_books.<name>]``."""


@hookspec
def gomodel_stores() -> Iterable[Kind[Store]]:
    """Offer the database of ledger, ownership, batches, files and responses. ``[store]``."""


@hookspec
def gomodel_admin_pages() -> Iterable[AdminPage]:
    """Offer pages under ``/admin/``."""


@hookspec
def gomodel_lifespan(runtime: Runtime) -> AbstractAsyncContextManager[Any] | None:
    """Return a context entered at start and left, in reverse order, on stop; None if idle."""


# ------------------------------------------------------------------------------
# Pair: once per pair of dialects, then remembered
# ------------------------------------------------------------------------------


@hookspec(firstresult=True)
def gomodel_translator(source: str, target: str) -> Translator | None:
    """Return a translator from the caller's dialect to the provider's; None leaves it to others.

    Stops at the first non-None result.
    """


# ------------------------------------------------------------------------------
# Call: once per request; compiled, so wrappers are refused
# ------------------------------------------------------------------------------


@hookspec
def gomodel_observe(call: Call) -> Observer | None:
    """Return a watcher of this call, None if it is of no interest. Called before routing."""


@hookspec
def gomodel_stream(call: Call, target: Target) -> Stage | None:
    """Return a stage for this call's stream, None to leave it alone. Streams only."""


# ------------------------------------------------------------------------------
# Command line: once, when ``gomodel-proxy`` starts
# ------------------------------------------------------------------------------


@hookspec
def gomodel_commands(commands: Commands) -> None:
    """Add commands to ``gomodel-proxy``."""
