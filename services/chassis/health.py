"""gRPC health: NOT_SERVING until proven otherwise, and never a promise about the model, the cache or a neighbour."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services import errors

Status = health_pb2.HealthCheckResponse.ServingStatus
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN_SERVICE = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

# Names that a kubelet asks for: is the loop turning; may requests come.
LIVENESS = "liveness"
READINESS = "readiness"


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # grpc_health has no types
    """The health of one process. "" and "readiness" are SERVING when all its services are.

    grpcio's own servicer starts as SERVING, and its watchers hold up a drain; this one does neither.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = tuple(services)
        self._statuses: dict[str, Any] = dict.fromkeys(("", READINESS, *self._services), NOT_SERVING)
        # Who can answer is alive: the loop turned for it.
        self._statuses[LIVENESS] = SERVING
        self._changed = asyncio.Event()
        self._draining = False
        self._closed = False

    def set(self, service: str, *, ready: bool) -> None:
        """Set one service's status. Nothing becomes SERVING again once the drain has begun."""
        self._put(service, SERVING if ready and not self._draining else NOT_SERVING)
        everything = all(self._statuses[each] == SERVING for each in self._services)
        for name in ("", READINESS):
            self._put(name, SERVING if everything else NOT_SERVING)

    def drain(self) -> None:
        """Become NOT_SERVING for good, except for liveness: a draining process must not be killed."""
        self._draining = True
        for service in self._services:
            self.set(service, ready=False)

    def close(self) -> None:
        """End all watches."""
        self._closed = True
        self._notify()

    def ready(self) -> bool:
        """Say whether all services are ready."""
        return bool(self._statuses[READINESS] == SERVING)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - gRPC's names
        """Answer the status of a service. Raises NotFound for a name that is not here."""
        status = self._statuses.get(request.service)
        if status is None:
            raise errors.NotFound("no such service is served here", metadata={"resource": request.service[:100]})
        return health_pb2.HealthCheckResponse(status=status)

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - gRPC's names
        """Answer all statuses."""
        return health_pb2.HealthListResponse(
            statuses={name: health_pb2.HealthCheckResponse(status=value) for name, value in self._statuses.items()}
        )

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802, ARG002 - gRPC's names
        """Send the status of a service now and whenever it changes, until the server stops."""
        last = None
        while True:
            changed = self._changed
            status = self._statuses.get(request.service, UNKNOWN_SERVICE)
            if status != last:
                yield health_pb2.HealthCheckResponse(status=status)
                last = status
            if self._closed:
                return
            await changed.wait()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    def _put(self, service: str, status: Any) -> None:
        if self._statuses.get(service) != status:
            self._statuses[service] = status
            self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
