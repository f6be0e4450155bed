"""JSON in, JSON out, through the real transcoder."""

import base64
import json

import pytest

from tests.support.edge import Edge

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("field", ["requestId", "request_id"])
async def test_camel_and_snake_case_come_in_and_camel_case_goes_out(edge: Edge, field: str) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "hello", field: "r-1"})
    assert answer.status_code == 200
    assert answer.json()["decision"]["requestId"] == "r-1"
    assert "request_id" not in answer.text


async def test_fields_at_their_default_are_there(edge: Edge) -> None:
    async with edge.client() as client:
        decision = (await client.post("/v1/ask", json={"question": "hello"})).json()["decision"]
    assert decision["plant"] == ""
    assert decision["feedback"] == []


async def test_enums_are_names(edge: Edge) -> None:
    async with edge.client() as client:
        asked = await client.post("/v1/intents:classify", json={"utterance": "x"})
        listed = await client.get("/v1/decisions", params={"state": "DECISION_STATE_RUNNING"})
    assert asked.json()["classification"]["intent"] == "INTENT_CHECK"
    assert listed.json()["decisions"][0]["state"] == "DECISION_STATE_RUNNING"


@pytest.mark.parametrize("offset", [9007199254740993, "9007199254740993"])
async def test_int64_keeps_every_digit_as_a_string_and_bytes_are_base64(edge: Edge, offset: object) -> None:
    content = base64.b64encode(b"abc").decode()
    body = {"requestId": "r", "offset": offset, "content": content}
    async with edge.client() as client:
        answer = await client.post("/v1/imports/one:upload", content=json.dumps({"offset": offset, "content": content}))
    assert body["offset"] == offset
    assert answer.json() == {"receivedSize": "9007199254740996"}


async def test_korean_comes_back_as_it_went(edge: Edge) -> None:
    question = "3라인 불량률이 왜 올랐나요? 🏭 「생산」"
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": question})
    assert answer.json()["decision"]["question"] == question


async def test_query_parameters_fill_the_request(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", params={"plant": "sample", "pageSize": "3"})
    assert answer.json()["decisions"][0]["plant"] == "sample"


async def test_a_path_variable_fills_the_name(edge: Edge) -> None:
    async with edge.client() as client:
        read = await client.get("/v1/decisions/abc")
        cancelled = await client.post("/v1/decisions/abc:cancel", json={})
    assert read.json()["decision"]["name"] == "decisions/abc"
    assert cancelled.json()["decision"]["name"] == "decisions/abc"


async def test_an_answer_far_larger_than_the_connection_buffer_arrives_whole(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "big 300000"})
    assert len(answer.json()["decision"]["answer"]["text"]) == 300_000


async def test_rich_errors_of_a_service_become_json(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "fail NOT_FOUND"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    status = answer.json()
    assert (status["code"], status["message"]) == (5, "조립 1호기가 없어요")
    info, request = status["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ERROR_REASON_NOT_FOUND",
        "domain": "factory-ai.com",
        "metadata": {"resource": "설비"},
    }
    assert request["fieldViolations"][0]["field"] == "question"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("ABORTED", 409),
        ("RESOURCE_EXHAUSTED", 429),
        ("INTERNAL", 500),
        ("UNIMPLEMENTED", 501),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
async def test_each_code_has_its_http_status(edge: Edge, code: str, status: int) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": f"fail {code}"})
    assert answer.status_code == status
    assert answer.json()["details"][0]["domain"] == "factory-ai.com"


async def test_grpc_headers_stay_inside(edge: Edge) -> None:
    async with edge.client() as client:
        for question in ("hello", "fail NOT_FOUND"):
            answer = await client.post("/v1/ask", json={"question": question})
            assert not [name for name in answer.headers if name.startswith(("grpc-", "x-envoy-"))]


async def test_the_contract_is_served(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/openapi.yaml")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/yaml"
    assert "/v1/ask" in answer.text


# What the transcoder does and no switch changes; docs/edge.md says what follows from it.


async def test_known_an_unknown_body_field_is_dropped(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "hello", "nonsense": 1})
    assert answer.status_code == 200


async def test_known_the_path_wins_over_the_body(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/decisions/abc:cancel", json={"name": "decisions/other"})
    assert answer.status_code == 400 or answer.json()["decision"]["name"] == "decisions/abc"


async def test_known_any_content_type_is_read_as_json(edge: Edge) -> None:
    async with edge.client() as client:
        body = json.dumps({"question": "hello"})
        answer = await client.post("/v1/ask", content=body, headers={"content-type": "text/plain"})
        empty = await client.post("/v1/decisions/abc:cancel")
    assert answer.json()["decision"]["question"] == "hello"
    assert empty.status_code == 200
