"""gRPC and gRPC-Web pass for annotated RPCs, health and, in development, reflection. Nothing else does."""

import asyncio
import json
from typing import Any

import grpc
import pytest
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc
from factoryai.orchestrator.v1 import orchestrator_service_pb2, orchestrator_service_pb2_grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from services.embedded.edge import DESCRIPTOR_SET, annotated
from tests.support.edge import Edge, running_edge

pytestmark = pytest.mark.e2e

_ASK = "/factoryai.orchestrator.v1.OrchestratorService/Ask"
_STREAM = "/factoryai.orchestrator.v1.OrchestratorService/AskStream"
_SAMPLE = "/factoryai.data.v1.DataService/LoadSamplePlant"


async def test_unary_and_stream(edge: Edge) -> None:
    async with edge.channel() as channel:
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
        answer = await stub.Ask(orchestrator_service_pb2.AskRequest(question="어제 생산량은?"))
        events = [
            event.WhichOneof("event")
            async for event in stub.AskStream(orchestrator_service_pb2.AskStreamRequest(question="events 2"))
        ]
    assert answer.decision.question == "어제 생산량은?"
    assert events == ["progress", "progress", "decision"]


async def test_rich_errors_pass_untouched(edge: Edge) -> None:
    async with edge.channel() as channel:
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Ask(orchestrator_service_pb2.AskRequest(question="fail NOT_FOUND"))
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    status = rpc_status.from_call(refused.value)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert info.metadata["resource"] == "설비"


async def test_a_body_over_1_mib_is_the_services_to_judge(edge: Edge) -> None:
    async with edge.channel() as channel:
        stub = data_service_pb2_grpc.DataServiceStub(channel)
        content = b"x" * 1_500_000
        answer = await stub.UploadImportChunk(data_service_pb2.UploadImportChunkRequest(content=content))
    assert answer.received_size == 1_500_000


async def test_an_rpc_without_annotation_is_refused(edge: Edge) -> None:
    assert _SAMPLE not in {rpc.path for rpc in annotated(DESCRIPTOR_SET)}
    async with edge.channel() as channel:
        stub = data_service_pb2_grpc.DataServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.LoadSamplePlant(data_service_pb2.LoadSamplePlantRequest())
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "not open to callers outside" in (refused.value.details() or "")


async def test_an_unknown_method_is_refused(edge: Edge) -> None:
    async with edge.channel() as channel:
        call: Any = channel.unary_unary("/factoryai.nothing.v1.Nothing/Do")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"")
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_an_open_ended_call_to_an_unknown_method_is_refused_at_once(edge: Edge) -> None:
    async with edge.channel() as channel:
        watch: Any = channel.stream_stream("/factoryai.nothing.v1.Nothing/Watch")
        call = watch()
        async with asyncio.timeout(5):
            assert await call.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_shorter_deadline_of_the_caller_is_kept(edge: Edge) -> None:
    async with edge.channel() as channel:
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
        answer = await stub.Ask(orchestrator_service_pb2.AskRequest(question="metadata"), timeout=3)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await stub.Ask(orchestrator_service_pb2.AskRequest(question="hang"), timeout=0.3)
    assert 2 < float(json.loads(answer.decision.answer.text)["time_remaining"]) <= 3
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_without_a_deadline_the_service_is_told_the_edges(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "metadata"})
    assert 30 < float(json.loads(answer.json()["decision"]["answer"]["text"])["time_remaining"]) <= 32


async def test_health(edge: Edge) -> None:
    async with edge.channel() as channel:
        service = "factoryai.orchestrator.v1.OrchestratorService"
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("protocol", ["grpc", "grpcweb"])
async def test_buf_curl_unary_stream_and_error(edge: Edge, protocol: str) -> None:
    unary = await edge.buf_curl(_ASK, '{"question":"안녕하세요"}', "--protocol", protocol)
    assert unary[0] == 0
    assert json.loads(unary[1])["decision"]["question"] == "안녕하세요"
    stream = await edge.buf_curl(_STREAM, '{"question":"events 2"}', "--protocol", protocol)
    assert stream[0] == 0
    assert stream[1].count('"progress"') == 2
    error = await edge.buf_curl(_ASK, '{"question":"fail NOT_FOUND"}', "--protocol", protocol)
    assert error[0] != 0
    assert '"not_found"' in error[1]
    assert "조립 1호기가 없어요" in error[1]
    internal = await edge.buf_curl(_SAMPLE, "{}", "--protocol", protocol)
    assert '"unimplemented"' in internal[1]


async def test_reflection_in_development_only(edge: Edge) -> None:
    code, answer = await edge.buf_curl(_ASK, '{"question":"x"}', "--protocol", "grpc", schema=False)
    assert code == 0, answer
    async with running_edge(reflection=False) as production:
        code, answer = await production.buf_curl(_ASK, '{"question":"x"}', "--protocol", "grpc", schema=False)
    assert code != 0
