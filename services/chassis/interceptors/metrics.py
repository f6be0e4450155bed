"""Counts RPCs and measures them."""

import time

import grpc
from prometheus_client import Gauge, Histogram

from services.chassis.interceptors.rpc import Method, Rpc
from services.chassis.metrics import Metrics


class MetricsInterceptor:
    """Durations by method and code, and how many are under way."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # Finding a labelled child costs more than observing it, and there are few.
        self._durations: dict[tuple[Method, grpc.StatusCode], Histogram] = {}
        self._active: dict[Method, Gauge] = {}

    def enter(self, rpc: Rpc) -> None:
        """Count the RPC as under way."""
        active = self._active.get(rpc.method)
        if active is None:
            active = self._metrics.rpc_server_active.labels(rpc.method.service, rpc.method.name)
            self._active[rpc.method] = active
        active.inc()

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Record how long it took and how it ended."""
        self._active[rpc.method].dec()
        key = (rpc.method, rpc.code)
        duration = self._durations.get(key)
        if duration is None:
            duration = self._metrics.rpc_server_duration.labels(rpc.method.service, rpc.method.name, rpc.code.name)
            self._durations[key] = duration
        duration.observe(time.monotonic() - rpc.began)
        return error
