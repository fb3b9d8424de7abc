"""``gomodel-proxy config sample``."""

from __future__ import annotations

from gomodel_proxy.config.sample import render
from gomodel_proxy.plugins import Plugins


def sample() -> int:
    """Print the sample configuration."""
    print(render(Plugins()), end="")
    return 0
