"""Runs through the real chain, over sockets and in process: what is run, recorded and answered."""

from typing import Any

import pytest
from factoryai.judgment.v1 import judgment_pb2
from factoryai.rule.v1 import rule_service_pb2, rule_service_pb2_grpc, rule_set_pb2
from factoryai.type.v1 import target_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2
from factoryai.workflow.v1 import workflow_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import status
from services.errors import (
    Conflict,
    Invalid,
    NotFound,
    Reason,
    Unavailable,
)
from services.workflow.codec.failures import decode_failure
from tests.servicer.workflow.graphs import PLANT, branching, check, code_node, data_node, definition, start, switch
from tests.servicer.workflow.neighbours import World, defect_rates
from tests.support.server import calling


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
