"""Who asks, from where, and under which id."""

import json
import uuid

import httpx
import pytest

from tests.support.edge import Edge

pytestmark = pytest.mark.e2e

_ORIGIN = "http://localhost:3000"


async def seen(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    """Return the metadata that the service behind the edge sees."""
    answer = await client.post("/v1/ask", json={"question": "metadata"}, headers=headers)
    found: dict[str, str] = json.loads(answer.json()["decision"]["answer"]["text"])
    return found


async def test_a_request_id_is_made_and_told_to_both_sides(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", json={"question": "metadata"})
    given = answer.headers["x-request-id"]
    assert uuid.UUID(given)
    assert json.loads(answer.json()["decision"]["answer"]["text"])["x-request-id"] == given


async def test_a_callers_own_request_id_is_echoed(edge: Edge) -> None:
    mine = {"x-request-id": "order-4711"}
    async with edge.client() as client:
        for answer in (
            await client.post("/v1/ask", json={"question": "hello"}, headers=mine),
            await client.post("/v1/ask", content="{", headers=mine),
            await client.get("/nothing", headers=mine),
            await client.get("/health", headers=mine),
        ):
            assert answer.headers["x-request-id"] == "order-4711"
        assert (await seen(client, mine))["x-request-id"] == "order-4711"


async def test_headers_that_say_who_asks_are_removed(edge: Edge) -> None:
    forged = {
        "x-tenant": "other",
        "x-tenant-id": "other",
        "x-user-id": "root",
        "x-user-roles": "admin",
        "x-factoryai-anything": "1",
        "x-forwarded-client-cert": "By=spiffe://x",
        "x-envoy-original-path": "/forged",
    }
    async with edge.client() as client:
        metadata = await seen(client, {**forged, "authorization": "Bearer abc", "x-plant": "sample"})
    assert not [value for value in metadata.values() if value in {"other", "root", "admin", "1", "/forged"}]
    assert "x-forwarded-client-cert" not in metadata
    assert metadata["authorization"] == "Bearer abc"
    assert metadata["x-plant"] == "sample"


@pytest.mark.parametrize("path", ["/v1/ask", "/factoryai.orchestrator.v1.OrchestratorService/Ask"])
async def test_preflight_of_an_allowed_origin(edge: Edge, path: str) -> None:
    asks = {
        "origin": _ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with edge.client() as client:
        answer = await client.options(path, headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == _ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null"])
async def test_another_origin_is_given_nothing(edge: Edge, origin: str) -> None:
    async with edge.client() as client:
        preflight = await client.options("/v1/ask", headers={"origin": origin, "access-control-request-method": "POST"})
        answer = await client.get("/v1/decisions", headers={"origin": origin})
    assert preflight.status_code == 404
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_errors_too_may_be_read_by_an_allowed_origin(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask", content="{", headers={"origin": _ORIGIN})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == _ORIGIN
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
