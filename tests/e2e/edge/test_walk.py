"""The whole walk through the edge of the real stack: every door, the same answer, and typed errors at each of them."""

import json
import ssl
import uuid
from typing import Any

import grpc
import pytest
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc
from factoryai.orchestrator.v1 import orchestrator_service_pb2, orchestrator_service_pb2_grpc
from factoryai.router.v1 import router_service_pb2, router_service_pb2_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from services.embedded import api
from tests.support.stack import RunningStack

pytestmark = pytest.mark.e2e

_QUESTION = "지난주 라인별 생산량 비교해 줘"


def channel(stack: RunningStack) -> grpc.aio.Channel:
    trust = grpc.ssl_channel_credentials(stack.ca_file.read_bytes())
    return grpc.aio.secure_channel(stack.url.removeprefix("https://"), trust)


def bearer(stack: RunningStack) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {stack.token}"),)


def details_of(status: dict[str, Any]) -> dict[str, Any]:
    """Details of a google.rpc.Status in JSON by the last word of their type."""
    return {detail["@type"].rpartition(".")[2]: detail for detail in status["details"]}


async def test_rest_grpc_and_stream_give_the_same_answer(stack: RunningStack) -> None:
    moment = {"asOf": "2026-11-20T06:30:00Z"}
    async with stack.client() as client:
        rest = (await client.post("/v1/ask", json={"question": _QUESTION, **moment})).json()["decision"]
        lines = (await client.post("/v1/ask:stream", json={"question": _QUESTION, **moment})).text.splitlines()
    async with channel(stack) as through:
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(through)
        request = orchestrator_service_pb2.AskRequest(question=_QUESTION)
        request.as_of.FromJsonString(moment["asOf"])
        over_grpc = await stub.Ask(request, metadata=bearer(stack))
    streamed = json.loads(lines[-1])["decision"]
    assert rest["state"] == "DECISION_STATE_SUCCEEDED"
    assert rest["answer"]["text"]
    assert rest["answer"]["text"] == streamed["answer"]["text"] == over_grpc.decision.answer.text
    assert all("progress" in json.loads(line) for line in lines[:-1])


async def test_a_decision_can_be_read_again_and_is_not_made_twice(stack: RunningStack) -> None:
    body = {"question": "hello", "requestId": str(uuid.uuid4())}
    async with stack.client() as client:
        first = (await client.post("/v1/ask", json=body)).json()
        again = (await client.post("/v1/ask", json=body)).json()
        other = await client.post("/v1/ask", json={**body, "question": "good bye"})
        kept = (await client.get(f"/v1/{first['decision']['name']}")).json()
    assert (first["created"], again["created"]) == (True, False)
    assert first["decision"]["name"] == again["decision"]["name"] == kept["decision"]["name"]
    assert other.status_code == 409
    assert details_of(other.json())["ErrorInfo"]["reason"] == "ERROR_REASON_REQUEST_ID_REUSED"


@pytest.mark.parametrize("question", ["", "가" * 501])
async def test_a_question_out_of_bounds_is_refused_with_its_field(stack: RunningStack, question: str) -> None:
    mine = {"x-request-id": f"bounds-{len(question)}"}
    async with stack.client() as client:
        answer = await client.post("/v1/ask", json={"question": question}, headers=mine)
        stream = await client.post("/v1/ask:stream", json={"question": question}, headers=mine)
    for each in (answer, stream):
        assert each.status_code == 400
        details = details_of(each.json())
        assert details["ErrorInfo"]["reason"] == "ERROR_REASON_INVALID_ARGUMENT"
        assert details["BadRequest"]["fieldViolations"][0]["field"] == "question"
        assert details["RequestInfo"]["requestId"] == each.headers["x-request-id"] == mine["x-request-id"]
    async with channel(stack) as through:
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(through)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Ask(orchestrator_service_pb2.AskRequest(question=question), metadata=bearer(stack))
    status = rpc_status.from_call(refused.value)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "ERROR_REASON_INVALID_ARGUMENT"


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic YTpi", "Bearer a.b.c"])
async def test_without_a_good_token_nothing_is_answered(stack: RunningStack, authorization: str) -> None:
    async with stack.client() as client:
        client.headers.pop("authorization")
        headers = {"authorization": authorization} if authorization else {}
        for answer in (
            await client.post("/v1/ask", json={"question": "hello"}, headers=headers),
            await client.get("/v1/plants", headers=headers),
        ):
            assert answer.status_code == 401
            assert details_of(answer.json())["ErrorInfo"]["reason"] == "ERROR_REASON_UNAUTHENTICATED"


async def test_an_expired_token_says_so(stack: RunningStack) -> None:
    old = api.dev_token(stack.home, ttl_s=-3600)
    async with stack.client() as client:
        answer = await client.get("/v1/plants", headers={"authorization": f"Bearer {old}"})
    assert answer.status_code == 401
    assert details_of(answer.json())["ErrorInfo"]["reason"] == "ERROR_REASON_TOKEN_EXPIRED"


async def test_another_tenant_sees_nothing_whatever_it_claims(stack: RunningStack) -> None:
    async with stack.client() as client:
        mine = (await client.post("/v1/ask", json={"question": "hello"})).json()["decision"]["name"]
        other = {"authorization": f"Bearer {api.dev_token(stack.home, tenant='other')}", "x-tenant": "default"}
        assert (await client.get(f"/v1/{mine}")).status_code == 200
        assert (await client.get(f"/v1/{mine}", headers=other)).status_code == 404
        assert (await client.get("/v1/decisions", headers=other)).json()["decisions"] == []


@pytest.mark.parametrize("text", ["😀😀😀", "<script>alert(1)</script>", "'; DROP TABLE decisions; --"])
async def test_strange_text_is_ordinary_text(stack: RunningStack, text: str) -> None:
    async with stack.client() as client:
        answer = await client.post("/v1/ask", json={"question": text})
    assert answer.status_code == 200
    assert answer.json()["decision"]["question"] == text


async def test_internal_rpcs_stay_inside(stack: RunningStack) -> None:
    async with channel(stack) as through:
        stub = data_service_pb2_grpc.DataServiceStub(through)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.LoadSamplePlant(data_service_pb2.LoadSamplePlantRequest(), metadata=bearer(stack))
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_every_annotated_service_is_behind_its_own_cluster(stack: RunningStack) -> None:
    """One read of each service; a wrong port in the table of six would answer UNIMPLEMENTED."""
    async with stack.client() as client:
        for path in ("/v1/decisions", "/v1/plants", "/v1/judgments", "/v1/ruleSets", "/v1/runs"):
            assert (await client.get(path)).status_code == 200, path
    async with channel(stack) as through:
        stub = router_service_pb2_grpc.RouterServiceStub(through)
        answer = await stub.Classify(router_service_pb2.ClassifyRequest(utterance=_QUESTION), metadata=bearer(stack))
    assert answer.classification.confidence > 0


async def test_the_sample_plant_is_there_and_said_to_be_synthetic(stack: RunningStack) -> None:
    sample = [step for step in stack.progress if step.part == "sample plant"]
    assert sample[-1].state == "ready"
    assert "synthetic" in sample[-1].detail
    async with stack.client() as client:
        plants = (await client.get("/v1/plants")).json()["plants"]
    assert "plants/sample" in [plant["name"] for plant in plants]


def test_the_certificate_is_trusted_by_name_and_by_address(stack: RunningStack) -> None:
    authorities = ssl.create_default_context(cafile=stack.ca_file).get_ca_certs()
    assert len(authorities) == 1
