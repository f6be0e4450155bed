"""Composition root of the router."""

from factoryai.data.v1 import data_service_pb2_grpc
from factoryai.router.v1 import router_service_pb2_grpc

from services.chassis.server import Platform, Service
from services.router.adapters.data import Ages, DataLexicons
from services.router.adapters.observed import Observed
from services.router.adapters.vocabulary import read_vocabulary
from services.router.domain.classifier import Thresholds
from services.router.domain.router import Router
from services.router.servicer import RouterServicer
from services.router.settings import RouterSettings


def build(settings: RouterSettings, platform: Platform) -> Service:
    """Put the router together."""
    lexicons = DataLexicons(
        data_service_pb2_grpc.DataServiceStub(platform.channels.channel("data")),
        read_vocabulary(),
        platform.clock,
        Ages(settings.catalogue_refresh_s, settings.catalogue_max_age_s, settings.catalogue_wait_s),
    )
    router = Router(lexicons, Thresholds(settings.clarify_below, settings.clarify_lead))
    servicer = RouterServicer(
        Observed(router, platform.metrics, platform.clock), now=platform.clock.now, default_plant=settings.default_plant
    )

    async def start() -> None:
        """Nothing to open: catalogues come with the first question."""

    async def ready() -> bool:
        return True

    return Service(
        name="router",
        full_name="factoryai.router.v1.RouterService",
        add_to=lambda server: router_service_pb2_grpc.add_RouterServiceServicer_to_server(servicer, server),
        start=start,
        ready=ready,
        stop=lexicons.close,
    )
