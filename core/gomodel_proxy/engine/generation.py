"""One configuration, opened: everything a call needs, none of which changes while it is served."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import msgspec

from gomodel_proxy.api import ConfigError, Resource
from gomodel_proxy.config import Opener

from .account import Account
from .accounting import Accounts
from .admission import Door
from .assets import Inliner
from .batches import working
from .ids import now
from .inventory import Inventory
from .paths import matcher
from .policy import Policy
from .pricing import PriceList
from .routing import Routes
from .sweep import sweeping
from .translation import Lanes

if TYPE_CHECKING:
    import re
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from gomodel_proxy.api import (
        Authenticator,
        Cache,
        Call,
        Dialect,
        Guardrail,
        History,
        LedgerRow,
        Limit,
        Observer,
        PriceBook,
        Provider,
        ProviderConfig,
        Router,
        Stage,
        Store,
        Target,
        Transport,
    )
    from gomodel_proxy.config import Configuration
    from gomodel_proxy.plugins import Plugins

    from .assets import Fetcher

__all__ = ["Generation", "opened", "try_providers"]


class Surroundings(msgspec.Struct, frozen=True):
    """What an opening plugin object is told: see `api.Runtime`."""

    name: str
    base: Path
    log: Any


class Generation:
    """The immutable set that serves; ``running`` and ``closing`` are its only moving parts."""

    def __init__(self, configuration: Configuration, plugins: Plugins, log: Any) -> None:
        self.configuration = configuration
        self.plugins = plugins
        self.log = log
        self.running = 0
        self.closing = False
        self.durable = configuration.accounting.journal_fsync == "always"
        self.dialects: dict[str, Dialect] = {}
        self.paths: dict[str, Dialect] = {}
        self.patterns: list[tuple[re.Pattern[str], Dialect]] = []
        self.histories: dict[str, History] = {}
        self.estimates: dict[str, Callable[[bytes], bytes]] = {}
        self.observers: tuple[Callable[[Call], Observer | None], ...] = ()
        self.stages: tuple[Callable[[Call, Target | None], Stage | None], ...] = ()
        self.accounts: dict[str, Account] = {}
        self.routers: tuple[Router, ...] = ()
        self.policy: Policy | None = None
        self.assets: Inliner | None = None
        self.store: Store | None = None
        self.transport: Transport | None = None
        self.books: Accounts
        self.door: Door
        self.inventory: Inventory
        self.routes: Routes
        self.lanes: Lanes

    @property
    def default(self) -> Dialect:
        """The dialect of errors on paths that are nobody's: OpenAI's, if it is there."""
        return self.dialects.get("openai.chat") or next(iter(self.dialects.values()))

    def dialect_at(self, path: str) -> Dialect | None:
        """Return the dialect that errors on this path are written in, None if it is nobody's."""
        exact = self.paths.get(path)
        if exact is not None:
            return exact
        for known, dialect in self.paths.items():
            if "{" not in known and path.startswith(f"{known}/"):
                return dialect
        found = (d for pattern, d in self.patterns if pattern.fullmatch(path))
        return next(found, None)

    def enter_resource(self, kind: str, id_: str, owner: str, provider: str) -> None:
        """Remember who made something at a vendor."""
        self.books.own(Resource(kind=kind, id=id_, owner=owner, provider=provider, created=now()))

    async def owner(self, kind: str, id_: str) -> Resource | None:
        """Return who made something at a vendor, None if the gateway did not see it made."""
        return await self.books.owner(kind, id_)


@asynccontextmanager
async def opened(
    configuration: Configuration,
    plugins: Plugins,
    log: Any,
    on_rows: Callable[[Sequence[LedgerRow]], None],
    fetcher: Fetcher,
) -> AsyncIterator[Generation]:
    """Open a configuration; leaving flushes the ledger and closes everything in reverse order."""
    async with AsyncExitStack() as stack:
        opener = _Opening(Generation(configuration, plugins, log), stack)
        generation = await opener.run(on_rows)
        if configuration.assets.enabled:
            generation.assets = Inliner(configuration.assets, fetcher)
        generation.inventory.start()
        stack.push_async_callback(generation.inventory.stop)
        await stack.enter_async_context(working(generation))
        await stack.enter_async_context(sweeping(generation))
        yield generation


async def try_providers(configuration: Configuration, log: Any) -> None:
    """Open every provider and close it again; raises `ConfigError` for what one cannot be."""
    async with AsyncExitStack() as stack:
        for name, opener in configuration.providers.items():
            await _provider(name, opener, configuration.base, log, stack)


async def _provider(
    name: str, opener: Opener, base: Path, log: Any, stack: AsyncExitStack
) -> Provider:
    around = Surroundings(name=name, base=base, log=log.bind(plugin=name))
    try:
        provider: Provider = await stack.enter_async_context(
            opener.kind.open(opener.config, around)
        )
    except ConfigError as error:
        raise _named(name, error) from error
    return provider


class _Opening:
    """Opens the parts in the order in which they need each other."""

    def __init__(self, generation: Generation, stack: AsyncExitStack) -> None:
        self._g = generation
        self._c = generation.configuration
        self._plugins = generation.plugins
        self._stack = stack

    async def run(self, on_rows: Callable[[Sequence[LedgerRow]], None]) -> Generation:
        g, c = self._g, self._c
        for dialect in self._plugins.objects("gomodel_dialects"):
            g.dialects[dialect.name] = dialect
            for path in dialect.paths:
                g.paths[path] = dialect
                if "{" in path:
                    g.patterns.append((matcher(path), dialect))
            if (history := getattr(dialect, "history", None)) is not None:
                g.histories[dialect.name] = history
            if (estimate := getattr(dialect, "estimate", None)) is not None:
                g.estimates[dialect.name] = estimate
        g.observers = self._plugins.calls("gomodel_observe")
        g.stages = self._plugins.calls("gomodel_stream")
        g.store = await self._open(c.store) if c.store else None
        g.books = await self._books(on_rows)
        g.accounts = await self._accounts()
        await self._policies()
        g.door = await self._door()
        g.inventory = Inventory(
            list(g.accounts.values()),
            refresh=c.models.refresh,
            first_wait=c.models.first_wait,
            log=g.log,
        )
        g.routes = Routes(g.accounts, g.inventory)
        g.lanes = Lanes(g.dialects, self._translator)
        await self._lifespans()
        return g

    async def _open(self, opener: Opener) -> Any:
        around = Surroundings(
            name=opener.name, base=self._c.base, log=self._g.log.bind(plugin=opener.name)
        )
        return await self._stack.enter_async_context(opener.kind.open(opener.config, around))

    async def _all(self, openers: Mapping[str, Opener]) -> list[Any]:
        return [await self._open(opener) for opener in openers.values()]

    async def _books(self, on_rows: Callable[[Sequence[LedgerRow]], None]) -> Accounts:
        store, accounting = self._g.store, self._c.accounting
        return await self._stack.enter_async_context(
            Accounts(
                ledger=store.ledger if store else None,
                resources=store.resources if store else None,
                journal=self._c.base / accounting.journal,
                fsync=accounting.journal_fsync,
                flush_interval=accounting.flush_interval,
                log=self._g.log,
                on_rows=on_rows,
            )
        )

    async def _accounts(self) -> dict[str, Account]:
        books: list[PriceBook] = await self._all(self._c.price_books)
        transports: dict[str, Transport] = {}
        accounts = {}
        for name, opener in self._c.providers.items():
            config = cast("ProviderConfig", opener.config)
            wanted = config.transport
            if wanted not in transports:
                transports[wanted] = await self._transport(name, wanted)
            provider = await _provider(name, opener, self._c.base, self._g.log, self._stack)
            prices = PriceList(
                name,
                config.type,
                configured=config.prices,
                books=books,
                published=provider.prices,
                version=provider.price_version,
            )
            accounts[name] = Account(name, provider, config, transports[wanted], prices)
        if self._c.batches.webhook_hosts:
            self._g.transport = transports.get("http") or await self._transport("gateway", "http")
        return accounts

    async def _transport(self, provider: str, name: str) -> Transport:
        opener = self._c.transports.get(name)
        if opener is None:
            opener = self._default_transport(provider, name)
        transport: Transport = await self._open(opener)
        return transport

    def _default_transport(self, provider: str, name: str) -> Opener:
        kinds = self._plugins.kinds("gomodel_transports")
        if name not in kinds:
            raise ConfigError(
                f"[providers.{provider}] transport = '{name}': there is no such transport; "
                f"known are {', '.join(sorted(kinds))}."
            )
        kind = kinds[name][0]
        u = self._c.upstream
        times = {
            "connect_timeout": u.connect_timeout,
            "first_byte_timeout": u.first_byte_timeout,
            "idle_timeout": u.idle_timeout,
            "keepalive": u.keepalive,
        }
        fields = set(kind.config.__struct_fields__)
        settings = {key: value for key, value in times.items() if key in fields}
        return Opener(name, kind, msgspec.convert(settings, kind.config))

    async def _policies(self) -> None:
        g, c = self._g, self._c
        opened_routers: dict[str, Router] = {}
        for name, opener in c.routers.items():
            opened_routers[name] = await self._open(opener)
        try:
            g.routers = tuple(opened_routers[name] for name in c.routing.steps)
        except KeyError as error:
            raise ConfigError(
                f"routing.steps names {error}, and there is no [routers.{error.args[0]}]."
            ) from None
        limits: list[Limit] = await self._all(c.limits)
        guardrails: list[Guardrail] = await self._all(c.guardrails)
        cache: Cache | None = await self._open(c.cache) if c.cache else None
        if limits or guardrails or cache:
            g.policy = Policy(limits, guardrails, cache)

    async def _door(self) -> Door:
        auth = self._c.auth
        own: list[Authenticator] = []
        if auth.master_key or auth.keys:
            kind = self._plugins.kinds("gomodel_authenticators")["keys"][0]
            own.append(await self._open(Opener("keys", kind, auth)))
        return Door([*own, *await self._all(self._c.authenticators)])

    def _translator(self, source: str, target: str) -> Any:
        return self._plugins.hook.gomodel_translator(source=source, target=target)

    async def _lifespans(self) -> None:
        around = Surroundings(name="gateway", base=self._c.base, log=self._g.log)
        for context in reversed(self._plugins.hook.gomodel_lifespan(runtime=around)):
            await self._stack.enter_async_context(context)


def _named(provider: str, error: ConfigError) -> ConfigError:
    """Return a plugin's complaint about its settings with the table that they stand in."""
    place = f"providers.{provider}"
    if place in error.message:
        return error
    return ConfigError(f"[{place}] {error.message}", param=error.param)
