"""Real parts for tests: PostgreSQL 18 and Valkey on Unix sockets, one of each per session, nothing left behind."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.embedded import identity, postgres, process, valkey

_PATIENCE_S = 30.0
# Tests kill no power supply: without fsync a suite is several times faster.
_NO_FSYNC = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A private folder whose path is short enough for Unix sockets, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="fa-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(short_folder: Path) -> Iterator[str]:
    """Fresh database of this session on a real PostgreSQL 18: a role that may create roles and is no superuser."""
    folder = short_folder / "pg"
    sockets = folder / "s"
    sockets.mkdir(parents=True)
    who = identity.choose(postgres.binaries() / "postgres", folder, within=short_folder)
    who.claim(sockets, within=short_folder)
    server = postgres.Postgres(folder, sockets, who, _NO_FSYNC)
    server.initialise()
    with running(server.command(folder / "log"), server.ready):
        yield server.url()


@pytest.fixture(scope="session")
def valkey_url(short_folder: Path) -> Iterator[str]:
    """URL of an empty real Valkey."""
    folder = short_folder / "valkey"
    folder.mkdir()
    server = valkey.Valkey(folder, folder)
    server.initialise()
    with running(server.command(folder / "log"), lambda _: server.ready()):
        yield server.url()


@contextlib.contextmanager
def running(command: process.Command, ready: Callable[[int], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends; it starts when `ready(pid)` says so."""
    child = process.spawn(command)
    try:
        wait_for(lambda: ready(child.pid), f"{command.argv[0]} to be ready, see {command.log}")
        yield child
    finally:
        process.stop(child, command.stop_signal, grace_s=10)


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Poll until `condition()` holds; fail with `what` was waited for."""
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until, f"waited {patience_s} s in vain for {what}"
        time.sleep(0.02)
