"""The judgment service's methods: decode, await the domain, encode."""

from typing import Any

from factoryai.judgment.v1 import judgment_service_pb2 as pb
from factoryai.judgment.v1 import judgment_service_pb2_grpc

from services.chassis.call import current_call
from services.judgment import codec
from services.judgment.domain.judgments import Judgments


class JudgmentServicer(judgment_service_pb2_grpc.JudgmentServiceServicer):
    """`factoryai.judgment.v1.JudgmentService`."""

    def __init__(self, judgments: Judgments) -> None:
        self._judgments = judgments

    async def Judge(self, request: pb.JudgeRequest, _: Any) -> pb.JudgeResponse:  # noqa: N802
        """Judge figures."""
        judgment, created = await self._judgments.judge(
            current_call().tenant,
            codec.decode_plant(request.plant),
            codec.decode_task(request.task),
            codec.decode_figures(request.input.result),
            request.request_id,
        )
        return pb.JudgeResponse(judgment=codec.encode_judgment(judgment), created=created)

    async def GetJudgment(self, request: pb.GetJudgmentRequest, _: Any) -> pb.GetJudgmentResponse:  # noqa: N802
        """Read a judgment."""
        judgment = await self._judgments.get(current_call().tenant, codec.decode_name(request.name))
        return pb.GetJudgmentResponse(judgment=codec.encode_judgment(judgment))

    async def ListJudgments(self, request: pb.ListJudgmentsRequest, _: Any) -> pb.ListJudgmentsResponse:  # noqa: N802
        """List judgments, newest first."""
        limit, before = codec.decode_page(request.page_size, request.page_token)
        found, following = await self._judgments.list(current_call().tenant, before, limit)
        return pb.ListJudgmentsResponse(
            judgments=[codec.encode_judgment(each) for each in found],
            next_page_token=codec.encode_page_token(following),
        )
