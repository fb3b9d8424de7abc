"""What no configuration may do, however well it is written."""

from __future__ import annotations

import ipaddress
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gomodel_proxy.api import Secret

    from .places import Place
    from .settings import Auth, Server


def check_server(server: Server, auth: Auth, *, locked: bool, place: Place) -> None:
    """Raise `ConfigError` for an open door to the network, or for what this machine has not.

    ``locked`` says that authenticators of plugins keep the door.
    """
    if not (locked or is_locked(auth) or auth.open or is_loopback(server.host)):
        raise (place / "server" / "host").error(
            f"{server.host or 'every address'} without a key would let anybody in; "
            "set auth.master_key, or auth.open = true if that is meant"
        )
    if server.workers > 1 and sys.platform != "linux":
        raise (place / "server" / "workers").error("more than one worker needs Linux")
    if server.loop == "uvloop" and find_spec("uvloop") is None:
        raise (place / "server" / "loop").error(
            "uvloop is not installed: pip install 'gomodel-proxy[uvloop]'"
        )


def check_keys(auth: Auth, place: Place) -> None:
    """Raise `ConfigError` for a key that is empty or stands for two callers."""
    seen: dict[Secret, Place] = {}
    if auth.master_key:
        seen[auth.master_key] = place / "master_key"
    for name, key in auth.keys.items():
        here = place / "keys" / name
        if name in ("master", "anonymous"):
            raise here.error("this name is the gateway's own")
        if not key.key:
            raise (here / "key").error("empty")
        if key.key in seen:
            raise (here / "key").error(f"the same as {seen[key.key].key}")
        seen[key.key] = here / "key"


def is_locked(auth: Auth) -> bool:
    """Return whether the configuration itself has a key."""
    return bool(auth.master_key or auth.keys)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address; a name counts only if localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
