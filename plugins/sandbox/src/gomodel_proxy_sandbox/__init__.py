"""Deterministic offline models for gomodel-proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import Kind
from gomodel_proxy.hookspecs import hookimpl

from .provider import SandboxConfig, open_provider
from .transport import TransportConfig, open_transport

if TYPE_CHECKING:
    from gomodel_proxy.api import Commands, Provider, Transport

__all__ = ["GOMODEL_API", "gomodel_commands", "gomodel_providers", "gomodel_transports"]

GOMODEL_API = 1


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer the provider ``sandbox``."""
    return [Kind("sandbox", SandboxConfig, open_provider)]


@hookimpl
def gomodel_transports() -> list[Kind[Transport]]:
    """Offer the transport ``sandbox``, which answers in process."""
    return [Kind("sandbox", TransportConfig, open_transport)]


@hookimpl
def gomodel_commands(commands: Commands) -> None:
    """Add ``gomodel-proxy sandbox``."""
    from . import command  # the server is for this command alone

    commands.add("sandbox", command.HELP, command.arguments, command.run)
