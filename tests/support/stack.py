"""Real parts for tests: PostgreSQL 18, Valkey and the whole stack, one of each per session, nothing left behind."""

import contextlib
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.embedded import api, identity, postgres, process, valkey
from services.embedded.progress import Progress

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


@dataclass(frozen=True)
class RunningStack:
    """The whole embedded stack, started by `up --detach`. `token` is good for the tenant `default`, role admin."""

    home: Path
    url: str
    ca_file: Path
    token: str
    progress: tuple[Progress, ...]

    def client(self) -> httpx.AsyncClient:
        """A REST client with the token."""
        trust = ssl.create_default_context(cafile=self.ca_file)
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=self.url, verify=trust, headers=headers, timeout=35)

    def pid(self, part: str) -> int:
        """Process id of a part, from `status`."""
        return api.status(self.home).parts[part].pid


@pytest.fixture(scope="session")
def stack(short_folder: Path) -> Iterator[RunningStack]:
    """The whole embedded stack on ports of its own; shared, so leave it running as it was."""
    with running_stack(short_folder / "home") as running:
        yield running


@contextlib.contextmanager
def running_stack(home: Path, **environment: str) -> Iterator[RunningStack]:
    """Start a stack, and stop it at the end whatever happened. Its environment has no servers but those given."""
    steps: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "REDIS_URL", "FACTORYAI_HOME"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        status = api.up(home, detach=True, on_progress=steps.append)
    try:
        yield RunningStack(home, status.url, Path(status.ca_file), api.dev_token(home), tuple(steps))
    finally:
        api.down(home)
