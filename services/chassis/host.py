"""Runs services: one alone, or several in one process on their own ports with calls between them in process."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from services.chassis.auth import ServiceTokens
from services.chassis.cache import Cache, MemoryCache, ValkeyCache
from services.chassis.channels import Channels
from services.chassis.clock import Clock, SystemClock
from services.chassis.health import Health
from services.chassis.inprocess import LocalServices
from services.chassis.interceptors.chain import Chain
from services.chassis.interceptors.errors import Errors
from services.chassis.interceptors.metrics import MetricsInterceptor
from services.chassis.interceptors.request_id import RequestId
from services.chassis.interceptors.validate import Validate
from services.chassis.metrics import Metrics
from services.chassis.ops import Ops
from services.chassis.server import Platform, Service, ServiceServer, full_names, health_server
from services.chassis.settings import ServiceSettings
from services.chassis.tracing import Tracing

log = structlog.get_logger(__name__)

READY_POLL_S = 0.1
STEADY_POLL_S = 1.0
READY_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Part:
    """A service to run: its settings, and the wiring that builds it from them."""

    settings: Any  # the settings class of the service that `build` wants
    build: Callable[[Any, Platform], Service]


class Host:
    """The services of one process, from start to drained.

    The first part's settings decide what the process has once: health and metrics ports, traces, drain times.
    `process` names it in logs and traces. With `in_process` False, services call each other over sockets even though
    they share the process. `tracing` replaces what the settings say, for tests.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        process: str = "host",
        clock: Clock | None = None,
        tracing: Tracing | None = None,
        in_process: bool = True,
    ) -> None:
        if not parts:
            raise ValueError("there is nothing to run")
        first: ServiceSettings = parts[0].settings
        self._settings = first
        self._process = process
        self._in_process = in_process
        self.clock = clock or SystemClock()
        self.metrics = Metrics()
        self._tracing = tracing or Tracing.otlp(first.otlp_endpoint, process=process, ratio=first.trace_sample_ratio)
        self.local = LocalServices()
        # One table for all: what is learned when ports open holds for every service of the process.
        self.addresses = first.addresses()
        self._caches: dict[str, ValkeyCache] = {}
        self._memory = MemoryCache(self.clock)
        self._channels: list[Channels] = []
        self._watchers: list[asyncio.Task[None]] = []
        built = [(part.settings, part.build(part.settings, self._platform(part.settings))) for part in parts]
        self.health = Health(full_names(service for _, service in built))
        self.servers = [
            ServiceServer(service, settings, self.health, clock=self.clock, metrics=self.metrics, tracing=self._tracing)
            for settings, service in built
        ]
        validate = Validate()
        bare = (RequestId(self.clock), MetricsInterceptor(self.metrics), Errors(), validate)
        self._health_server = health_server(self.health, Chain(bare, validate=validate, max_receive_bytes=64 * 1024))
        self._ops = Ops(self.metrics, self.health)
        self.health_port = 0
        self.metrics_port = 0

    def platform(self) -> Platform:
        """Return a platform for callers in this process that are no service themselves, such as a test."""
        return self._platform(self._settings)

    async def start(self) -> None:
        """Open all ports, then start the services, which get ready in the background.

        Health comes first and says NOT_SERVING. Raises RuntimeError or OSError when a port is taken.
        """
        for server in self.servers:
            if self._in_process:
                self.local.add(server.service.name, server.methods)
        self.health_port = self._health_server.add_insecure_port(f"{self._settings.host}:{self._settings.health_port}")
        await self._health_server.start()
        self.metrics_port = await self._ops.start(self._settings.host, self._settings.metrics_port)
        for server in self.servers:
            await server.start()
            self.addresses[server.service.name] = f"http://{_reachable(server.settings.host)}:{server.port}"
            log.info("listening", service=server.service.name, host=server.settings.host, port=server.port)
        for server in self.servers:
            await server.service.start()
            self._watchers.append(asyncio.create_task(self._watch(server), name=f"ready {server.service.name}"))
        self._watchers.append(asyncio.create_task(self._feel_the_loop(), name="event loop lag"))

    async def drain(self) -> None:
        """Stop without losing a request; the one way out, for SIGTERM and for tests alike.

        Say NOT_SERVING, leave load balancers time to notice, stop accepting, let what is under way end, stop workers
        and stores, close channels and caches, send the last spans.
        """
        settings = self._settings
        log.info("draining", notice_s=settings.drain_notice_s, grace_s=settings.drain_grace_s)
        await _cancel(self._watchers)
        self.health.drain()
        await asyncio.sleep(settings.drain_notice_s)
        self.health.close()
        # Together, and with calls in process still open: a request under way here may need a neighbour.
        await asyncio.gather(*(server.drain(settings.drain_grace_s) for server in self.servers))
        for server in self.servers:
            server.admission.close()
        await asyncio.gather(*(self._stop(server) for server in self.servers))
        for channels in self._channels:
            await channels.close()
        for cache in self._caches.values():
            await cache.close()
        await self._ops.stop()
        await self._health_server.stop(0)
        await asyncio.to_thread(self._tracing.close)
        log.info("drained")

    def _platform(self, settings: ServiceSettings) -> Platform:
        tokens = ServiceTokens(
            settings.service_key_file,
            self._process,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            clock=self.clock,
        )
        channels = Channels(
            self.addresses, local=self.local, metrics=self.metrics, tracing=self._tracing, tokens=tokens
        )
        self._channels.append(channels)
        return Platform(self.clock, self.metrics, self._cache(settings), channels)

    def _cache(self, settings: ServiceSettings) -> Cache:
        if settings.redis_url is None:
            return self._memory
        url = settings.redis_url.get_secret_value()
        if url not in self._caches:
            self._caches[url] = ValkeyCache(url, clock=self.clock, metrics=self.metrics)
        return self._caches[url]

    async def _watch(self, server: ServiceServer) -> None:
        """Ask a service again and again whether it is ready, and tell health."""
        name = server.service.name
        gauge = self.metrics.service_ready.labels(name)
        was = False
        while True:
            ready = await self._ready(server)
            self.health.set(server.service.full_name, ready=ready)
            gauge.set(ready)
            if ready is not was:
                log.info("ready" if ready else "not ready", service=name)
            was = ready
            await asyncio.sleep(STEADY_POLL_S if ready else READY_POLL_S)

    @staticmethod
    async def _ready(server: ServiceServer) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                return await server.service.ready()
        except TimeoutError:
            return False
        except Exception:
            # A bug in a readiness check means not ready, and must not end the watch that would see it recover.
            log.exception("readiness check failed", service=server.service.name)
            return False

    @staticmethod
    async def _stop(server: ServiceServer) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await server.service.stop()
        except Exception:
            # One service that cannot stop must not keep the others from closing their pools.
            log.exception("service did not stop", service=server.service.name)

    async def _feel_the_loop(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(STEADY_POLL_S)
            self.metrics.event_loop_lag.set(max(0.0, time.monotonic() - began - STEADY_POLL_S))


async def serve_all(
    parts: Sequence[Part],
    stop: asyncio.Event,
    *,
    process: str = "host",
    started: Callable[[Host], None] | None = None,
) -> None:
    """Run services in this process until `stop` is set, then drain. `started` is called once all ports are open."""
    host = Host(parts, process=process)
    try:
        await host.start()
        if started is not None:
            started(host)
        await stop.wait()
    finally:
        await host.drain()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - it compares, it does not bind


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    tasks.clear()
