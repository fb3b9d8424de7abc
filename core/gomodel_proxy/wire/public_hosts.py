"""Which hosts are public: those that a caller may have the gateway connect to.

IANA's registries of special-purpose addresses (2026-11), the addresses at which clouds tell
machines their credentials, and the forms in which an IPv4 address hides in an IPv6 one.
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

__all__ = ["is_canonical", "is_public"]

_INTERNAL: Final = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own services, at an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_GLOBAL: Final = IPv6Network("2000::/3")
"""The only IPv6 addresses that are given out; those in `_SPECIAL` for other ends."""

_SPECIAL: Final = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocols' own, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: any IPv4 address, private ones too
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$|0x[0-9a-f]*$){_LABEL}")


def is_canonical(host: str) -> bool:
    """Return whether a URL's host, in lower case, can be read in one way only.

    That is a name with a dot in it, or an address as it is usually written: resolvers take
    ``127.1``, ``0x7f.1`` and ``2130706433`` for addresses too, and differ about ``010.0.0.1``.
    """
    if len(host) > 253:
        return False
    if ":" in host:
        return _is_address(host, IPv6Address)
    return _NAME.fullmatch(host) is not None or _is_address(host, IPv4Address)


def _is_address(host: str, form: type[IPv4Address | IPv6Address]) -> bool:
    try:
        return str(form(host)) == host
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet; a zone never does."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in block for block in _INTERNAL)
    if found.scope_id is not None:
        return False
    if found in _TRANSLATED:
        return is_public(str(IPv4Address(int(found) & 0xFFFFFFFF)))
    return found in _GLOBAL and not any(found in block for block in _SPECIAL)
