"""Several worker processes on one port: a parent that starts them, respawns them, and ends them.

Linux only: the kernel shares out connections among sockets bound with SO_REUSEPORT. The parent
binds too, without listening, so that the port is checked once and kept. A pipe tells workers that
their parent has gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

import structlog

from gomodel_proxy.api import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.config import Configuration

__all__ = ["lifeline", "supervise", "worker_port"]

_PORT: Final = "GOMODEL_WORKER_PORT"
_PIPE: Final = "GOMODEL_WORKER_PIPE"
_QUICK: Final = 2.0  # a worker that lived shorter than this (seconds) failed to start
_TRIES: Final = 5


def worker_port() -> int | None:
    """Return the shared port if this process is a worker, else None."""
    port = os.environ.get(_PORT)
    return int(port) if port else None


def lifeline(gone: Callable[[], None]) -> None:
    """Call ``gone`` when the parent of this worker has died."""
    pipe = int(os.environ[_PIPE])

    def closed() -> None:
        loop.remove_reader(pipe)
        gone()

    loop = asyncio.get_running_loop()
    loop.add_reader(pipe, closed)


def supervise(configuration: Configuration) -> int:
    """Run ``server.workers`` workers until SIGTERM or SIGINT; return the exit status."""
    settings = configuration.server
    with socket.socket(
        socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM
    ) as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reserved.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigError(
                f"Cannot listen on {settings.host}:{settings.port} "
                f"(server.host, server.port): {error.strerror or error}."
            ) from None
        reading, writing = os.pipe()
        os.set_inheritable(reading, True)
        try:
            port = reserved.getsockname()[1]
            return asyncio.run(_Supervisor(settings.workers, port, reading).run())
        finally:
            os.close(reading)
            os.close(writing)


class _Supervisor:
    def __init__(self, count: int, port: int, pipe: int) -> None:
        self._count = count
        self._pipe = pipe
        self._environ = {**os.environ, _PORT: str(port), _PIPE: str(pipe)}
        self._stopping = False
        self._failed = False
        self._running: set[asyncio.subprocess.Process] = set()
        self._log = structlog.get_logger()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop)
        await asyncio.gather(*(self._keep(number) for number in range(self._count)))
        return 1 if self._failed else 0

    def _stop(self) -> None:
        self._stopping = True
        for process in self._running:
            process.send_signal(signal.SIGTERM)

    async def _keep(self, number: int) -> None:
        """Keep one worker alive, giving up when it cannot start."""
        quick = 0
        while not self._stopping and quick < _TRIES:
            begun = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gomodel_proxy",
                *sys.argv[1:],
                env=self._environ,
                pass_fds=(self._pipe,),
                start_new_session=True,  # a terminal's Ctrl-C reaches the parent alone
            )
            self._running.add(process)
            status = await process.wait()
            self._running.discard(process)
            if self._stopping:
                return
            # One that was killed did start; one that ends by itself so soon never will.
            quick = quick + 1 if status >= 0 and time.monotonic() - begun < _QUICK else 0
            self._log.error("worker.died", number=number, status=status, quick=quick)
        if not self._stopping:
            self._failed = True
            self._stop()
