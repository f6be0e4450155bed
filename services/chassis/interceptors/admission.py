"""Refuses at once what there is no room for."""

from services import errors
from services.chassis.interceptors.rpc import Rpc
from services.chassis.metrics import Metrics
from services.errors import Reason

RETRY_AFTER_S = 0.5


class Admission:
    """Bounds how many RPCs a service works on. Nothing queues: a refusal in a millisecond beats an answer too late."""

    def __init__(self, service: str, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._active = 0
        self._closed = False
        self._gauge = metrics.request_queue_length.labels(service)
        self._refused = metrics.rpc_server_refused
        self._service = service

    @property
    def active(self) -> int:
        """How many RPCs are being worked on."""
        return self._active

    def close(self) -> None:
        """Take no more: the service stops."""
        self._closed = True

    def enter(self, rpc: Rpc) -> None:  # noqa: ARG002
        """Let the RPC in, or raise Unavailable (SHUTTING_DOWN) or Overloaded."""
        if self._closed:
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
        return error
