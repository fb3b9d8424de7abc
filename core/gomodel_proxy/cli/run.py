"""``gomodel-proxy run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy import logs

from .reading import all_plugins, read

if TYPE_CHECKING:
    from gomodel_proxy.config import Configuration


def run(file: str | None) -> int:
    """Serve until told to stop; raises `ConfigError` for what cannot be served."""
    plugins = all_plugins()
    configuration = read(file, plugins)
    logs.setup(configuration.logs, secrets=configuration.secrets())

    from gomodel_proxy.http.server import run as serve
    from gomodel_proxy.http.workers import worker_port

    if worker_port() is None:  # workers read the same file; their parent has said it
        announce(configuration)
    return serve(configuration, plugins)


def announce(configuration: Configuration) -> None:
    """Log what loading noticed: providers left out, plugins that failed."""
    log = logs.logger()
    for notice in configuration.notices:
        getattr(log, notice.level)(notice.event, **notice.fields)
