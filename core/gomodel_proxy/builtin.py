"""What the core itself offers, through the same hooks as every plugin."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Kind, Principal
from gomodel_proxy.config.settings import Auth
from gomodel_proxy.engine.admission import Keys
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.http.transports import KINDS
from gomodel_proxy.wire.openai import DIALECTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gomodel_proxy.api import Authenticator, Dialect, Runtime, Transport

NAME = "builtin"


@hookimpl
def gomodel_dialects() -> Sequence[Dialect]:
    """Offer OpenAI's dialects."""
    return DIALECTS


@hookimpl
def gomodel_transports() -> Sequence[Kind[Transport]]:
    """Offer HTTP, by our own client and by aiohttp's."""
    return KINDS


@hookimpl
def gomodel_authenticators() -> Sequence[Kind[Authenticator]]:
    """Offer the keys of ``[auth]``."""
    return [Kind("keys", Auth, _open_keys)]


@asynccontextmanager
async def _open_keys(auth: Any, runtime: Runtime) -> AsyncIterator[Keys]:
    keys = [
        (key.key, Principal(id=name, user_path=key.user_path, admin=key.admin))
        for name, key in auth.keys.items()
    ]
    if auth.master_key:
        keys.append((auth.master_key, Principal(id="master", admin=True)))
    yield Keys(keys)
