"""Continues the caller's trace."""

import re

from opentelemetry.trace import SpanKind

from services.chassis.interceptors.rpc import Rpc
from services.chassis.tracing import HEADER, Tracing

_WELL_FORMED = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


class TracingInterceptor:
    """Opens a server span under the caller's, or hands the caller's context on where nothing is recorded."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def enter(self, rpc: Rpc) -> None:
        """Open the span."""
        given = rpc.headers.get(HEADER, "")
        if given and _WELL_FORMED(given):
            rpc.traceparent = given
        if self._tracing.recording and not rpc.method.open:
            rpc.span = self._tracing.begin(
                rpc.method.path[1:],
                SpanKind.SERVER,
                {HEADER: rpc.traceparent} if rpc.traceparent else {},
                {
                    "rpc.system": "grpc",
                    "rpc.service": rpc.method.service,
                    "rpc.method": rpc.method.name,
                    "request.id": rpc.request_id,
                },
            )
            rpc.traceparent = self._tracing.current(rpc.traceparent)

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Close it with the code."""
        if rpc.span is not None:
            self._tracing.end(rpc.span, rpc.code.name, failed=error is not None)
        return error
