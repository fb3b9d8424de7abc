"""The gateway inside somebody's application. Run as ``python -m bench.host PORT CONFIG``."""

from __future__ import annotations

import sys
from pathlib import Path

from aiohttp import web

import gomodel_proxy


def main(port: int, config: Path) -> None:
    """Serve the gateway under ``/llm`` until killed."""
    app = web.Application()
    app.add_subapp("/llm", gomodel_proxy.create_app(config))
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
