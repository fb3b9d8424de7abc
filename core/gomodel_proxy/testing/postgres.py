"""One PostgreSQL for a whole test run, however many processes it has.

``GOMODEL_TEST_POSTGRES`` names a running server. Without it one is started, and stopped when the
last process that uses it has ended, killed or not: this module, run with a folder, waits for that.
Run without one, it says whether tests can have a server here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from .postgres_server import NoPostgres, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NAMED", "NoPostgres", "shared_server"]

NAMED: Final = "GOMODEL_TEST_POSTGRES"
READY: Final = "url"
USERS: Final = "users"


@contextmanager
def shared_server(run: str) -> Iterator[str]:
    """Return the URL of a server that every process of this ``run`` shares."""
    if named := os.environ.get(NAMED):
        yield named
        return
    folder = Path(tempfile.gettempdir()) / f"gomodel-postgres-{run}"
    with ExitStack() as stack:
        start = _join(folder, stack)
        if not (folder / READY).exists():
            _watch(folder)
        url = (folder / READY).read_text()
        fcntl.flock(start, fcntl.LOCK_UN)
        yield url


def _join(folder: Path, stack: ExitStack) -> IO[bytes]:
    """Become a user of a folder, until ``stack`` or this process ends; return its locked start.

    The kernel releases what a killed process had locked. The last user's watcher may be deleting
    the folder right now; then it is made anew.
    """
    while True:
        folder.mkdir(mode=0o755, exist_ok=True)
        with suppress(FileNotFoundError), ExitStack() as opened:
            start, users = (opened.enter_context(_open(folder / name)) for name in ("start", USERS))
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if all(
                os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
                for file in (start, users)
            ):
                stack.enter_context(opened.pop_all())
                return start


def _watch(folder: Path) -> None:
    """Start the process that runs the server; return when the server answers."""
    watcher = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", __spec__.name, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what is meant for the tests, Ctrl-C say, does not concern it
        text=True,
    )
    assert watcher.stdout is not None
    with watcher.stdout:
        said = watcher.stdout.readline().strip()
    if said != READY:
        raise NoPostgres(said or "the server's watcher died")
    watcher.returncode = 0  # it ends after us, so nobody waits for it


def serve(folder: Path) -> None:
    """Run a server until nobody uses it any more."""
    server_folder = folder / "server"
    server_folder.mkdir(exist_ok=True)
    try:
        server = PostgresServer(server_folder)
        server.start()
    except (NoPostgres, OSError) as error:
        print(str(error).replace("\n", " "), flush=True)  # noqa: T201
        shutil.rmtree(folder)
        return
    (folder / READY).write_text(server.url)
    print(READY, flush=True)  # noqa: T201
    with _open(folder / USERS) as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        server.stop()
        shutil.rmtree(folder)  # while it is locked: who waits for it sees that it has gone


def _open(path: Path) -> IO[bytes]:
    return open(path, "ab")


def main() -> int:
    """Serve a folder, or say whether that could be done."""
    if len(sys.argv) > 1:
        serve(Path(sys.argv[1]))
        return 0
    try:
        with shared_server(f"check-{os.getpid()}"):
            print("PostgreSQL for the tests: there is one")  # noqa: T201
    except NoPostgres as error:
        print(f"PostgreSQL for the tests: none: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
