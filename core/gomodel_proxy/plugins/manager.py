"""`Plugins`: one gateway's set of plugins. Two gateways in a process share nothing."""

from __future__ import annotations

import difflib
import traceback
from typing import TYPE_CHECKING, Any, Literal

import pluggy
from msgspec import Struct

from gomodel_proxy import hookspecs
from gomodel_proxy.api import ConfigError

from .admission import KIND_HOOKS, check_api, check_hook, checked_kinds
from .compiled import Strikes, compiled
from .discovery import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pluggy import HookImpl

    from gomodel_proxy.api import Kind


class PluginState(Struct, frozen=True):
    """One line of ``gomodel-proxy plugins``. ``error`` is a traceback, or what is in conflict."""

    name: str
    distribution: str
    version: str
    state: Literal["on", "off", "failed", "conflict"]
    error: str | None


class Plugins:
    """Finds, admits and quarantines plugins, and hands out what they offer."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("gomodel_proxy")
        self._manager.add_hookspecs(hookspecs)
        self._candidates: dict[str, Candidate] | None = None
        self._names: dict[str, str] = {}  # entry point name → the name pluggy knows it by
        self._failures: dict[str, str] = {}  # that name → traceback
        self._kinds: dict[tuple[str, str], tuple[Kind[Any], ...]] = {}  # by hook and that name
        self._strikes: dict[str, Strikes] = {}

    # ------------------------------------------------------------ which there are

    def discover(self) -> None:
        """Read which plugins are installed, importing none; done unasked when first needed."""
        self._candidates = candidates()

    @property
    def _found(self) -> dict[str, Candidate]:
        if self._candidates is None:
            self.discover()
        return self._candidates or {}

    @property
    def installed(self) -> tuple[str, ...]:
        """Names that a configuration may use: installed, or added."""
        return tuple(dict.fromkeys((*self._found, *self._names)))

    def report(self) -> list[PluginState]:
        """Return the state of every plugin known, added ones first."""
        added = [name for name in self._names if name not in self._found]
        return [self._state(name) for name in (*added, *self._found)]

    def _state(self, name: str) -> PluginState:
        candidate = self._found.get(name)
        distribution = ", ".join(candidate.distributions) if candidate else ""
        version = candidate.version if candidate else ""
        registered = self._names.get(name, name)
        strikes = self._strikes.get(registered)
        state: Literal["on", "off", "failed", "conflict"] = "off"
        error = self._failures.get(registered)
        if error is None and strikes is not None and strikes.out:
            error = strikes.last
        if error is not None:
            state = "failed"
        elif name in self._names:
            state = "on"
        elif candidate is not None and candidate.conflict:
            state, error = "conflict", _claimed(name, candidate)
        return PluginState(name, distribution, version, state, error)

    # ------------------------------------------------------------ on and off

    def add(self, plugin: object, name: str) -> None:
        """Register an object at once, for embedding applications and the core's own plugins.

        Raises `ConfigError` if it cannot serve.
        """
        try:
            self._admit(plugin, name)
        except Exception as error:
            raise ConfigError(f"plugin {name!r} cannot be used: {error}") from error

    def load(self, names: Iterable[str]) -> None:
        """Import and register installed plugins; one that fails is quarantined, not raised.

        Raises `ConfigError` only for a name that nothing installed has.
        """
        for name in names:
            if name in self._names or name in self._failures:
                continue
            candidate = self._found.get(name)
            if candidate is None:
                raise ConfigError(self._missing(name))
            if candidate.conflict:
                continue
            try:
                self._admit(candidate.load(), name)
            except (Exception, SystemExit):  # a module that calls sys.exit() fails alone, too
                self._quarantine(name)

    def need(self, name: str) -> None:
        """Load the plugin called ``name``; raises `ConfigError` saying what to do if it is not on.

        That is: the package to install, the distributions in conflict, or the traceback's end.
        """
        self.load([name])
        state = self._state(name)
        if state.state == "conflict":
            raise ConfigError(state.error or "")
        if state.state == "failed":
            reason = (state.error or "").strip().rsplit("\n", 1)[-1]
            raise ConfigError(
                f"plugin {name!r} failed: {reason} (`gomodel-proxy plugins -v` has the traceback)"
            )

    def _admit(self, plugin: object, name: str) -> None:
        known_as = self._manager.get_name(plugin)
        if known_as is not None:  # several types in one module: several entry points, one plugin
            self._names[name] = known_as
            return
        check_api(plugin)
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
            self._gather(plugin, name)
        except BaseException:
            self._manager.unregister(name=name)
            raise
        self._names[name] = name

    def _gather(self, plugin: object, name: str) -> None:
        """Check the plugin's hooks and remember the kinds it offers."""
        kinds: dict[tuple[str, str], tuple[Kind[Any], ...]] = {}
        for hook in self._manager.get_hookcallers(plugin) or ():
            for impl in hook.get_hookimpls():
                if impl.plugin is not plugin:
                    continue
                check_hook(hook.name, impl)
                if hook.name in KIND_HOOKS:
                    kinds[hook.name, name] = checked_kinds(hook.name, impl.function())
        self._kinds.update(kinds)

    def _quarantine(self, name: str) -> None:
        """Unregister a plugin for the exception being handled."""
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        self._kinds = {key: kinds for key, kinds in self._kinds.items() if key[1] != name}
        self._failures[name] = traceback.format_exc()

    def _missing(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.installed, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        package = f"gomodel-proxy-{name.replace('_', '-')}"
        return f"no plugin called {name!r} is installed{hint} (pip install {package})"

    # ------------------------------------------------------------ what they offer

    @property
    def hook(self) -> pluggy.HookRelay:
        """pluggy's own calls, for ``gomodel_translator`` and ``gomodel_lifespan``."""
        return self._manager.hook

    def kinds(self, hook_name: str) -> dict[str, tuple[Kind[Any], str]]:
        """Return what the loaded plugins offer: kind and plugin name, by the kind's name.

        Raises `ConfigError` when two plugins offer the same name.
        """
        offered: dict[str, tuple[Kind[Any], str]] = {}
        for (hook, plugin), kinds in self._kinds.items():
            for kind in kinds if hook == hook_name else ():
                if kind.name in offered:
                    other = offered[kind.name][1]
                    raise ConfigError(
                        f"plugins {other!r} and {plugin!r} both offer the type {kind.name!r}"
                    )
                offered[kind.name] = (kind, plugin)
        return offered

    def kind(self, hook_name: str, name: str) -> Kind[Any]:
        """Return one kind, loading the plugin of that name if none offers it yet.

        Raises `ConfigError` like `need`, or if the plugin offers something else.
        """
        if name not in self.kinds(hook_name):
            self.need(name)
        offered = self.kinds(hook_name)
        if name not in offered:
            noun = hook_name.removeprefix("gomodel_").replace("_", " ")
            known = ", ".join(offered) or "none"
            raise ConfigError(f"plugin {name!r} has no {name!r} among its {noun} (known: {known})")
        return offered[name][0]

    def objects(self, hook_name: str, **arguments: Any) -> list[Any]:
        """Return everything the loaded plugins hand over; one that raises is quarantined.

        Takes hooks that return iterables (``gomodel_dialects``) or nothing (``gomodel_commands``).
        """
        collected: list[Any] = []
        for impl in self._impls(hook_name):
            try:
                arguments_taken = [arguments[name] for name in impl.argnames]
                given: Any = impl.function(*arguments_taken)
                collected += tuple(given or ())
            except Exception:
                self._quarantine(impl.plugin_name)
        return collected

    def calls(self, hook_name: str) -> tuple[Callable[..., Any], ...]:
        """Return a call hook compiled: functions of the spec's arguments by position.

        In pluggy's order: last registered first, ``tryfirst`` and ``trylast`` heeded. None of
        them raises; a plugin that does so `compiled.LIMIT` times is switched off.
        """
        spec = getattr(self._manager.hook, hook_name).spec
        names = (*spec.argnames, *spec.kwargnames)
        return tuple(
            compiled(impl, hook_name, names, self._strikes_of(impl.plugin_name))
            for impl in self._impls(hook_name)
        )

    def _strikes_of(self, plugin: str) -> Strikes:
        return self._strikes.setdefault(plugin, Strikes(plugin))

    def _impls(self, hook_name: str) -> Sequence[HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook_name)
        return caller.get_hookimpls()[::-1]


def _claimed(name: str, candidate: Candidate) -> str:
    claimants = " and ".join(candidate.distributions)
    return f"plugin {name!r} is claimed by {claimants}; uninstall all but one"
