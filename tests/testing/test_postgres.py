"""The PostgreSQL of a test run: shared, stopped with its last user, loudly missed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from gomodel_proxy.testing import postgres_server
from gomodel_proxy.testing.plugin import NO_POSTGRES
from gomodel_proxy.testing.postgres import NAMED, shared_server
from gomodel_proxy.testing.postgres_server import NoPostgres, PostgresServer
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = os.geteuid() == 0
USER = """
import sys
from gomodel_proxy.testing.postgres import shared_server
with shared_server(sys.argv[1]) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others than root may be let into."""
    with tempfile.TemporaryDirectory(prefix="gomodel-postgres-") as path:
        yield Path(path)


@pytest.fixture(autouse=True)
def _unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAMED, raising=False)


def installation(only: str = "") -> postgres_server.Installation:
    """Return one whose path has ``only`` in it; skips if there is none."""
    for found in postgres_server.installed():
        if only in str(found.programs):
            return found
    pytest.skip(f"{NO_POSTGRES}: no programs in {only!r}")


def started(run: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", USER, run], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


async def version(url: str) -> str:
    connection = await asyncpg.connect(url)
    found: str = await connection.fetchval("SHOW server_version")
    await connection.close()
    return found


async def test_processes_of_a_run_share_one_until_the_last_has_ended() -> None:
    installation()
    run = f"test-{uuid4().hex[:8]}"
    (one, url), (two, same) = started(run), started(run)
    with one, two:
        assert url == same
        socket = Path(url.partition("host=")[2])
        assert await version(url)
        one.kill()
        one.wait()
        assert await version(url)
        two.send_signal(signal.SIGKILL)
        two.wait()
    await until(lambda: not socket.parent.exists(), 30)
    with pytest.raises(OSError):
        await version(url)


async def test_a_named_server_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMED, "postgresql://elsewhere/")
    with shared_server("any") as url:
        assert url == "postgresql://elsewhere/"


async def test_programs_from_pip_serve_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = installation("pixeltable")
    monkeypatch.setattr(postgres_server, "installed", lambda: iter([found]))
    server = PostgresServer(folder)
    server.start()
    try:
        assert await version(server.url)
    finally:
        server.stop()


async def test_data_stay_while_it_is_stopped(folder: Path) -> None:
    installation()
    server = PostgresServer(folder)
    for crash in (False, True):
        server.start()
        connection = await asyncpg.connect(server.url)
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        if crash:
            assert await connection.fetchval("SELECT count(*) FROM kept") == 2
        await connection.close()
        server.stop(crash=crash)


@pytest.mark.skipif(not ROOT, reason="only root can read what others cannot")
async def test_programs_that_only_root_can_read_are_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    found = installation("pixeltable")
    unreadable = found._replace(
        programs=found.copy(hidden),
        folders=[hidden / original.name for original in found.folders],
    )
    monkeypatch.setattr(postgres_server, "installed", lambda: iter([unreadable]))
    server = PostgresServer(folder)
    server.start()
    try:
        assert await version(server.url)
    finally:
        server.stop()


def test_where_there_is_none_it_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "installed", lambda: iter(()))
    with pytest.raises(NoPostgres, match=f"{NAMED}.*apt-get install.*pip install"):
        PostgresServer(folder)


def test_a_skip_is_loud(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from gomodel_proxy.testing import postgres\n"
        "def none(run):\n    raise postgres.NoPostgres('nothing here')\n"
        "postgres.shared_server = none\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it(postgres_server): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "1 skipped" in done.stdout
    assert f"{NO_POSTGRES} ===" in done.stdout
    assert "nothing here" in done.stdout
