"""Checks of what an account's settings put on the wire; each raises `ConfigError` by name."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from gomodel_proxy.api import ConfigError, Secret

__all__ = ["check_base_url", "check_header", "check_path"]

_TOKEN: Final = frozenset(
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


def check_base_url(url: str) -> str:
    """Return a base URL without its last slash: http(s), a host, perhaps a port and a path."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        wrong = "must be http:// or https://, a host, and no more than a port and a path"
    elif "@" in parts.netloc:
        wrong = "must hold no user or password; use api_key or headers"
    elif "?" in url or "#" in url:
        wrong = "must have no query and no fragment"
    else:
        return url.rstrip("/")
    # the URL itself is not repeated: it may hold a password
    raise ConfigError(f"base_url: {wrong}", param="base_url")


def check_path(setting: str, path: str) -> str:
    """Return a path below the base URL; ``setting`` names it in the error."""
    if not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise ConfigError(f"{setting}: must be a path that begins with /", param=setting)
    if set(path) & set(" ?#"):
        raise ConfigError(f"{setting}: must have no query, fragment or space", param=setting)
    return path


def check_header(name: str, value: str | Secret) -> tuple[str, str]:
    """Return a header as it is sent. A line break in it would end the head early."""
    text = value.reveal() if isinstance(value, Secret) else value
    if not name or not set(name) <= _TOKEN:
        raise ConfigError(f"headers: {name!r} is not the name of a header", param="headers")
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ConfigError(
            f"the value of the header {name!r} must be printable ASCII without spaces around it",
            param="headers",
        )
    return name, text


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where the port is no number
    except ValueError:
        return None
    return parts
