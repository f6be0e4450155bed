"""What a service is to the chassis, what the chassis is to a service, and the gRPC server that a service stands on."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION

from services.chassis.auth import Authenticator
from services.chassis.cache import Cache
from services.chassis.channels import Channels
from services.chassis.clock import Clock
from services.chassis.health import Health
from services.chassis.interceptors import interceptors
from services.chassis.interceptors.admission import Admission
from services.chassis.interceptors.chain import Chain, Handler, Served
from services.chassis.interceptors.validate import Validate
from services.chassis.metrics import Metrics
from services.chassis.settings import ServiceSettings
from services.chassis.tracing import Tracing

HEALTH = "grpc.health.v1.Health"
MAX_SEND_BYTES = 4 * 1024 * 1024
MAX_METADATA_BYTES = 16 * 1024
# gRPC drops what is larger with a bare status. The chassis refuses from max_receive_bytes on, and says why; the
# room between the two is for refusing well.
RECEIVE_ROOM = 4
FLUSH_S = 1.0


@dataclass(frozen=True)
class Platform:
    """What a composition root receives."""

    clock: Clock
    metrics: Metrics
    cache: Cache
    channels: Channels


@dataclass(frozen=True)
class Service:
    """What a wiring returns.

    `name` is the short name ("router"), `full_name` the Protobuf one ("factoryai.router.v1.RouterService").
    `add_to` is `lambda s: router_service_pb2_grpc.add_RouterServiceServicer_to_server(servicer, s)`. `start` opens the
    database, warms up and starts workers, and returns at once; `ready` says whether that is done; `stop` ends it.
    """

    name: str
    full_name: str
    add_to: Callable[[grpc.aio.Server], None]
    start: Callable[[], Awaitable[None]]
    ready: Callable[[], Awaitable[bool]]
    stop: Callable[[], Awaitable[None]]


class ServiceServer:
    """One service behind its chain, on its gRPC port and for its neighbours in process."""

    def __init__(
        self,
        service: Service,
        settings: ServiceSettings,
        health: Health,
        *,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self.service = service
        self.settings = settings
        self.port = 0
        self.admission = Admission(service.name, settings.max_concurrent_rpcs, metrics)
        validate = Validate()
        steps = interceptors(
            admission=self.admission,
            authenticator=Authenticator(
                settings.jwks_file,
                issuer=settings.token_issuer,
                audience=settings.token_audience,
                required=settings.auth_required,
                clock=clock,
            ),
            clock=clock,
            metrics=metrics,
            tracing=tracing,
            validate=validate,
            default_deadline_s=settings.default_deadline_s,
        )
        chain = Chain(steps, validate=validate, max_receive_bytes=settings.max_receive_bytes)
        self.methods: Mapping[str, Served] = chain.serve(service.add_to)
        guests = chain.serve(health.add_to, unguarded=True)
        if settings.reflection:
            reflected = ReflectionServicer((service.full_name, HEALTH, REFLECTION))
            guests |= chain.serve(
                lambda server: reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflected, server),
                unguarded=True,
            )
        self._server = grpc.aio.server(
            handlers=(_Handlers(chain, {**self.methods, **guests}),),
            options=options(settings.max_receive_bytes * RECEIVE_ROOM),
            # A backstop: admission refuses first, with details, and health checks are not counted against it.
            maximum_concurrent_rpcs=settings.max_concurrent_rpcs * 2,
        )

    async def start(self) -> None:
        """Listen. Raises RuntimeError when the port is taken."""
        address = f"{self.settings.host}:{self.settings.port}"
        self.port = self._server.add_insecure_port(address)
        await self._server.start()

    async def drain(self, grace_s: float) -> None:
        """Stop accepting; what is under way has `grace_s` seconds to end."""
        ended = await self.admission.drain(grace_s)
        # The last answers may still be on their way out. What has not ended by now is cancelled.
        await self._server.stop(FLUSH_S if ended else 0)


def health_server(health: Health, chain: Chain) -> grpc.aio.Server:
    """Return a plaintext server with nothing but health, for those who cannot speak TLS or hold no token."""
    return grpc.aio.server(
        handlers=(_Handlers(chain, chain.serve(health.add_to, unguarded=True)),), options=options(64 * 1024)
    )


def options(max_receive_bytes: int) -> tuple[tuple[str, int], ...]:
    """Return the options of every gRPC server of ours."""
    return (
        ("grpc.max_receive_message_length", max_receive_bytes),
        ("grpc.max_send_message_length", MAX_SEND_BYTES),
        # Both limits alike: between a soft and a hard one gRPC refuses at random.
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", 100),
        # Connections end now and then, so that a new pod gets its share.
        ("grpc.max_connection_age_ms", 10 * 60 * 1000),
        ("grpc.max_connection_age_grace_ms", 30 * 1000),
        ("grpc.http2.max_ping_strikes", 2),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # A port that is taken is an error to be told, not a port to be shared in silence.
        ("grpc.so_reuseport", 0),
    )


class _Handlers(grpc.GenericRpcHandler):
    """Finds the method of a call; one that nobody serves is refused by the chain as well."""

    def __init__(self, chain: Chain, methods: Mapping[str, Served]) -> None:
        self._chain = chain
        self._handlers = {path: served.handler for path, served in methods.items()}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """Return the handler of a path."""
        path = handler_call_details.method
        return self._handlers.get(path) or self._chain.unknown(path)


def full_names(services: Iterable[Service]) -> list[str]:
    """Return the Protobuf names of services."""
    return [service.full_name for service in services]
