"""Refuses at once what there is no room for."""

import asyncio
import time

from services import errors
from services.chassis.interceptors.rpc import LOCAL_PEER, Rpc
from services.chassis.metrics import Metrics
from services.errors import Reason

RETRY_AFTER_S = 0.5
# A drain ends when nobody has called for this long, or when refused callers have come back for this long.
QUIET_S = 0.05
PATIENCE_S = 1.0


class Admission:
    """Bounds how many RPCs a service works on. Nothing queues: a refusal in a millisecond beats an answer too late."""

    def __init__(self, service: str, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._active = 0
        self._closed = False
        self._draining = False
        self._idle = asyncio.Event()
        self._last = time.monotonic()
        self._gauge = metrics.request_queue_length.labels(service)
        self._refused = metrics.rpc_server_refused
        self._service = service

    async def drain(self, grace_s: float) -> bool:
        """Refuse new calls from outside and wait for those under way; says whether they all ended within `grace_s`.

        Calls in process are still let in: what is under way in a neighbour may need this service to end. Refusing
        here and not by stopping the server, because gRPC answers calls that cross with a stop CANCELLED, which no
        client repeats; ours are told UNAVAILABLE, which says that nothing was done.
        """
        self._draining = True
        if self._active:
            try:
                async with asyncio.timeout(grace_s):
                    await self._idle.wait()
            except TimeoutError:
                return False
        # Whoever was answered last may be calling again this very moment, and is to be refused, not cut off.
        until = time.monotonic() + PATIENCE_S
        while (quiet := time.monotonic() - self._last) < QUIET_S and time.monotonic() < until:  # noqa: ASYNC110 - quiet is no event
            await asyncio.sleep(QUIET_S - quiet)
        return True

    def close(self) -> None:
        """Take nothing more at all: the service stops."""
        self._closed = True

    def enter(self, rpc: Rpc) -> None:
        """Let the RPC in, or raise Unavailable (SHUTTING_DOWN) or Overloaded."""
        self._last = rpc.began
        if self._closed or (self._draining and rpc.context.peer() != LOCAL_PEER):
            self._refused.labels(self._service, Reason.SHUTTING_DOWN.value).inc()
            raise errors.Unavailable("the server is draining", reason=Reason.SHUTTING_DOWN, retry_after=0.1)
        if self._active >= self._limit:
            self._refused.labels(self._service, Reason.OVERLOADED.value).inc()
            raise errors.Overloaded("too many calls at once", retry_after=RETRY_AFTER_S)
        self._active += 1
        self._gauge.set(self._active)

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:  # noqa: ARG002
        """Make room."""
        self._active -= 1
        self._gauge.set(self._active)
        if self._draining and not self._active:
            self._idle.set()
        return error
