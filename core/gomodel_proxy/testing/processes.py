"""The gateway and the sandbox as processes of their own: for signals, crashes and real TCP."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["GatewayProcess", "Process", "SandboxProcess"]

_START = 30.0  # seconds


class Process:
    """A command that says on a line where it listens. ``url`` and ``port`` are read from there."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str] | None = None) -> None:
        self._output: list[str] = []
        self._drain: threading.Thread | None = None
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
        try:
            self.url = self._address()
        except BaseException:
            self.kill()
            raise
        self.port = int(self.url.rpartition(":")[2])
        # A pipe that nobody reads fills up and stops the writer.
        self._drain = threading.Thread(target=self._read, daemon=True)
        self._drain.start()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def _address(self) -> str:
        deadline = time.monotonic() + _START
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            text = ""
            while time.monotonic() < deadline:
                if not selector.select(deadline - time.monotonic()):
                    break
                piece = os.read(self._pipe.fileno(), 65536).decode(errors="replace")
                text += piece
                found = re.search(r"listening.*?(http://[^\s\"'\x1b]+)", text, re.DOTALL)
                found = found or re.search(r"(http://[^\s\"'\x1b]+).*?listening", text)
                if found:
                    self._output.append(text)
                    return found[1]
                if not piece:
                    break
        raise RuntimeError(f"did not start within {_START:g} s:\n{text}")

    def kill(self) -> None:
        """SIGKILL, the children too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._close()
        return self.process.returncode

    def _read(self) -> None:
        # Workers that outlive a killed parent keep the pipe open after we have closed our end.
        with contextlib.suppress(OSError, ValueError):
            while piece := os.read(self._pipe.fileno(), 65536):
                self._output.append(piece.decode(errors="replace"))

    def _close(self) -> None:
        if self._drain is not None:
            self._drain.join(5.0)
        self._pipe.close()

    @property
    def output(self) -> str:
        """What it has printed, once it has ended."""
        return "".join(self._output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._close()


class SandboxProcess(Process):
    """``gomodel-proxy sandbox`` on a free port, the upstream with faults."""

    def __init__(self, *options: str, port: int = 0) -> None:
        super().__init__(["gomodel_proxy", "sandbox", "--port", str(port), *options])


class GatewayProcess(Process):
    """``gomodel-proxy --config FILE``. What it prints goes to ``output``."""

    def __init__(self, config: Path, *, environ: Mapping[str, str] | None = None) -> None:
        super().__init__(["gomodel_proxy", "--config", str(config)], environ=environ)
