"""The service: decode, await the domain, encode."""

from typing import Any

import grpc
from factoryai.workflow.v1 import workflow_service_pb2, workflow_service_pb2_grpc

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

Context = grpc.aio.ServicerContext[Any, Any]


class WorkflowServicer(workflow_service_pb2_grpc.WorkflowServiceServicer):
    """factoryai.workflow.v1.WorkflowService."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def StartRun(  # noqa: N802 - the contract's name
        self, request: workflow_service_pb2.StartRunRequest, context: Context
    ) -> workflow_service_pb2.StartRunResponse:
        """Run a definition and record the run."""
        run, started = await self._engine.start(decode_start(request, current_call()))
        return encode_start(run, started=started)

    async def ValidateWorkflow(  # noqa: N802 - the contract's name
        self, request: workflow_service_pb2.ValidateWorkflowRequest, context: Context
    ) -> workflow_service_pb2.ValidateWorkflowResponse:
        """Check a definition."""
        return encode_faults(self._engine.check(decode_definition(request.definition)))

    async def GetRun(  # noqa: N802 - the contract's name
        self, request: workflow_service_pb2.GetRunRequest, context: Context
    ) -> workflow_service_pb2.GetRunResponse:
        """Read a run."""
        return encode_get(await self._engine.get(current_call().tenant, decode_name(request.name)))

    async def ListRuns(  # noqa: N802 - the contract's name
        self, request: workflow_service_pb2.ListRunsRequest, context: Context
    ) -> workflow_service_pb2.ListRunsResponse:
        """List runs."""
        state = decode_state(request.state)
        return encode_page(await self._engine.list(current_call().tenant, request.page_size, request.page_token, state))
