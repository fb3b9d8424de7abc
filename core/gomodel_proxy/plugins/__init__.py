"""Plugins: found by metadata, imported when named, quarantined when broken."""

from .manager import Plugins, PluginState

__all__ = ["PluginState", "Plugins"]
