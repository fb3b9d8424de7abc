"""The processes of a run: started on their processor, awaited, stopped together."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.meter import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
ABSENT = ROOT / "bench" / "absent"
GATEWAY_CPU = 0
LOAD_CPU = 1


def pinned(argv: Sequence[str | Path], cpu: int) -> list[str]:
    """Return the command bound to one processor, unless there is only one."""
    bind = ["taskset", "-c", str(cpu)] if (os.cpu_count() or 1) > 1 else []
    return [*bind, *map(str, argv)]


def surroundings(*modules: Path) -> dict[str, str]:
    """Return the environment of what is measured, with folders of further modules.

    Byte code is kept, as users' machines do, and what only a checkout brings is hidden.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, (*modules, ABSENT)))}


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def python(module: str, *arguments: str | Path) -> list[str | Path]:
    """Return the command that runs a module of the bench."""
    return [sys.executable, "-m", f"bench.{module}", *arguments]


def tool(name: str) -> str:
    """Return the path of a program, or leave with how to install it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        sys.exit(f"{name} is missing. On Debian: apt-get install nginx-light wrk")
    return found


class Fleet(ExitStack):
    """Long-running processes; leaving stops them, the last started first."""

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        cpu: int,
        log: Path,
        modules: Sequence[Path] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a process; what it prints goes to ``log``, ``modules`` are folders of modules."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                pinned(argv, cpu),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=ROOT,
                env=surroundings(*modules),
            )
        self.callback(stop, process)
        return process

    def serve(
        self,
        argv: Sequence[str | Path],
        *,
        cpu: int,
        log: Path,
        port: int,
        modules: Sequence[Path] = (),
    ) -> Tree:
        """Start a server and wait until it listens."""
        process = self.start(argv, cpu=cpu, log=log, modules=modules)
        if not listens(process, port):
            sys.exit(f"{argv[0]} did not start:\n{log.read_text()[-2000:]}")
        return Tree(process.pid)


def listens(process: subprocess.Popen[bytes], port: int, seconds: float = 15) -> bool:
    """Wait until something accepts connections; False if the process ends or time runs out."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.002)
        else:
            return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, first gently."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
