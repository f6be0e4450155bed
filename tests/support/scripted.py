# ruff: noqa: N802, ARG002 - the names and signatures are gRPC's
"""Scripted servicers behind a real Envoy: the question says what to do, so that a test of the edge reads in one place.

They stand for the world behind the edge, not for our own code: the same tests cannot make a real service break off a
stream, hang or answer with 300 kB on demand.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn

import grpc
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2, orchestrator_service_pb2_grpc
from factoryai.router.v1 import intent_pb2, router_service_pb2, router_service_pb2_grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from services.embedded.table import SIX

Context = grpc.aio.ServicerContext[Any, Any]
DETAIL: Final = "조립 1호기가 없어요"


class Orchestrator(orchestrator_service_pb2_grpc.OrchestratorServiceServicer):
    """Obeys the question: `fail CODE`, `hang`, `big N`, `metadata`, `events N`, `break N`; anything else is echoed."""

    async def Ask(
        self, request: orchestrator_service_pb2.AskRequest, context: Context
    ) -> orchestrator_service_pb2.AskResponse:
        verb, _, rest = request.question.partition(" ")
        decision = decision_pb2.Decision(
            name="decisions/1", state=decision_pb2.DECISION_STATE_SUCCEEDED, question=request.question
        )
        decision.plant, decision.request_id = request.plant, request.request_id
        if verb == "fail":
            await _fail(context, rest)
        if verb == "hang":
            await asyncio.sleep(60)
        if verb == "slow":
            await asyncio.sleep(float(rest))
        if verb == "big":
            decision.answer.text = "가" * int(rest)
        if verb == "metadata":
            pairs = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
            pairs["time_remaining"] = str(context.time_remaining())
            decision.answer.text = json.dumps(pairs)
        return orchestrator_service_pb2.AskResponse(decision=decision, created=True)

    async def AskStream(
        self, request: orchestrator_service_pb2.AskStreamRequest, context: Context
    ) -> AsyncIterator[orchestrator_service_pb2.AskStreamResponse]:
        verb, _, rest = request.question.partition(" ")
        if verb == "fail":
            await _fail(context, rest)
        for number in range(int(rest or 1)):
            progress = orchestrator_service_pb2.AskProgress(
                stage=orchestrator_service_pb2.ASK_STAGE_ACCEPTED, message=f"{number}번째 단계예요"
            )
            yield orchestrator_service_pb2.AskStreamResponse(progress=progress)
            await asyncio.sleep(0.05 if verb == "slowly" else 0)
        if verb == "break":
            await _fail(context, "UNAVAILABLE")
        decision = decision_pb2.Decision(name="decisions/1", question=request.question)
        yield orchestrator_service_pb2.AskStreamResponse(decision=decision)

    async def GetDecision(
        self, request: orchestrator_service_pb2.GetDecisionRequest, context: Context
    ) -> orchestrator_service_pb2.GetDecisionResponse:
        return orchestrator_service_pb2.GetDecisionResponse(decision=decision_pb2.Decision(name=request.name))

    async def ListDecisions(
        self, request: orchestrator_service_pb2.ListDecisionsRequest, context: Context
    ) -> orchestrator_service_pb2.ListDecisionsResponse:
        decision = decision_pb2.Decision(state=request.state, plant=request.plant)
        return orchestrator_service_pb2.ListDecisionsResponse(decisions=[decision])

    async def CancelDecision(
        self, request: orchestrator_service_pb2.CancelDecisionRequest, context: Context
    ) -> orchestrator_service_pb2.CancelDecisionResponse:
        return orchestrator_service_pb2.CancelDecisionResponse(decision=decision_pb2.Decision(name=request.name))


class Router(router_service_pb2_grpc.RouterServiceServicer):
    """Classifies everything as CHECK."""

    async def Classify(
        self, request: router_service_pb2.ClassifyRequest, context: Context
    ) -> router_service_pb2.ClassifyResponse:
        classification = intent_pb2.Classification(intent=intent_pb2.INTENT_CHECK, confidence=0.5)
        return router_service_pb2.ClassifyResponse(classification=classification)


class Data(data_service_pb2_grpc.DataServiceServicer):
    """Counts bytes."""

    async def UploadImportChunk(
        self, request: data_service_pb2.UploadImportChunkRequest, context: Context
    ) -> data_service_pb2.UploadImportChunkResponse:
        return data_service_pb2.UploadImportChunkResponse(received_size=request.offset + len(request.content))

    async def LoadSamplePlant(
        self, request: data_service_pb2.LoadSamplePlantRequest, context: Context
    ) -> data_service_pb2.LoadSamplePlantResponse:
        return data_service_pb2.LoadSamplePlantResponse(inserted_count=1)


class Backend:
    """One server on a free port that is all six services at once."""

    def __init__(self) -> None:
        self._server = grpc.aio.server()
        self._health = health.aio.HealthServicer()
        orchestrator_service_pb2_grpc.add_OrchestratorServiceServicer_to_server(Orchestrator(), self._server)  # type: ignore[abstract]
        router_service_pb2_grpc.add_RouterServiceServicer_to_server(Router(), self._server)
        data_service_pb2_grpc.add_DataServiceServicer_to_server(Data(), self._server)  # type: ignore[abstract]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([row.full_name for row in SIX], self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    async def start(self) -> None:
        await self.say(serving=True)
        await self._server.start()

    async def say(self, *, serving: bool, only: str = "") -> None:
        """Change the health of all six, or of the one with the full name `only`."""
        serve = health_pb2.HealthCheckResponse.ServingStatus
        for name in [only] if only else [row.full_name for row in SIX]:
            await self._health.set(name, serve.SERVING if serving else serve.NOT_SERVING)

    async def stop(self) -> None:
        await self._server.stop(grace=None)


async def _fail(context: Context, code: str) -> NoReturn:
    info = error_details_pb2.ErrorInfo(reason="ERROR_REASON_NOT_FOUND", domain="factory-ai.com")
    info.metadata["resource"] = "설비"
    field = error_details_pb2.BadRequest.FieldViolation(field="question", description=DETAIL)
    details = []
    for message in (info, error_details_pb2.BadRequest(field_violations=[field])):
        packed = any_pb2.Any()
        packed.Pack(message)
        details.append(packed)
    number = grpc.StatusCode[code].value[0]
    status = status_pb2.Status(code=number, message=DETAIL, details=details)
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")
