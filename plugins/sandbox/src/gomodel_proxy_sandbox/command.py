"""The command: ``gomodel-proxy sandbox``, the sandbox as a server of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest

from .server import serving

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["HELP", "arguments", "run"]

HELP = "serve offline models that can be slow or wrong, for tests"


def arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--faults", default="", help="for all models, such as first=500ms+rate=20")
    parser.add_argument("--record", metavar="FILE", help="append each request to FILE as JSON")


def run(options: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        asyncio.run(_serve(options))
    except (InvalidRequest, OSError) as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
        return 2
    return 0


async def _serve(options: Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt does it
            loop.add_signal_handler(number, stop.set)
    async with serving(
        host=options.host, port=options.port, faults=options.faults, record=options.record
    ) as server:
        host, port = server.address
        sys.stdout.write(f"sandbox listening on http://{host}:{port}\n")
        sys.stdout.flush()
        await stop.wait()
