"""What a server does on the wire: statuses, limits, health, reflection, overload, operations port."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services import errors
from services.chassis.host import Host, Part
from tests.integration.chassis.conftest import World
from tests.support import echo, server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def wiring() -> server.Wiring:
    return "socket"


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value


def details(failure: grpc.aio.AioRpcError) -> dict[str, Message]:
    trailers: Any = failure.trailing_metadata()
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.code == failure.code().value[0]
    found: dict[str, Message] = {}
    for box in status.details:
        kind = getattr(error_details_pb2, box.TypeName().removeprefix("google.rpc."))
        message = kind()
        box.Unpack(message)
        found[f"{kind.__name__}{getattr(message, 'locale', '')}"] = message
    return found


async def test_an_error_is_a_full_google_rpc_status(world: World) -> None:
    async with grpc.aio.insecure_channel(world.raw) as channel:
        call = channel.unary_unary(echo.ECHO, world.pb.EchoRequest.SerializeToString, world.pb.EchoResponse.FromString)
        metadata = (("authorization", server.bearer()), ("x-request-id", "r-7"), ("accept-language", "ko-KR,en;q=0.5"))
        failure = await refused(call(world.pb.EchoRequest(text="x" * 501), metadata=metadata))
        retry = await refused(call(world.pb.EchoRequest(order="unavailable"), metadata=metadata))
    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    found: dict[str, Any] = details(failure)
    assert found["ErrorInfo"].reason == "ERROR_REASON_INVALID_ARGUMENT"
    assert found["ErrorInfo"].domain == "factory-ai.com"
    assert found["RequestInfo"].request_id == "r-7"
    assert found["LocalizedMessageko"].message.startswith("요청 내용이")
    assert "LocalizedMessageen" not in found
    assert [each.field for each in found["BadRequest"].field_violations] == ["text"]
    after: dict[str, Any] = details(retry)
    assert (after["RetryInfo"].retry_delay.seconds, after["RetryInfo"].retry_delay.nanos) == (2, 500_000_000)


def raw(channel: grpc.aio.Channel, path: str) -> Any:
    return channel.unary_unary(path)


async def test_no_input_answers_unknown_or_internal(world: World) -> None:
    metadata = (("authorization", server.bearer()),)
    async with grpc.aio.insecure_channel(world.raw) as channel:
        for path in (echo.ECHO, "/grpc.health.v1.Health/Check", f"/{echo.FULL_NAME}/Nope", "/no.Such/Method"):
            for body in (b"\xff\xff", b"\x0a\x02\xc3\x28", b"\x3a\x80\x80\x01" * 400, b"\x00" * 100):
                failure = await refused(raw(channel, path)(body, metadata=metadata))
                assert failure.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED}, path
                assert "ErrorInfo" in details(failure)
        for size in (1_100_000, 5_000_000):
            failure = await refused(raw(channel, echo.ECHO)(b"\x0a" + b"x" * size, metadata=metadata))
            assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        large = (*metadata, ("x-large", "x" * 20_000))
        failure = await refused(raw(channel, echo.ECHO)(b"", metadata=large))
        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert world.router.seen == 0


async def test_a_malformed_request_id_is_replaced_and_told(world: World) -> None:
    async with grpc.aio.insecure_channel(world.raw) as channel:
        call = channel.unary_unary(echo.ECHO, world.pb.EchoRequest.SerializeToString, world.pb.EchoResponse.FromString)
        metadata = (("authorization", server.bearer()), ("x-request-id", "a b;c"))
        rpc: Any = call(world.pb.EchoRequest(), metadata=metadata)
        answer = await rpc
        trailers = await rpc.trailing_metadata()
    assert len(answer.request_id) == 36
    assert trailers["x-request-id"] == answer.request_id


async def test_health_starts_not_serving_and_follows_readiness(tmp_path: Path) -> None:
    ready = False

    async def is_ready() -> bool:
        return ready

    part = echo.EchoPart("router", ready=is_ready)
    async with server.serve(Part(server.settings(echo.EchoSettings, tmp_path), part.build)) as running:
        for address in (running.address("router"), f"127.0.0.1:{running.host.health_port}"):
            async with grpc.aio.insecure_channel(address) as channel:
                stub = health_pb2_grpc.HealthStub(channel)
                for name, wanted in (("", NOT_SERVING), (echo.FULL_NAME, NOT_SERVING), ("liveness", SERVING)):
                    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
                    assert answer.status == wanted, name
                failure = await refused(stub.Check(health_pb2.HealthCheckRequest(service="nobody")))
                assert failure.code() is grpc.StatusCode.NOT_FOUND
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.host.health_port}") as channel, asyncio.timeout(5):
            seen = []
            async for change in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()):
                seen.append(change.status)
                if len(seen) == 2:
                    break
                ready = True
        assert seen == [NOT_SERVING, SERVING]


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_reflection_stands_in_development_only(tmp_path: Path, environment: str) -> None:
    settings = server.settings(
        echo.EchoSettings, tmp_path, environment=environment, database_url="postgresql://nobody@nowhere/x"
    )
    async with (
        server.serve(Part(settings, echo.EchoPart("router").build)) as running,
        grpc.aio.insecure_channel(running.address("router")) as channel,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        if environment == "production":
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await anext(aiter(call))
            assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
        else:
            answer = await anext(aiter(call))
            names = {each.name for each in answer.list_services_response.service}
            assert echo.FULL_NAME in names


async def test_health_answers_while_a_service_is_overloaded(world: World) -> None:
    metadata = (("authorization", server.bearer()),)
    async with grpc.aio.insecure_channel(world.raw) as channel:
        call: Any = channel.unary_unary(echo.ECHO, world.pb.EchoRequest.SerializeToString)
        waiting = [call(world.pb.EchoRequest(order="wait"), metadata=metadata) for _ in range(5)]
        await server.until(lambda: world.router.seen == 5)
        failure = await refused(call(world.pb.EchoRequest(), metadata=metadata))
        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        found: dict[str, Any] = details(failure)
        assert found["ErrorInfo"].reason == "ERROR_REASON_OVERLOADED"
        assert "RetryInfo" in found
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="liveness"))
        world.router.release.set()
        await asyncio.gather(*waiting)


async def test_the_operations_port(world: World) -> None:
    with server.calling():
        await world.stub.Echo(world.pb.EchoRequest())
    base = f"http://127.0.0.1:{world.running.host.metrics_port}"
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{base}/metrics")).text
        assert (await client.get(f"{base}/health")).status_code == 200
        assert (await client.get(f"{base}/nope")).status_code == 404
        assert (await client.post(f"{base}/metrics")).status_code == 405

        async def ready() -> bool:
            return (await client.get(f"{base}/ready")).status_code == 200

        await server.until(ready)
    assert 'rpc_server_duration_seconds_count{rpc_grpc_status_code="OK",rpc_method="Echo"' in metrics
    reader, writer = await asyncio.open_connection("127.0.0.1", world.running.host.metrics_port)
    writer.write(b"\x00garbage\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    await writer.wait_closed()


async def test_a_taken_port_is_told_and_leaves_nothing_open(world: World, tmp_path: Path) -> None:
    taken = int(world.raw.rsplit(":", 1)[1])
    settings = server.settings(echo.EchoSettings, tmp_path, port=taken)
    host = Host([Part(settings, echo.EchoPart("router").build)])
    with pytest.raises(RuntimeError):
        await host.start()
    await host.drain()


async def test_a_neighbour_out_of_reach_is_unavailable(tmp_path: Path) -> None:
    settings = server.settings(echo.EchoSettings, tmp_path, data_layer_url="http://127.0.0.1:1")
    pb, grpc_module = echo.stubs()
    async with server.serve(Part(settings, echo.EchoPart("router").build)) as running:
        stub = grpc_module.EchoServiceStub(running.channel("router"))
        with server.calling(within_s=5), pytest.raises(errors.Unavailable) as gone:
            await stub.Echo(pb.EchoRequest(order="relay", relayed=pb.EchoRequest()))
    assert gone.value.metadata == {"dependency": "data"}
    assert gone.value.retry_after
