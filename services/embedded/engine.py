"""The six services as the supervisor sees them: one process for all, or one for each."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.embedded.process import Command
from services.embedded.table import SIX, Row

_PROBE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the services find each other and their servers. `ports` maps each service to its gRPC port."""

    ports: Mapping[str, int]
    database_url: str
    redis_url: str
    jwks: Path
    service_key: Path

    def colocated(self, log: Path) -> Command:
        """Return the command that runs all six in one process."""
        return Command(argv=(sys.executable, "-m", "services.embedded.host"), log=log, env=self._environment())

    def separate(self, row: Row, log: Path) -> Command:
        """Return the command that runs one of them as a process of its own."""
        env = {**self._environment(), "PORT": str(self.ports[row.name])}
        return Command(argv=(sys.executable, "-m", f"services.{row.name}"), log=log, env=env)

    def serving(self, row: Row) -> bool:
        """Whether the service says SERVING."""
        request = health_pb2.HealthCheckRequest(service=row.full_name)
        # A new channel each time: one that found nobody waits a second and more before it looks again.
        with grpc.insecure_channel(f"127.0.0.1:{self.ports[row.name]}") as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_PROBE_TIMEOUT_S)
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def all_serving(self) -> bool:
        """Whether all six are."""
        return all(self.serving(row) for row in SIX)

    def missing(self) -> str:
        """Say, for people, which are not."""
        names = [row.name for row in SIX if not self.serving(row)]
        return f"waiting for {', '.join(names)}" if names else ""

    def _environment(self) -> dict[str, str]:
        """Ours on top of the caller's, which may hold keys and limits that the services read themselves."""
        ours = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "JWKS_FILE": str(self.jwks),
            "SERVICE_KEY_FILE": str(self.service_key),
            "LISTEN_HOST": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
            "PROVISION_SAMPLE_RULES": "true",
            **{row.address_variable: f"http://127.0.0.1:{self.ports[row.name]}" for row in SIX},
        }
        mislead = {"PORT", "HEALTH_PORT", "METRICS_PORT"}
        return {**{name: value for name, value in os.environ.items() if name not in mislead}, **ours}
