"""The workflow service through its real chain, over sockets and in process, on a real PostgreSQL.

The rule service is the real one; the data layer and the judgment engine can be told to fail.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from factoryai.data.v1 import analysis_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.rule.v1 import rule_service_pb2, rule_service_pb2_grpc, rule_set_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2, workflow_pb2
from factoryai.workflow.v1 import workflow_service_pb2 as pb
from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import status
from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.chassis.settings import ServiceSettings
from services.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    NotFound,
    Reason,
    Unavailable,
    Unimplemented,
)
from services.rule.settings import RuleSettings
from services.rule.wiring import build as build_rule
from services.workflow.codec.failures import decode_failure
from services.workflow.settings import WorkflowSettings
from services.workflow.wiring import build
from tests.servicer.workflow.neighbours import DataLayer, JudgmentEngine, data_layer, defect_rates, judgment_engine
from tests.support.server import WIRINGS, Running, Wiring, calling, serve, settings, until

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub

PLANT = "plants/sample"


@dataclass
class World:
    running: Running
    data: DataLayer
    judgment: JudgmentEngine


@pytest.fixture(scope="module", params=WIRINGS)
async def standing(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    wiring: Wiring = request.param
    folder: Path = tmp_path_factory.mktemp("workflow")
    data, judgment = data_layer(), judgment_engine()
    parts = (
        Part(settings(WorkflowSettings, folder, database_url=postgres_url), build),
        Part(settings(RuleSettings, folder, database_url=postgres_url), build_rule),
        Part(settings(ServiceSettings, folder), data.build),
        Part(settings(ServiceSettings, folder), judgment.build),
    )
    async with serve(*parts, wiring=wiring) as running:
        await until(running.host.health.ready)
        yield World(running, data, judgment)


@pytest.fixture
def world(standing: World) -> World:
    """The services, with neighbours that behave."""
    standing.data.answer = defect_rates(0.045)
    standing.data.failures = []
    standing.data.hangs = None
    standing.data.asked, standing.judgment.asked = [], []
    return standing


@pytest.fixture
def runs(world: World) -> "WorkflowServiceAsyncStub":
    stub: WorkflowServiceAsyncStub = WorkflowServiceStub(world.running.channel("workflow"))
    return stub


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


def data_node(node_id: str = "fetch", *, backoff_ms: int = 1, **query: Any) -> node_pb2.Node:
    window = time_window_pb2.TimeWindow(
        start_time=Timestamp(seconds=1_772_290_800), end_time=Timestamp(seconds=1_772_377_200), label="yesterday"
    )
    return node_pb2.Node(
        id=node_id,
        kind=node_pb2.NODE_KIND_DATA,
        data=node_pb2.DataNode(query=analysis_pb2.Query(metrics=["defect_rate"], windows=[window], **query)),
        retry=node_pb2.RetryPolicy(initial_backoff=Duration(nanos=backoff_ms * 1_000_000)),
    )


def code_node(node_id: str, template: str, *inputs: str) -> node_pb2.Node:
    return node_pb2.Node(
        id=node_id,
        kind=node_pb2.NODE_KIND_CODE,
        code=node_pb2.CodeNode(template=template, input_nodes=inputs),
    )


def definition(*nodes: node_pb2.Node, ways: str = "", **given: Any) -> workflow_pb2.WorkflowDefinition:
    edges = []
    for way in ways.split():
        ends, _, when = way.partition(":")
        source, target = ends.split(">")
        edges.append(node_pb2.Edge(source=source, target=target, when=when))
    return workflow_pb2.WorkflowDefinition(id="plan_check", version=1, nodes=nodes, edges=edges, **given)


def check(**given: Any) -> workflow_pb2.WorkflowDefinition:
    return definition(data_node(), code_node("facts", "check_facts", "fetch"), ways="fetch>facts", **given)


def start(what: workflow_pb2.WorkflowDefinition | None = None, **given: Any) -> pb.StartRunRequest:
    return pb.StartRunRequest(plant=PLANT, definition=what or check(), **given)


async def test_a_check_is_run_recorded_and_answered(world: World, runs: Any, tenant: str) -> None:
    with calling(tenant, "kim"):
        response = await runs.StartRun(start(as_of=Timestamp(seconds=1_772_400_000, nanos=5000)))
        read = await runs.GetRun(pb.GetRunRequest(name=response.run.name))
    run = response.run
    assert response.started
    assert run == read.run
    assert (run.state, run.plant, run.principal, run.inline) == (run_pb2.RUN_STATE_SUCCEEDED, PLANT, "kim", True)
    assert run.definition == check()
    assert [(result.node_id, result.state, result.attempts) for result in run.node_results] == [
        ("fetch", run_pb2.NODE_STATE_SUCCEEDED, 1),
        ("facts", run_pb2.NODE_STATE_SUCCEEDED, 1),
    ]
    assert run.node_results[0].output.data == world.data.answer
    facts = {fact.name: fact.value for fact in run.node_results[1].output.code.facts if not fact.text}
    assert facts == {"value": 0.045, "target": 0.03}
    assert run.node_results[1].output.code.severity == value_pb2.SEVERITY_WARNING
    assert run.node_results[1].output.code.evidence[0].row_count == 48
    assert run.create_time.ToDatetime() <= run.node_results[0].start_time.ToDatetime() <= run.end_time.ToDatetime()
    [asked] = world.data.asked
    assert (asked.plant, asked.as_of) == (PLANT, Timestamp(seconds=1_772_400_000, nanos=5000))
    assert asked.query == check().nodes[0].data.query


async def test_a_comparison_is_judged_on_the_very_figures_that_were_read(world: World, runs: Any, tenant: str) -> None:
    world.data.answer = defect_rates(0.02, 0.05)
    task = judgment_pb2.JudgmentTask(kind=judgment_pb2.JUDGMENT_KIND_COMPARISON, metric="defect_rate")
    judge = node_pb2.Node(
        id="judge",
        kind=node_pb2.NODE_KIND_JUDGMENT,
        judgment=node_pb2.JudgmentNode(input_node="fetch", task=task),
    )
    plan = definition(
        data_node(group_by=[target_pb2.DIMENSION_LINE]),
        judge,
        code_node("facts", "comparison_facts", "fetch", "judge"),
        ways="fetch>judge judge>facts",
    )
    with calling(tenant):
        run = (await runs.StartRun(start(plan))).run
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED
    [asked] = world.judgment.asked
    assert asked.input.result == world.data.answer
    assert (asked.task, asked.plant) == (task, PLANT)
    assert asked.request_id == f"{run.name.removeprefix('runs/')}:judge:0"
    assert run.node_results[1].output.judgment.name.startswith("judgments/")
    gap = next(fact for fact in run.node_results[2].output.code.facts if fact.name == "gap")
    assert gap.value == pytest.approx(0.03)


def switch(**given: Any) -> node_pb2.Node:
    return node_pb2.Node(
        id="choose", kind=node_pb2.NODE_KIND_SWITCH, switch=node_pb2.SwitchNode(input_node="fetch", **given)
    )


def branching(choose: node_pb2.Node) -> workflow_pb2.WorkflowDefinition:
    return definition(
        data_node(),
        choose,
        code_node("bad", "check_facts", "fetch"),
        code_node("fine", "check_facts", "fetch"),
        ways="fetch>choose choose>bad:critical choose>fine:normal",
    )


@pytest.mark.parametrize(("rate", "taken"), [(0.2, "bad"), (0.001, "fine")])
async def test_conditions_choose_a_branch(world: World, runs: Any, tenant: str, rate: float, taken: str) -> None:
    world.data.answer = defect_rates(rate)
    case = node_pb2.SwitchCase(label="critical", condition="facts.defect_rate > 0.1 && row_count == 1")
    with calling(tenant):
        run = (await runs.StartRun(start(branching(switch(cases=[case], default_label="normal"))))).run
    states = {result.node_id: result.state for result in run.node_results}
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED
    assert states.pop(taken) == run_pb2.NODE_STATE_SUCCEEDED
    assert states == {
        "fetch": run_pb2.NODE_STATE_SUCCEEDED,
        "choose": run_pb2.NODE_STATE_SUCCEEDED,
        "fine" if taken == "bad" else "bad": run_pb2.NODE_STATE_SKIPPED,
    }


async def test_no_branch_is_a_failed_run(runs: Any, tenant: str) -> None:
    conditions = {"critical": "facts.defect_rate > 0.1", "normal": "false"}
    cases = [node_pb2.SwitchCase(label=label, condition=condition) for label, condition in conditions.items()]
    with calling(tenant):
        run = (await runs.StartRun(start(branching(switch(cases=cases))))).run
    assert run.state == run_pb2.RUN_STATE_FAILED
    failure = decode_failure(run.error)
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", Reason.NO_BRANCH_TAKEN)
    assert failure.metadata == (("node", "choose"),)


async def test_rules_choose_a_branch_by_the_worst_row(world: World, runs: Any, tenant: str) -> None:
    world.data.answer = defect_rates(0.001, 0.2)
    rules: Any = rule_service_pb2_grpc.RuleServiceStub(world.running.channel("rule"))
    rule = rule_set_pb2.Rule(id="too_bad", condition="defect_rate > 0.1", severity=value_pb2.SEVERITY_CRITICAL)
    rule.explanation.ko, rule.explanation.en = "불량률이 높습니다", "The defect rate is high"
    rule_set = rule_set_pb2.RuleSet(
        name="ruleSets/quality",
        inputs=[rule_set_pb2.InputDeclaration(name="defect_rate", type=rule_set_pb2.INPUT_TYPE_NUMBER)],
        rules=[rule],
    )
    rule_set.display_name.ko, rule_set.display_name.en = "품질", "Quality"
    cases = [node_pb2.SwitchCase(label="critical"), node_pb2.SwitchCase(label="normal")]
    plan = branching(switch(cases=cases, rule_set=node_pb2.RuleSetSwitch(rule_set="ruleSets/quality")))
    with calling(tenant):
        unpublished = (await runs.StartRun(start(plan))).run
        await rules.CreateRuleSet(rule_service_pb2.CreateRuleSetRequest(rule_set=rule_set))
        await rules.PublishRuleSet(rule_service_pb2.PublishRuleSetRequest(name="ruleSets/quality"))
        run = (await runs.StartRun(start(plan))).run
    assert decode_failure(unpublished.error).code == "NOT_FOUND"
    way = next(result.output.switch for result in run.node_results if result.node_id == "choose")
    assert (list(way.labels), way.severity) == (["critical"], value_pb2.SEVERITY_CRITICAL)
    [evidence] = way.evidence
    assert (evidence.rule, evidence.description.en) == ("too_bad", "The defect rate is high")
    assert evidence.source.startswith("ruleSets/quality@1:")


async def test_what_may_pass_is_tried_again(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [Unavailable("down", retry_after=None), Conflict("busy")]
    with calling(tenant):
        run = (await runs.StartRun(start())).run
        read = (await runs.GetRun(pb.GetRunRequest(name=run.name))).run
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED
    assert run == read
    assert [result.attempts for result in run.node_results] == [3, 1]


async def test_three_attempts_are_all(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [Unavailable("down", retry_after=0.001) for _ in range(5)]
    with calling(tenant):
        run = (await runs.StartRun(start())).run
        read = (await runs.GetRun(pb.GetRunRequest(name=run.name))).run
    assert len(world.data.asked) == 3
    assert run.state == run_pb2.RUN_STATE_FAILED
    assert run == read
    failure = decode_failure(run.error)
    assert (failure.code, failure.retry_after) == ("UNAVAILABLE", 0.001)
    assert [(result.node_id, result.state) for result in run.node_results] == [
        ("fetch", run_pb2.NODE_STATE_FAILED),
        ("facts", run_pb2.NODE_STATE_UNSPECIFIED),
    ]
    assert run.node_results[0].error == run.error


async def test_what_is_wrong_stays_wrong(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [Invalid("no such metric", Reason.UNKNOWN_METRIC, {"metric": "defect_rate"})] * 2
    with calling(tenant):
        run = (await runs.StartRun(start())).run
    assert len(world.data.asked) == 1
    assert decode_failure(run.error).reason is Reason.UNKNOWN_METRIC


async def test_a_bug_next_door_is_a_failed_run_that_tells_nothing(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [ValueError("secret of the data layer")]
    with calling(tenant):
        run = (await runs.StartRun(start())).run
    assert (run.state, run.error.message) == (run_pb2.RUN_STATE_FAILED, "internal error")
    assert b"secret" not in run.SerializeToString()


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


@pytest.mark.parametrize("seconds", [10**14, -(10**14), 2**62])
async def test_times_beyond_the_calendar_are_refused(runs: Any, tenant: str, seconds: int) -> None:
    with calling(tenant), pytest.raises(Invalid):
        await runs.StartRun(start(as_of=Timestamp(seconds=seconds)))


async def test_runs_are_listed_newest_first_page_by_page(world: World, runs: Any, tenant: str) -> None:
    with calling(tenant):
        names = [(await runs.StartRun(start())).run.name for _ in range(5)]
        world.data.failures = [Invalid("no")]
        failed = (await runs.StartRun(start())).run.name
        seen, token = [], ""
        while True:
            page = await runs.ListRuns(pb.ListRunsRequest(page_size=4, page_token=token))
            seen += [run.name for run in page.runs]
            token = page.next_page_token
            if not token:
                break
        only = await runs.ListRuns(pb.ListRunsRequest(state=run_pb2.RUN_STATE_FAILED))
        first = await runs.ListRuns(pb.ListRunsRequest(page_size=1))
        for token in ("nonsense", "W10=", first.next_page_token):
            with pytest.raises(Invalid) as refused:
                await runs.ListRuns(pb.ListRunsRequest(page_token=token, state=run_pb2.RUN_STATE_FAILED))
            assert refused.value.reason is Reason.INVALID_PAGE_TOKEN
    assert seen == [failed, *reversed(names)]
    assert [run.name for run in only.runs] == [failed]
    assert only.runs[0].error.message == "no"
    assert not only.runs[0].node_results
    assert not only.runs[0].HasField("definition")


async def test_tenants_do_not_see_each_other(runs: Any, tenant: str) -> None:
    with calling(tenant):
        run = (await runs.StartRun(start(request_id="shared"))).run
    with calling(f"{tenant}-other"):
        with pytest.raises(NotFound):
            await runs.GetRun(pb.GetRunRequest(name=run.name))
        assert not (await runs.ListRuns(pb.ListRunsRequest())).runs
        assert (await runs.StartRun(start(request_id="shared"))).started


async def test_errors_within_runs_hold_their_details(world: World, runs: Any, tenant: str) -> None:
    world.data.failures = [Invalid("no such target", Reason.UNKNOWN_TARGET, {"target": "line:L99"})]
    with calling(tenant):
        run = (await runs.StartRun(start())).run
    kinds = {detail.TypeName() for detail in run.error.details}
    assert {"google.rpc.ErrorInfo", "google.rpc.LocalizedMessage"} <= kinds
    assert status.DOMAIN.encode() in run.error.SerializeToString()


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
