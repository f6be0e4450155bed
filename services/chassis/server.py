"""What a service is to the chassis, and what the chassis is to a service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc

from services.chassis.cache import Cache
from services.chassis.channels import Channels
from services.chassis.clock import Clock
from services.chassis.metrics import Metrics


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
