"""The judgment engine over its stub."""

import grpc
from factoryai.judgment.v1 import judgment_service_pb2, judgment_service_pb2_grpc

from services.workflow.codec.outputs import decode_judgment
from services.workflow.domain.outputs import DataOutput, JudgmentOutput


class JudgmentEngine:
    """A Judge. The channel raises `services.errors` and carries who asks."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = judgment_service_pb2_grpc.JudgmentServiceStub(channel)

    async def judge(self, plant: str, task: bytes, data: DataOutput, key: str) -> JudgmentOutput:
        """Judge figures; the figures go on as the bytes that came."""
        request = judgment_service_pb2.JudgeRequest(plant=plant, request_id=key)
        request.task.ParseFromString(task)
        request.input.result.ParseFromString(data.wire)
        response = await self._stub.Judge(request)
        return decode_judgment(response.judgment)
