"""A gateway before a vendor that keeps responses, one that does not, and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sdk import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.testing.processes import SandboxProcess
    from gomodel_proxy.testing.served import Served

    from .sdk import Callers
    from .vendor import Vendor

BROKEN = "sandbox-text+cut=1500"
SLOW = "sandbox-text+rate=20+events=100000"


class Setting:
    """One gateway, for all tests of a module."""

    def __init__(self, gate: Served, vendor: Vendor, at: Callable[[str], Callers]) -> None:
        self.gate = gate
        self.vendor = vendor
        self.at = at
        self.callers = at(gate.url)


def config(vendor: Vendor, sandbox: SandboxProcess | None = None, **more: Any) -> dict[str, Any]:
    """Return a configuration: ``chat`` speaks chat alone, ``native`` keeps what it answers."""

    def account(*speaks: str) -> dict[str, Any]:
        return {"type": "openai_compatible", "base_url": vendor.url, "speaks": list(speaks)}

    providers = {
        "chat": account("openai.chat"),
        "native": account("openai.responses", "openai.compact", "openai.input_tokens"),
    }
    if sandbox is not None:
        providers["sandbox"] = {
            "type": "openai_compatible",
            "base_url": f"{sandbox.url}/v1",
            "speaks": ["openai.chat"],
            "models": ["sandbox-text", "sandbox-tools", BROKEN, SLOW],
            "models_mode": "allowlist",
        }
    return {
        "auth": {"keys": KEYS},
        "logs": {"level": "error"},
        "providers": providers,
        **more,
    }


def texts(messages: list[Any]) -> list[Any]:
    """Return what the messages of a chat request say."""
    said = [message["content"] for message in messages]
    return [one if isinstance(one, str) else "".join(part["text"] for part in one) for one in said]
