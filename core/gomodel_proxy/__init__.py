"""gomodel-proxy: one API over every provider of language models, extended by plugins.

`create_app` makes an aiohttp application, `Gateway` an object to call without a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .http.app import create_app
    from .http.gateway import Gateway

__version__ = "0.1.0"
__all__ = ["Gateway", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    # Plugins import submodules of this package; they shall not pay for aiohttp.
    if name == "create_app":
        from .http.app import create_app

        return create_app
    if name == "Gateway":
        from .http.gateway import Gateway

        return Gateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
