"""The service: decode, await the domain, encode."""

from typing import Any

from factoryai.workflow.v1 import workflow_service_pb2 as pb
from factoryai.workflow.v1 import workflow_service_pb2_grpc

from services.chassis.call import current_call
from services.workflow.codec.definitions import decode_definition
from services.workflow.codec.runs import (
    decode_name,
    decode_start,
    decode_state,
    encode_faults,
    encode_get,
    encode_page,
    encode_start,
)
from services.workflow.domain.engine import Engine


class WorkflowServicer(workflow_service_pb2_grpc.WorkflowServiceServicer):
    """factoryai.workflow.v1.WorkflowService."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def StartRun(self, request: pb.StartRunRequest, _: Any) -> pb.StartRunResponse:  # noqa: N802
        """Run a definition and record the run."""
        run, started = await self._engine.start(decode_start(request, current_call()))
        return encode_start(run, started=started)

    async def ValidateWorkflow(self, request: pb.ValidateWorkflowRequest, _: Any) -> pb.ValidateWorkflowResponse:  # noqa: N802
        """Check a definition."""
        return encode_faults(self._engine.check(decode_definition(request.definition)))

    async def GetRun(self, request: pb.GetRunRequest, _: Any) -> pb.GetRunResponse:  # noqa: N802
        """Read a run."""
        return encode_get(await self._engine.get(current_call().tenant, decode_name(request.name)))

    async def ListRuns(self, request: pb.ListRunsRequest, _: Any) -> pb.ListRunsResponse:  # noqa: N802
        """List runs."""
        state = decode_state(request.state)
        return encode_page(await self._engine.list(current_call().tenant, request.page_size, request.page_token, state))
