"""Errors, deadlines, tenant, tracing, streams and cancellation: the same in process and over a socket."""

import asyncio
import contextlib
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services import errors
from services.chassis.host import Part
from services.chassis.tracing import Tracing
from services.errors import FieldViolation, Reason
from tests.integration.chassis.conftest import World
from tests.support import echo, server
from tests.support.server import calling

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_who_asks_travels_two_hops(world: World) -> None:
    request = world.pb.EchoRequest(text="out", order="relay", relayed=world.pb.EchoRequest(text="in"))
    with calling("acme", "kim", plant="busan", language="ko", request_id="r-1", within_s=5):
        answer = await world.stub.Echo(request, metadata=(("traceparent", TRACE),))
    for hop in (answer, answer.relayed):
        assert (hop.tenant, hop.subject, hop.plant) == ("acme", "kim", "busan")
        assert (hop.language, hop.request_id, hop.traceparent) == ("ko", "r-1", TRACE)
    assert world.data.seen == 1


async def test_the_budget_shrinks_by_a_margin_at_each_hop(world: World) -> None:
    request = world.pb.EchoRequest(order="relay", relayed=world.pb.EchoRequest())
    with calling(within_s=5):
        answer = await world.stub.Echo(request)
    # 20 ms of margin at the caller and 20 ms of reserve at the server; gRPC rounds what it sends by up to 10 ms.
    assert 4 < answer.relayed.seconds_left < answer.seconds_left - 0.028 < 5


async def test_a_token_decides_the_tenant_whatever_headers_say(world: World) -> None:
    with calling("acme"):
        answer = await world.stub.Echo(world.pb.EchoRequest(), metadata=(("x-tenant", "victim"),))
    assert answer.tenant == "acme"


async def test_without_a_token_nothing_is_answered(world: World) -> None:
    with pytest.raises(errors.Unauthenticated):
        await world.stub.Echo(world.pb.EchoRequest())
    with calling(token="Bearer not.a.token"), pytest.raises(errors.Unauthenticated):  # noqa: S106
        await world.stub.Echo(world.pb.EchoRequest())
    with (
        calling(token=server.bearer(ttl_s=-60)),
        pytest.raises(errors.Unauthenticated) as expired,
    ):
        await world.stub.Echo(world.pb.EchoRequest())
    assert expired.value.reason is Reason.TOKEN_EXPIRED
    assert world.router.seen == 0


async def test_domain_errors_arrive_as_they_were_raised(world: World) -> None:
    with calling():
        with pytest.raises(errors.NotFound) as missing:
            await world.stub.Echo(world.pb.EchoRequest(text="p9", order="not_found"))
        with pytest.raises(errors.Invalid) as invalid:
            await world.stub.Echo(world.pb.EchoRequest(order="invalid"))
        with pytest.raises(errors.Unavailable) as gone:
            await world.stub.Echo(world.pb.EchoRequest(order="unavailable"))
    assert (missing.value.reason, missing.value.metadata) == (Reason.UNKNOWN_PLANT, {"plant": "p9"})
    assert invalid.value.violations == (FieldViolation("a.b", "is odd", "odd"),) * 2
    assert (gone.value.retry_after, gone.value.metadata) == (2.5, {"dependency": "database"})


async def test_errors_pass_through_a_neighbour(world: World) -> None:
    inner = world.pb.EchoRequest(text="p9", order="not_found")
    with calling(), pytest.raises(errors.NotFound) as missing:
        await world.stub.Echo(world.pb.EchoRequest(order="relay", relayed=inner))
    assert missing.value.reason is Reason.UNKNOWN_PLANT


async def test_a_bug_tells_nothing(world: World) -> None:
    with calling(), pytest.raises(errors.Internal) as bug:
        await world.stub.Echo(world.pb.EchoRequest(order="bug"))
    assert "secret" not in str(bug.value)
    assert not bug.value.metadata


async def test_too_many_violations_still_arrive(world: World) -> None:
    with calling(), pytest.raises(errors.Invalid) as invalid:
        await world.stub.Echo(world.pb.EchoRequest(order="many_violations"))
    assert 1 <= len(invalid.value.violations) <= 20


async def test_limits_of_the_proto_name_the_field(world: World) -> None:
    item = world.pb.Item(amount=-1)
    request = world.pb.EchoRequest(text="가" * 501, items=[world.pb.Item(), item], by_name={"line-1": item})
    with calling(), pytest.raises(errors.Invalid) as invalid:
        await world.stub.Echo(request)
    assert {violation.field for violation in invalid.value.violations} == {
        "text",
        "items[1].amount",
        'by_name["line-1"].amount',
    }
    assert {violation.rule for violation in invalid.value.violations} == {"string.max_len", "int32.gte"}
    assert world.router.seen == 0


async def test_oversized_requests_are_refused_with_a_reason(world: World) -> None:
    with calling(), pytest.raises(errors.Overloaded) as large:
        await world.stub.Echo(world.pb.EchoRequest(text="x" * 1_100_000))
    assert (large.value.reason, large.value.retry_after) == (Reason.REQUEST_TOO_LARGE, None)


async def test_a_servicer_cannot_change_its_callers_message(world: World) -> None:
    request = world.pb.EchoRequest(text="mine", order="mutate")
    with calling():
        await world.stub.Echo(request)
    assert request.text == "mine"


async def test_a_spent_budget_ends_the_work(world: World) -> None:
    with calling(within_s=0.2), pytest.raises(errors.DeadlineExceeded):
        await world.stub.Echo(world.pb.EchoRequest(order="wait"))
    async with asyncio.timeout(2):
        await world.router.cancelled.wait()


async def test_a_caller_without_a_budget_gets_the_services_own(wiring: server.Wiring, tmp_path: Path) -> None:
    pb, grpc_module = echo.stubs()
    part = echo.EchoPart("router")
    settings = server.settings(echo.EchoSettings, tmp_path, default_deadline_s=0.2)
    async with server.serve(Part(settings, part.build), wiring=wiring) as running:
        stub = grpc_module.EchoServiceStub(running.channel("router"))
        with calling(), pytest.raises(errors.DeadlineExceeded):
            await stub.Echo(pb.EchoRequest(order="wait"))


async def test_nothing_travels_but_what_the_headers_say(world: World) -> None:
    leak: ContextVar[str] = ContextVar("leak", default="nothing")

    async def look() -> str:
        return leak.get()

    world.router.work = look
    leak.set("something of the caller")
    with calling():
        answer = await world.stub.Echo(world.pb.EchoRequest(order="work"))
    assert answer.text == "nothing"


async def test_a_neighbour_that_is_too_slow_leaves_time_to_say_so(world: World) -> None:
    inner = world.pb.EchoRequest(order="wait")
    with calling(within_s=5), pytest.raises(errors.DeadlineExceeded):
        await world.stub.Echo(world.pb.EchoRequest(order="relay_by", seconds=0.1, relayed=inner))
    async with asyncio.timeout(2):
        await world.data.cancelled.wait()
    assert not world.router.cancelled.is_set()


async def test_a_call_that_cannot_finish_is_not_made(world: World) -> None:
    with calling(within_s=0.001), pytest.raises(errors.DeadlineExceeded):
        await world.stub.Echo(world.pb.EchoRequest())
    assert world.router.seen == 0


async def test_cancelling_the_caller_cancels_both_hops(world: World) -> None:
    async def ask() -> None:
        with calling():
            inner = world.pb.EchoRequest(order="wait")
            await world.stub.Echo(world.pb.EchoRequest(order="relay", relayed=inner))

    task = asyncio.create_task(ask())
    async with asyncio.timeout(5):
        await world.data.entered.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await world.router.cancelled.wait()
        await world.data.cancelled.wait()
    assert task.cancelled()


async def test_streams_arrive_in_order_and_end(world: World) -> None:
    with calling("acme"):
        numbers = [(each.number, each.tenant) async for each in world.stub.Count(world.pb.CountRequest(to=50))]
    assert numbers == [(number, "acme") for number in range(1, 51)]


async def test_an_error_in_mid_stream_arrives_after_what_was_sent(world: World) -> None:
    seen: list[int] = []

    async def read() -> None:
        async for each in world.stub.Count(request):
            seen.append(each.number)  # noqa: PERF401 - the error must not lose what came before

    request = world.pb.CountRequest(to=3, order="raise")
    with calling(), pytest.raises(errors.NotFound) as missing:
        await read()
    assert seen == [1, 2, 3]
    assert missing.value.metadata == {"resource": "number"}


async def test_leaving_a_stream_stops_the_servicer(world: World) -> None:
    with calling():
        stream: Any = world.stub.Count(world.pb.CountRequest(to=1_000_000, pause=0.01))
        async with contextlib.aclosing(stream.__aiter__()) as messages:
            async for _ in messages:
                break
    async with asyncio.timeout(2):
        await world.router.cancelled.wait()


async def test_a_stream_keeps_to_its_deadline(world: World) -> None:
    with calling(within_s=0.2), pytest.raises(errors.DeadlineExceeded):
        async for _ in world.stub.Count(world.pb.CountRequest(to=1_000_000, pause=0.01)):
            pass
    async with asyncio.timeout(2):
        await world.router.cancelled.wait()


async def test_streams_validate_and_authenticate(world: World) -> None:
    with pytest.raises(errors.Unauthenticated):
        async for _ in world.stub.Count(world.pb.CountRequest(to=1)):
            pass


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\xff\xff\xff\xff", id="garbage"),
        pytest.param(b"\x0a\x02\xc3\x28", id="bad UTF-8"),
        pytest.param(b"".join([b"\x3a\x80\x80\x01"] * 400), id="deep nesting"),
        pytest.param(b"\x0a\x7f", id="cut off"),
    ],
)
async def test_bytes_that_are_no_request_are_invalid(world: World, garbage: bytes) -> None:
    channel = world.running.channel("router")
    call = channel.unary_unary(echo.ECHO, lambda data: data, world.pb.EchoResponse.FromString)
    with calling(), pytest.raises(errors.Invalid) as malformed:
        await call(garbage)
    assert malformed.value.reason is Reason.MALFORMED_REQUEST
    assert world.router.seen == 0


async def test_overload_is_refused_at_once(world: World) -> None:
    with calling(within_s=10):
        waiting = [asyncio.ensure_future(world.stub.Echo(world.pb.EchoRequest(order="wait"))) for _ in range(5)]
        await server.until(lambda: world.router.seen == 5)
        with pytest.raises(errors.Overloaded) as refused:
            await world.stub.Echo(world.pb.EchoRequest())
        assert refused.value.retry_after
        world.router.release.set()
        await asyncio.gather(*waiting)
        await world.stub.Echo(world.pb.EchoRequest())


async def test_an_unknown_method_is_unimplemented(world: World) -> None:
    channel = world.running.channel("router")
    call = channel.unary_unary(f"/{echo.FULL_NAME}/Nothing", lambda data: data, lambda data: data)
    with calling(), pytest.raises(errors.Unimplemented) as unknown:
        await call(b"")
    assert unknown.value.reason is Reason.UNIMPLEMENTED


async def test_spans_of_two_hops_belong_to_one_trace(wiring: server.Wiring, tmp_path: Path) -> None:
    spans = InMemorySpanExporter()
    tracing = Tracing.exporting(SimpleSpanProcessor(spans), process="test", ratio=1)
    pb, grpc_module = echo.stubs()
    settings = server.settings(echo.EchoSettings, tmp_path)
    parts = [Part(settings, echo.EchoPart(name).build) for name in ("router", "data")]
    async with server.serve(*parts, wiring=wiring, tracing=tracing) as running:
        stub = grpc_module.EchoServiceStub(running.channel("router"))
        with calling():
            await stub.Echo(pb.EchoRequest(order="relay", relayed=pb.EchoRequest()), metadata=(("traceparent", TRACE),))
    inner, outer = spans.get_finished_spans()
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert f"{outer.context.trace_id:032x}" == TRACE.split("-")[1]
