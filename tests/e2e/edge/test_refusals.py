"""What the edge refuses, and that every refusal is a google.rpc.Status with a reason and the request's id."""

import httpx
import pytest

from tests.support.edge import Edge, running_edge

pytestmark = pytest.mark.e2e

_TYPE = "type.googleapis.com/google.rpc."
_MALFORMED = "ERROR_REASON_MALFORMED_REQUEST"


def refusal(answer: httpx.Response, status: int, code: int, reason: str) -> str:
    """Check the shape of a refusal; returns its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["code"] == code
    details = {detail.pop("@type").removeprefix(_TYPE): detail for detail in body["details"]}
    assert details["ErrorInfo"] == {"reason": reason, "domain": "factory-ai.com"}
    assert details["RequestInfo"]["requestId"] == answer.headers["x-request-id"]
    return str(body["message"])


async def test_malformed_json(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", content='{"question":')
    assert "Unexpected end of string" in refusal(answer, 400, 3, _MALFORMED)


async def test_a_wrong_type_is_named(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": {}})
    assert "question" in refusal(answer, 400, 3, _MALFORMED)


async def test_bad_utf8(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", content=b'{"question":"\xff\xfe"}')
    assert refusal(answer, 400, 3, _MALFORMED)


async def test_deep_nesting(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", content='{"question":' + "[" * 5000 + "]" * 5000 + "}")
    assert refusal(answer, 400, 3, _MALFORMED)


async def test_an_unknown_query_parameter_is_named(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", params={"nonsense": "1"})
    assert "nonsense" in refusal(answer, 400, 3, _MALFORMED)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1/ask"),  # a wrong verb: the transcoder knows no 405
        ("DELETE", "/v1/decisions/abc"),
        ("POST", "/v1/decisions/abc:nothing"),
        ("GET", "/health/x"),
        ("POST", "/factoryai.orchestrator.v1.OrchestratorService/Ask"),  # JSON to a gRPC path
        ("POST", "/factoryai.data.v1.DataService/LoadSamplePlant"),
    ],
)
async def test_unknown_paths_and_verbs(edge: Edge, method: str, path: str) -> None:
    async with edge.client() as client:
        answer = await client.request(method, path)
    assert refusal(answer, 404, 5, "ERROR_REASON_NOT_FOUND")


@pytest.mark.parametrize("path", ["/v1/decisions%2Fabc", "/v1/decisions%2fabc", "/v1/decisions%5Cabc"])
async def test_escaped_slashes(edge: Edge, path: str) -> None:
    async with edge.client() as client:
        answer = await client.get(path)
    assert "escaped slashes" in refusal(answer, 400, 3, _MALFORMED)


async def test_an_underscore_in_a_header_name(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", headers={"x_tenant_id": "other"})
    assert "underscores" in refusal(answer, 400, 3, _MALFORMED)


async def test_a_body_over_1_mib_over_http_1(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", content=b'{"question":"' + b"x" * 1_100_000 + b'"}')
    assert "1 MiB" in refusal(answer, 413, 8, "ERROR_REASON_REQUEST_TOO_LARGE")


async def test_a_body_just_under_1_mib_passes(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/imports/one:upload", json={"content": "A" * 1_000_000})
    assert answer.json() == {"receivedSize": "750000"}


async def test_headers_that_are_too_large(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", headers={"x-long": "y" * 40_000})
    assert answer.status_code == 431


async def test_too_many_headers(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", headers={f"x-{number}": "y" for number in range(80)})
    assert answer.status_code == 431


async def test_an_unknown_host(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/v1/decisions", headers={"host": "elsewhere.example"})
    assert refusal(answer, 404, 5, "ERROR_REASON_NOT_FOUND")


async def test_a_flood_is_told_to_come_back() -> None:
    async with running_edge(requests_a_second=3) as edge, edge.client() as client:
        answers = [await client.get("/v1/decisions") for _ in range(10)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    details = refused[0].json()["details"]
    assert details[0]["reason"] == "ERROR_REASON_OVERLOADED"
    assert {"@type": f"{_TYPE}RetryInfo", "retryDelay": "1s"} in details
    assert refused[0].headers["retry-after"] == "1"
