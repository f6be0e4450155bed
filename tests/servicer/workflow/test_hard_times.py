"""Runs through the real chain that are repeated, late, left, refused, or without what they need."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from factoryai.workflow.v1 import node_pb2, run_pb2
from factoryai.workflow.v1 import workflow_service_pb2 as pb
from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.host import Part
from services.chassis.settings import ServiceSettings
from services.errors import (
    AlreadyExists,
    Invalid,
    NotFound,
    Reason,
    Unavailable,
    Unimplemented,
)
from services.workflow.codec.failures import decode_failure
from services.workflow.settings import WorkflowSettings
from services.workflow.wiring import build
from tests.servicer.workflow.graphs import branching, check, code_node, data_node, definition, start, switch
from tests.servicer.workflow.neighbours import (
    World,
    data_layer,
)
from tests.support.server import calling, serve, settings, until


async def test_a_repeated_request_is_answered_with_the_same_run(world: World, runs: Any, tenant: str) -> None:
    with calling(tenant):
        first = await runs.StartRun(start(request_id="a"))
        second = await runs.StartRun(start(request_id="a"))
        other = await runs.StartRun(start(request_id="b"))
        with pytest.raises(AlreadyExists) as refused:
            await runs.StartRun(start(check(timeout=Duration(seconds=9)), request_id="a"))
    assert (first.started, second.started, other.started) == (True, False, True)
    assert first.run == second.run
    assert other.run.name != first.run.name
    assert refused.value.reason is Reason.REQUEST_ID_REUSED
    assert len(world.data.asked) == 2


async def test_requests_at_once_leave_one_run(runs: Any, tenant: str) -> None:
    with calling(tenant):
        answers = await asyncio.gather(*(runs.StartRun(start(request_id="same")) for _ in range(5)))
        listed = await runs.ListRuns(pb.ListRunsRequest())
    assert len({answer.run.name for answer in answers}) == 1
    assert sorted(answer.started for answer in answers) == [False] * 4 + [True]
    assert len(listed.runs) == 1


async def test_a_run_ends_before_its_caller_gives_up(world: World, runs: Any, tenant: str) -> None:
    world.data.hangs = asyncio.Event()
    with calling(tenant, within_s=0.5):
        run = (await runs.StartRun(start())).run
    assert run.state == run_pb2.RUN_STATE_TIMED_OUT
    assert decode_failure(run.error).code == "DEADLINE_EXCEEDED"
    assert run.node_results[0].state == run_pb2.NODE_STATE_FAILED
    await until(lambda: world.data.cancelled > 0)


async def test_a_retry_that_no_longer_fits_is_not_waited_for(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [Unavailable("down", retry_after=20)]
    with calling(tenant, within_s=5):
        run = (await runs.StartRun(start())).run
    assert run.state == run_pb2.RUN_STATE_TIMED_OUT
    assert "no time is left to try fetch again: down" in run.error.message


async def test_a_caller_who_leaves_is_recorded_and_may_come_again(world: World, runs: Any, tenant: str) -> None:
    world.data.hangs = asyncio.Event()
    with calling(tenant):
        call = asyncio.ensure_future(runs.StartRun(start(request_id="again")))
        await until(lambda: bool(world.data.asked))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        async def recorded() -> bool:
            return bool((await runs.ListRuns(pb.ListRunsRequest())).runs)

        await until(recorded)
        [left] = (await runs.ListRuns(pb.ListRunsRequest())).runs
        world.data.hangs = None
        again = await runs.StartRun(start(request_id="again"))
        read = (await runs.GetRun(pb.GetRunRequest(name=left.name))).run
    assert left.state == run_pb2.RUN_STATE_CANCELLED
    assert read.node_results[0].state == run_pb2.NODE_STATE_FAILED
    assert again.started
    assert again.run.state == run_pb2.RUN_STATE_SUCCEEDED


async def test_faults_of_a_definition_are_told_all_at_once(runs: Any, tenant: str) -> None:
    broken = definition(data_node(), code_node("facts", "guess", "nobody"), ways="fetch>facts fetch>gone")
    with calling(tenant):
        told = await runs.ValidateWorkflow(pb.ValidateWorkflowRequest(definition=broken))
        fine = await runs.ValidateWorkflow(pb.ValidateWorkflowRequest(definition=check()))
        with pytest.raises(Invalid) as refused:
            await runs.StartRun(start(broken))
        listed = await runs.ListRuns(pb.ListRunsRequest())
    fields = ["edges[1].target", "nodes[1].code.input_nodes[0]", "nodes[1].code.template"]
    assert sorted(fault.field for fault in told.faults) == fields
    assert list(fine.faults) == []
    assert refused.value.reason is Reason.INVALID_DEFINITION
    assert sorted(each.field for each in refused.value.violations) == [f"definition.{field}" for field in fields]
    assert list(listed.runs) == []


async def test_kinds_and_conditions_are_refused_by_their_own_reasons(runs: Any, tenant: str) -> None:
    later = definition(node_pb2.Node(id="act", kind=node_pb2.NODE_KIND_ACTION))
    case = node_pb2.SwitchCase(label="critical", condition="oee >")
    with calling(tenant):
        with pytest.raises(Unimplemented, match="ACTION nodes are not served"):
            await runs.StartRun(start(later))
        with pytest.raises(Invalid) as refused:
            await runs.StartRun(start(branching(switch(cases=[case], default_label="normal"))))
    assert refused.value.reason is Reason.INVALID_EXPRESSION
    assert refused.value.metadata["expression"] == "oee >"


@pytest.mark.parametrize("seconds", [10**14, -(10**14), 2**62, -62_135_596_800, 253_402_300_799])
async def test_times_beyond_the_calendar_are_refused(runs: Any, tenant: str, seconds: int) -> None:
    with calling(tenant), pytest.raises(Invalid):
        await runs.StartRun(start(as_of=Timestamp(seconds=seconds)))


async def test_without_a_database_nothing_is_accepted(tmp_path: Path) -> None:
    data = data_layer()
    out_of_reach = settings(WorkflowSettings, tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    async with serve(Part(out_of_reach, build), Part(settings(ServiceSettings, tmp_path), data.build)) as running:
        stub: Any = WorkflowServiceStub(running.channel("workflow"))
        with calling(), pytest.raises(Unavailable) as refused:
            await stub.StartRun(start())
        assert refused.value.retry_after is not None
        assert not running.host.health.ready()


async def test_without_neighbours_the_run_fails_and_says_when_to_try_again(tmp_path: Path) -> None:
    told = settings(WorkflowSettings, tmp_path, data_layer_url="http://127.0.0.1:1")
    async with serve(Part(told, build)) as running:
        stub: Any = WorkflowServiceStub(running.channel("workflow"))
        plan = check()
        plan.nodes[0].retry.max_attempts = 1
        with calling():
            run = (await stub.StartRun(start(plan))).run
    failure = decode_failure(run.error)
    assert (failure.code, failure.metadata) == ("UNAVAILABLE", (("dependency", "data"),))
    assert failure.retry_after is not None


@pytest.mark.parametrize("name", ["runs/" + "-" * 36, "runs/" + "0" * 36, "runs/00000000-0000-0000-0000-000000000000"])
async def test_ids_that_are_none_are_not_found(runs: Any, tenant: str, name: str) -> None:
    with calling(tenant), pytest.raises(NotFound):
        await runs.GetRun(pb.GetRunRequest(name=name))


@pytest.mark.parametrize("request_id", ["\0", "a\nb", "\u200e"])
async def test_request_ids_are_printable(runs: Any, tenant: str, request_id: str) -> None:
    with calling(tenant), pytest.raises(Invalid):
        await runs.StartRun(start(request_id=request_id))


@pytest.mark.parametrize("seconds", [-2_208_988_800, 253_370_764_799])
async def test_the_first_and_the_last_instant_are_kept(runs: Any, tenant: str, seconds: int) -> None:
    with calling(tenant):
        run = (await runs.StartRun(start(as_of=Timestamp(seconds=seconds)))).run
        read = (await runs.GetRun(pb.GetRunRequest(name=run.name))).run
    assert read.as_of == run.as_of == Timestamp(seconds=seconds)
