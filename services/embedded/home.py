"""The folder in which one embedded stack lives. Everything in it is private to its owner.

DIR/lock            held while a supervisor runs: two never share a home
DIR/state.json      what runs, for `status` and `down`
DIR/postgres valkey data and passwords
DIR/tls keys        development CA, server certificate; key that signs tokens
DIR/envoy.json      the edge's configuration as last rendered
DIR/logs            one file a part
DIR/run             Unix sockets (elsewhere when the path would be too long for one)
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.embedded.certificates import Certificates
from services.embedded.failure import StackError
from services.embedded.keys import Keys

_CHECKOUT = Path(__file__).resolve().parents[2]
# 108 bytes on Linux, 104 on macOS, less the longest name that we put into the folder.
_LONGEST_SOCKET_FOLDER = 103 - len("/postgres/.s.PGSQL.5432.lock")


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of one home. `root` is absolute."""

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data and password."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's data, password and configuration."""
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """What runs."""
        return self.root / "state.json"

    @property
    def envoy(self) -> Path:
        """The rendered configuration of the edge."""
        return self.root / "envoy.json"

    @property
    def certificates(self) -> Certificates:
        """CA and server certificate."""
        return Certificates.within(self.root / "tls")

    @property
    def keys(self) -> Keys:
        """Token key and JWKS."""
        return Keys.within(self.root / "keys")

    @property
    def sockets(self) -> Path:
        """Folder of the Unix sockets: ours, or a private one of the same name each time under /tmp."""
        own = self.root / "run"
        if len(os.fsencode(own)) <= _LONGEST_SOCKET_FOLDER:
            return own
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"factoryai-{os.geteuid()}-{digest}"  # noqa: S108 - checked to be ours before use

    def create(self) -> None:
        """Make the folders where they are missing. Raises StackError when the home is not ours to write."""
        tls, keys = self.certificates.ca.parent, self.keys.private.parent
        try:
            for folder in (self.root, self.postgres, self.valkey, self.logs, tls, keys):
                folder.mkdir(mode=0o700, parents=folder is self.root, exist_ok=True)
            if self.root.stat().st_mode & 0o077 and os.geteuid() != 0:
                self.root.chmod(0o700)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            _refuse_strangers(self.sockets)
            (self.sockets / "postgres").mkdir(mode=0o700, exist_ok=True)
        except OSError as refused:
            raise StackError(
                f"The home {self.root} cannot be used: {refused.strerror} ({refused.filename}). "
                "Name a folder of your own with --home DIR or FACTORYAI_HOME."
            ) from refused

    def tidy(self) -> None:
        """Remove what lies outside of the home: a socket folder under /tmp."""
        if not self.sockets.is_relative_to(self.root):
            shutil.rmtree(self.sockets, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home. Raises StackError at once when another supervisor holds it; a crash releases it."""
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"A stack is already running in {self.root}. See it with `factoryai status`, "
                    "stop it with `factoryai down`, or start another one with --home DIR."
                ) from None
            yield


def at(folder: Path) -> Home:
    """Return the home at `folder`, which need not exist."""
    return Home(Path(os.path.abspath(folder.expanduser())))  # noqa: PTH100 - resolve() would follow a symlinked home


def default() -> Path:
    """Return the home where none is named: `.factoryai` in the checkout, or the user's own where that is read-only."""
    own = _CHECKOUT / ".factoryai"
    if os.access(own if own.exists() else _CHECKOUT, os.W_OK):
        return own
    return Path.home() / ".factoryai"


def _refuse_strangers(folder: Path) -> None:
    """Under /tmp somebody else may have made the folder first, to read what we would put there."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise StackError(f"{folder} belongs to somebody else. Remove it, or choose a shorter --home.")
