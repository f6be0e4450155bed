"""Health, readiness, drain, TLS, metrics and the access log."""

import asyncio
import json
import socket
import ssl

import grpc
import httpx
import pytest
from factoryai.orchestrator.v1 import orchestrator_service_pb2, orchestrator_service_pb2_grpc

from services.embedded.table import SIX
from tests.support.edge import Edge

pytestmark = pytest.mark.e2e

_PATIENCE_S = 15


async def until(client: httpx.AsyncClient, path: str, status: int) -> None:
    """Wait until `path` answers `status`."""
    async with asyncio.timeout(_PATIENCE_S):
        while (await client.get(path)).status_code != status:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)


async def test_ready_follows_every_service_and_health_does_not(own_edge: Edge) -> None:
    async with own_edge.client() as client:
        assert (await client.get("/ready")).status_code == 200
        await own_edge.backend.say(serving=False, only=SIX[3].full_name)
        await until(client, "/ready", 503)
        assert (await client.get("/health")).status_code == 200
        await own_edge.backend.say(serving=True)
        await until(client, "/ready", 200)


async def test_a_service_that_is_not_serving_gets_nothing(own_edge: Edge) -> None:
    """Envoy would otherwise send to unhealthy hosts when most are so ("panic")."""
    async with own_edge.client() as client:
        await own_edge.backend.say(serving=False)
        await until(client, "/ready", 503)
        answer = await client.post("/v1/ask", json={"question": "hello"})
    assert answer.status_code == 503
    info, _, retry = answer.json()["details"]
    assert info["reason"] == "ERROR_REASON_DEPENDENCY_UNAVAILABLE"
    assert retry["retryDelay"] == "1s"
    assert answer.headers["retry-after"] == "1"


async def test_services_that_are_gone(own_edge: Edge) -> None:
    await own_edge.backend.stop()
    async with own_edge.client() as client, own_edge.channel() as channel:
        answer = await client.post("/v1/ask", json={"question": "hello"})
        stub = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Ask(orchestrator_service_pb2.AskRequest(question="hello"))
    assert answer.status_code == 503
    assert "Connection refused" not in answer.text
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_drain_says_so_finishes_what_runs_and_refuses_the_new(own_edge: Edge) -> None:
    async with own_edge.client() as client:

        async def lines() -> list[str]:
            async with (
                own_edge.client() as other,
                other.stream("POST", "/v1/ask:stream", json={"question": "slowly 40"}) as answer,
            ):
                return [line async for line in answer.aiter_lines()]

        running = asyncio.create_task(lines())
        await asyncio.sleep(0.3)  # the stream is under way; nothing outside shows that sooner
        drained = asyncio.create_task(asyncio.to_thread(own_edge.envoy.drain))
        await until(client, "/health", 503)
        assert (await client.get("/ready")).status_code == 503
        assert (await client.post("/v1/ask", json={"question": "hello"})).status_code == 200
        assert len(await running) == 41
        await drained
    async with asyncio.timeout(_PATIENCE_S):
        while await _listens(own_edge.port):  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.1)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
def test_alpn(edge: Edge, offered: list[str], chosen: str) -> None:
    context = ssl.create_default_context(cafile=edge.envoy.ca)
    context.set_alpn_protocols(offered)
    for name in ("localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", edge.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.selected_alpn_protocol() == chosen
            assert secure.version() == "TLSv1.3"


def test_old_tls_is_refused(edge: Edge) -> None:
    context = ssl.create_default_context(cafile=edge.envoy.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):  # on purpose: an old client is what we play
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", edge.port), timeout=5) as plain,
        pytest.raises(OSError, match=r"(?i)alert|protocol"),
        context.wrap_socket(plain, server_hostname="localhost"),
    ):
        pass


async def test_admin_and_prometheus_are_on_loopback(edge: Edge) -> None:
    async with httpx.AsyncClient(base_url=edge.admin) as client:
        metrics = await client.get("/stats/prometheus")
        listeners = await client.get("/listeners?format=json")
    assert 'envoy_cluster_upstream_rq_total{envoy_cluster_name="orchestrator"}' in metrics.text
    address = listeners.json()["listener_statuses"][0]["local_address"]["socket_address"]["address"]
    assert address == "127.0.0.1"
    assert edge.admin.startswith("http://127.0.0.1:")


async def test_the_access_log_is_json_without_questions(own_edge: Edge) -> None:
    log = own_edge.envoy.config.with_name("envoy.log")
    async with own_edge.client() as client:
        await client.get("/v1/decisions", params={"plant": "secret-plant"}, headers={"x-request-id": "find-me"})
        await client.get("/v1/decisions%2Fx")
    async with asyncio.timeout(_PATIENCE_S):
        while log.read_text().count("\n") < 2:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    entries = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    entry = next(entry for entry in entries if entry["request_id"] == "find-me")
    assert entry["path"] == "/v1/decisions"
    assert entry["rpc"] == "/factoryai.orchestrator.v1.OrchestratorService/ListDecisions"
    assert (entry["status"], entry["upstream"]) == (200, "orchestrator")
    assert "secret-plant" not in log.read_text()
    assert all(entry["request_id"] for entry in entries)
