"""`Configuration`: what was configured, checked and frozen, nothing of it opened yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from gomodel_proxy.api import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gomodel_proxy.api import Kind

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


class Opener(Struct, frozen=True):
    """One table that a plugin opens: its name, its kind, its settings."""

    name: str
    kind: Kind[Any]
    config: Struct


class Notice(Struct, frozen=True):
    """Something the log should say once at start; loading itself logs nothing."""

    level: str
    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class Configuration(Struct, frozen=True, kw_only=True):
    """Everything configured. Tables that plugins open keep the order of the file.

    ``base`` is the folder that relative paths start from. ``skipped`` says why a provider was
    left out.
    """

    file: Path | None
    base: Path
    server: Server
    auth: Auth
    plugins: PluginSettings
    routing: Routing
    upstream: Upstream
    assets: Assets
    batches: Batches
    models: Models
    accounting: Accounting
    logs: Logs
    providers: dict[str, Opener]
    transports: dict[str, Opener]
    routers: dict[str, Opener]
    authenticators: dict[str, Opener]
    limits: dict[str, Opener]
    guardrails: dict[str, Opener]
    price_books: dict[str, Opener]
    cache: Opener | None
    store: Opener | None
    skipped: dict[str, str]
    notices: tuple[Notice, ...]

    def openers(self) -> Iterator[Opener]:
        """Give every opener there is."""
        for table in (
            self.providers,
            self.transports,
            self.routers,
            self.authenticators,
            self.limits,
            self.guardrails,
            self.price_books,
        ):
            yield from table.values()
        yield from filter(None, (self.cache, self.store))

    def secrets(self) -> Iterator[Secret]:
        """Give every credential in it, for the log to mask."""
        yield from _secrets(self.auth)
        yield from _secrets(self.batches)
        for opener in self.openers():
            yield from _secrets(opener.config)


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        if value:
            yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for member in value.values():
            yield from _secrets(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from _secrets(member)
