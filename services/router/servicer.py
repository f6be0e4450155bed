"""The router's method: decode, await the domain, encode."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from factoryai.router.v1 import router_service_pb2 as pb
from factoryai.router.v1 import router_service_pb2_grpc

from services.chassis.call import current_call
from services.router import codec
from services.router.domain.router import Classifies


class RouterServicer(router_service_pb2_grpc.RouterServiceServicer):
    """`factoryai.router.v1.RouterService`."""

    def __init__(self, router: Classifies, *, now: Callable[[], datetime], default_plant: str) -> None:
        self._router = router
        self._now = now
        self._default_plant = default_plant

    async def Classify(self, request: pb.ClassifyRequest, _: Any) -> pb.ClassifyResponse:  # noqa: N802
        """Classify one utterance."""
        call = current_call()
        plant = codec.decode_plant(request.plant or call.plant or self._default_plant)
        question = codec.decode_question(request, self._now(), call.language)
        found = await self._router.classify(call.tenant, plant, question)
        return pb.ClassifyResponse(classification=codec.encode_classification(found))
