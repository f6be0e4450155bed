"""One line for each RPC."""

import time

import grpc
import structlog

from services.chassis.interceptors.rpc import Rpc
from services.errors import FactoryError

log = structlog.get_logger("access")

# What a caller did is information; what we could not do is a warning.
_OURS = frozenset(
    {
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)


class Log:
    """Says who asked for what and how it ended. Never what was said: requests may hold what people wrote."""

    def enter(self, rpc: Rpc) -> None:
        """Nothing is known yet."""

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Write the line: at DEBUG for health checks, WARNING for our failures, INFO otherwise."""
        if rpc.method.open:
            write = log.debug
        elif rpc.code in _OURS:
            write = log.warning
        else:
            write = log.info
        facts: dict[str, object] = {
            "method": rpc.method.path,
            "code": rpc.code.name,
            "ms": round((time.monotonic() - rpc.began) * 1000, 3),
            "request_id": rpc.request_id,
            "tenant": rpc.tenant,
            "subject": rpc.principal.subject,
        }
        if isinstance(error, FactoryError):
            facts["reason"] = error.reason.value
        write("rpc", **facts)
        return error
