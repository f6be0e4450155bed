"""Envoy from its wheel: rendered, validated, started, drained."""

import contextlib
import http.client
import os
import signal
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from services.embedded import edge
from services.embedded.certificates import write_private
from services.embedded.failure import StackError
from services.embedded.process import Command
from services.embedded.wheels import locate

_DRAIN_S = 5
_PROBE_TIMEOUT_S = 1.0
_VALIDATE_TIMEOUT_S = 20
_OK = 200


@dataclass(frozen=True, slots=True)
class Envoy:
    """One edge. `config` is where its rendered configuration goes; `ca` verifies its own certificate."""

    settings: edge.EdgeSettings
    config: Path
    ca: Path

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"https://localhost:{self.settings.listen_port}"

    def prepare(self) -> None:
        """Render the configuration and let Envoy judge it. Raises StackError with Envoy's words."""
        write_private(self.config, edge.render(self.settings).encode())
        done = subprocess.run(  # noqa: S603 - our own binary
            [str(locate("envoy", "_bin/envoy")), "--mode", "validate", "-c", str(self.config), "-l", "error"],
            capture_output=True,
            text=True,
            timeout=_VALIDATE_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise StackError(f"Envoy refuses {self.config}: {done.stderr.strip()[-600:] or done.stdout.strip()[-600:]}")

    def command(self, log: Path) -> Command:
        """Return the command that runs it."""
        argv = (
            *(str(locate("envoy", "_bin/envoy")), "-c", str(self.config)),
            *("--concurrency", "2"),
            "--disable-hot-restart",  # two Envoys on one host would share its memory by base id
            *("--drain-time-s", str(_DRAIN_S), "--drain-strategy", "immediate"),
            *("--file-flush-interval-msec", "1000"),
            *("-l", "warning"),
        )
        return Command(argv=argv, log=log, env={"PATH": os.environ.get("PATH", os.defpath)}, stop_signal=signal.SIGTERM)

    def live(self) -> bool:
        """Whether it serves HTTPS: its own health answer, upstreams aside."""
        return self._get("/health") == _OK

    def ready(self) -> bool:
        """Whether it serves and all upstreams do."""
        return self._get("/ready") == _OK

    def drain(self) -> None:
        """Say "not ready", refuse new work, and wait for the running calls. SIGTERM alone cuts them off."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._post("/healthcheck/fail")
            self._post("/drain_listeners?graceful")
            until = time.monotonic() + _DRAIN_S
            while self._active() and time.monotonic() < until:
                time.sleep(0.05)

    def _active(self) -> int:
        answer = self._admin("GET", "/stats?filter=^http.edge.downstream_rq_active$")
        return int(answer.rpartition(":")[2] or 0)

    def _post(self, path: str) -> None:
        self._admin("POST", path)

    def _admin(self, method: str, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.admin_port, timeout=_PROBE_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path)
            return connection.getresponse().read().decode()

    def _get(self, path: str) -> int:
        trust = ssl.create_default_context(cafile=self.ca)
        port = self.settings.listen_port
        connection = http.client.HTTPSConnection("localhost", port, timeout=_PROBE_TIMEOUT_S, context=trust)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0
