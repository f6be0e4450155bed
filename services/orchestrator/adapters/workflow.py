"""The workflow engine, over its stub."""

from datetime import datetime

from factoryai.workflow.v1 import workflow_service_pb2, workflow_service_pb2_grpc

from services.chassis.channels import Channels
from services.orchestrator.codec import plans, values
from services.orchestrator.domain.figures import RunResult
from services.orchestrator.domain.plan import Definition


class StubWorkflow:
    """A `Workflow` behind a channel."""

    def __init__(self, channels: Channels) -> None:
        self._stub = workflow_service_pb2_grpc.WorkflowServiceStub(channels.channel("workflow"))

    async def run(self, plant: str, definition: Definition, as_of: datetime) -> RunResult:
        """Run a definition; see Workflow.

        No request_id goes along: a read-only run that is started twice changes nothing, and the log of requests would
        cost each question two commits.
        """
        request = workflow_service_pb2.StartRunRequest(
            plant=f"plants/{plant}", definition=plans.encode_definition(definition), as_of=values.stamp(as_of)
        )
        response = await self._stub.StartRun(request)
        return plans.run_result(response.run)
