"""A drain loses no request, under either wiring."""

import asyncio
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services import errors
from services.chassis.host import Host, Part
from services.errors import Reason
from tests.support import echo, server


async def test_what_is_under_way_ends_and_what_comes_is_refused(wiring: server.Wiring, tmp_path: Path) -> None:
    pb, grpc_module = echo.stubs()
    stopped: list[str] = []

    async def stop() -> None:
        stopped.append("router")

    settings = server.settings(echo.EchoSettings, tmp_path, drain_grace_s=10)
    router, data = echo.EchoPart("router", stop=stop), echo.EchoPart("data")
    parts = [Part(settings, router.build), Part(settings, data.build)]
    host = Host(parts, in_process=wiring == "in_process")
    await host.start()
    metadata = (("authorization", server.bearer()),)
    # One call over the socket that relays to the neighbour only after the drain has begun.
    relay = pb.EchoRequest(text="kept", order="work")
    relayed = grpc_module.EchoServiceStub(host.platform().channels.channel("data"))

    async def ask_neighbour() -> str:
        await router.servicer.release.wait()
        await relayed.Echo(pb.EchoRequest(text="asked while draining"))
        return "kept"

    router.servicer.work = ask_neighbour
    async with (
        grpc.aio.insecure_channel(host.addresses["router"].removeprefix("http://")) as channel,
        grpc.aio.insecure_channel(f"127.0.0.1:{host.health_port}") as health_channel,
    ):
        call = grpc_module.EchoServiceStub(channel).Echo(relay, metadata=metadata)
        async with asyncio.timeout(10):
            await router.servicer.entered.wait()
            draining = asyncio.create_task(host.drain())
            health = health_pb2_grpc.HealthStub(health_channel)

            async def not_serving() -> bool:
                answer = await health.Check(health_pb2.HealthCheckRequest())
                return bool(answer.status == health_pb2.HealthCheckResponse.NOT_SERVING)

            await server.until(not_serving)
            alive = await health.Check(health_pb2.HealthCheckRequest(service="liveness"))
            assert alive.status == health_pb2.HealthCheckResponse.SERVING
            assert not stopped
            router.servicer.release.set()
            if wiring == "in_process":  # a neighbour in another process drains on its own time
                assert (await call).text == "kept"
            await draining
    assert stopped == ["router"]


async def test_after_the_drain_calls_in_process_are_refused(tmp_path: Path) -> None:
    pb, grpc_module = echo.stubs()
    host = Host([Part(server.settings(echo.EchoSettings, tmp_path), echo.EchoPart("router").build)])
    await host.start()
    stub = grpc_module.EchoServiceStub(host.platform().channels.channel("router"))
    await host.drain()
    with server.calling(), pytest.raises(errors.Unavailable) as refused:
        await stub.Echo(pb.EchoRequest())
    assert refused.value.reason is Reason.SHUTTING_DOWN


async def test_a_storm_of_calls_over_a_drain_is_answered_or_refused_unserved(tmp_path: Path) -> None:
    pb, grpc_module = echo.stubs()
    part = echo.EchoPart("router")
    host = Host([Part(server.settings(echo.EchoSettings, tmp_path), part.build)])
    await host.start()
    answered = 0
    metadata = (("authorization", server.bearer()),)
    async with grpc.aio.insecure_channel(host.addresses["router"].removeprefix("http://")) as channel:
        stub = grpc_module.EchoServiceStub(channel)

        async def ask() -> None:
            nonlocal answered
            while True:
                try:
                    await stub.Echo(pb.EchoRequest(text="x", order="sleep", seconds=0.005), metadata=metadata)
                except grpc.aio.AioRpcError as refused:
                    assert refused.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - each of many calls
                    return
                answered += 1

        asking = [asyncio.create_task(ask()) for _ in range(10)]
        async with asyncio.timeout(20):
            await server.until(lambda: answered >= 50)
            await host.drain()
            await asyncio.gather(*asking)
    assert answered == part.servicer.seen == len(part.servicer.ended)
