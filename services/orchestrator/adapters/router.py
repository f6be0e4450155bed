"""The router, over its stub."""

from factoryai.router.v1 import router_service_pb2_grpc

from services.chassis.channels import Channels
from services.orchestrator.codec import meaning
from services.orchestrator.domain.meaning import Classification
from services.orchestrator.domain.ports import Utterance


class StubRouter:
    """A `Router` behind a channel."""

    def __init__(self, channels: Channels) -> None:
        self._stub = router_service_pb2_grpc.RouterServiceStub(channels.channel("router"))

    async def classify(self, utterance: Utterance) -> Classification:
        """Classify; see Router."""
        response = await self._stub.Classify(meaning.classify_request(utterance))
        return meaning.classification(response.classification)
