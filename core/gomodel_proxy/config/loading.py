"""`load`: the order in which a configuration is read, and what stands in for what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import ConfigError

from .configuration import Configuration, Notice, Opener
from .decoding import decode
from .safety import check_keys, check_server
from .settings import (
    Accounting,
    Assets,
    Auth,
    Batches,
    Logs,
    Models,
    PluginSettings,
    Routing,
    Server,
    Upstream,
)
from .source import Source, read
from .tables import NAMED, SINGLE, opener, openers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from msgspec import Struct

    from gomodel_proxy.plugins import Plugins

CORE: Final[dict[str, type[Struct]]] = {
    "server": Server,
    "auth": Auth,
    "plugins": PluginSettings,
    "routing": Routing,
    "upstream": Upstream,
    "assets": Assets,
    "batches": Batches,
    "models": Models,
    "accounting": Accounting,
    "logs": Logs,
}

EMBEDDED_STORE: Final = {"type": "sqlite", "path": "gomodel.db"}
SANDBOX: Final = "sandbox"
CORE_TRANSPORT: Final = "http"


def load(
    source: Path | Mapping[str, Any] | None, plugins: Plugins, environ: Mapping[str, str]
) -> Configuration:
    """Return a checked configuration, with the plugins it names loaded; raises `ConfigError`.

    ``source`` is a TOML file, its content as a mapping, or None for the environment alone.
    """
    return _Loading(read(source, plugins, environ), plugins, bare=source is None).run()


class _Loading:
    """One load: the tables still to be read, and what the log is to hear about it."""

    def __init__(self, source: Source, plugins: Plugins, *, bare: bool) -> None:
        self._source = source
        self._place = source.place
        self._tables = source.tables
        self._plugins = plugins
        self._bare = bare
        self._skipped: dict[str, str] = {}
        self._notices: list[Notice] = []

    def run(self) -> Configuration:
        self._check_tables()
        core = {name: self._core(name) for name in CORE}
        self._enable(core["plugins"].enabled)
        named = {name: self._named(name) for name in NAMED}
        named["providers"] = self._providers(named["providers"])
        self._transports(named)
        self._steps(core["routing"].steps, named["routers"])
        auth = core["auth"]
        locked = bool(named["authenticators"])
        check_keys(auth, self._place / "auth")
        check_server(core["server"], auth, locked=locked, place=self._place)
        tables: dict[str, Any] = {
            **core,
            **named,
            "cache": self._single("cache"),
            "store": self._store(),
        }
        self._failed_plugins()
        return Configuration(
            file=self._source.file,
            base=self._source.base,
            skipped=self._skipped,
            notices=tuple(self._notices),
            **tables,
        )

    # ------------------------------------------------------------ table by table

    def _check_tables(self) -> None:
        known = [*CORE, *NAMED, *SINGLE]
        for name in self._tables:
            if name not in known:
                raise (self._place / name).unknown("table", name, known)

    def _core(self, name: str) -> Any:
        return decode(self._tables.get(name, {}), CORE[name], self._place / name)

    def _enable(self, names: list[str]) -> None:
        try:
            self._plugins.load(names)
        except ConfigError as error:
            raise (self._place / "plugins" / "enabled").error(error.message) from error

    def _named(self, name: str) -> dict[str, Opener]:
        return openers(name, self._tables.get(name, {}), self._plugins, self._place / name)

    def _single(self, name: str) -> Opener | None:
        if name not in self._tables:
            return None
        table, place = self._tables[name], self._place / name
        return opener(name, table, SINGLE[name], self._plugins, place, implied=name != "store")

    # ------------------------------------------------------------ what is left out or filled in

    def _providers(self, configured: dict[str, Opener]) -> dict[str, Opener]:
        active = {name: one for name, one in configured.items() if not self._keyless(name, one)}
        if not active and self._bare and SANDBOX in self._plugins.installed:
            self._notice("warning", "providers.sandbox", hint="no provider: invented answers only")
            place = self._place / "providers"
            return openers("providers", {SANDBOX: {"type": SANDBOX}}, self._plugins, place)
        if not active:
            self._notice("warning", "providers.none", hint="every request will be refused")
        return active

    def _keyless(self, name: str, one: Opener) -> bool:
        """Leave out a provider whose key is empty, unless its type needs none."""
        settings: Any = one.config
        if "api_key" not in settings.__struct_fields__ or settings.api_key:
            return False
        if getattr(settings, "keyless", False):
            return False
        self._skipped[name] = "api_key is empty"
        self._notice("info", "providers.skipped", provider=name, reason=self._skipped[name])
        return True

    def _transports(self, named: dict[str, dict[str, Opener]]) -> None:
        """Load the transports that providers name without a table of their own."""
        for name, one in named["providers"].items():
            settings: Any = one.config
            wanted = settings.transport
            if wanted == CORE_TRANSPORT or wanted in named["transports"]:
                continue
            try:
                self._plugins.kind(NAMED["transports"], wanted)
            except ConfigError as error:
                place = self._place / "providers" / name / "transport"
                raise place.error(error.message) from error

    def _steps(self, steps: list[str], routers: dict[str, Opener]) -> None:
        """Give each routing step without a table the defaults of its type."""
        place = self._place / "routing" / "steps"
        for step in steps:
            if step not in routers:
                hook = NAMED["routers"]
                routers[step] = opener(step, {}, hook, self._plugins, place, implied=True)

    def _store(self) -> Opener | None:
        type_ = EMBEDDED_STORE["type"]
        if "store" in self._tables:
            return self._single("store")
        if type_ not in self._plugins.installed:
            self._notice("warning", "store.none", hint="nothing is kept: no ledger, no costs")
            return None
        place = self._place / "store"
        return opener("store", EMBEDDED_STORE, SINGLE["store"], self._plugins, place, implied=False)

    # ------------------------------------------------------------ for the log

    def _failed_plugins(self) -> None:
        for state in self._plugins.report():
            if state.error is not None:
                self._notice("error", f"plugin.{state.state}", plugin=state.name, error=state.error)

    def _notice(self, level: str, event: str, **fields: Any) -> None:
        self._notices.append(Notice(level, event, fields))
