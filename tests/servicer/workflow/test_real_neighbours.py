"""The graphs behind CHECK, TREND, COMPARE and RANK over the real data layer, judgment engine and rule engine.

Figures are held against sums over the very rows that the data layer answers with at its finest grain.
"""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from factoryai.data.v1 import analysis_pb2, data_service_pb2
from factoryai.data.v1.data_service_pb2_grpc import DataServiceStub
from factoryai.judgment.v1 import judgment_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2, workflow_pb2
from factoryai.workflow.v1 import workflow_service_pb2 as pb
from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.data.settings import DataSettings
from services.data.wiring import build as build_data
from services.judgment.settings import JudgmentSettings
from services.judgment.wiring import build as build_judgment
from services.rule.settings import RuleSettings
from services.rule.wiring import build as build_rule
from services.workflow.codec.moments import stamp
from services.workflow.settings import WorkflowSettings
from services.workflow.wiring import build
from tests.support.server import Running, calling, serve, settings, until

END = datetime(2026, 3, 2, 15, tzinfo=UTC)  # midnight in Seoul
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def running(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("workflow-real")
    given: Any = {"database_url": postgres_url}
    parts = (
        Part(settings(WorkflowSettings, folder, **given), build),
        Part(settings(DataSettings, folder), build_data),
        Part(settings(JudgmentSettings, folder, **given), build_judgment),
        Part(settings(RuleSettings, folder, **given), build_rule),
    )
    async with serve(*parts) as running:
        await until(running.host.health.ready)
        yield running


@pytest.fixture(scope="module")
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


@pytest.fixture(scope="module")
async def plant(running: Running, tenant: str) -> str:
    stub: Any = DataServiceStub(running.channel("data"))
    with calling(tenant):
        loaded = await stub.LoadSamplePlant(data_service_pb2.LoadSamplePlantRequest(end_time=when(END)))
    return str(loaded.plant.name)


def when(moment: datetime) -> Timestamp:
    message = Timestamp()
    stamp(message, moment)
    return message


def window(days_back: int, days: int = 1) -> time_window_pb2.TimeWindow:
    start = END - days_back * DAY
    return time_window_pb2.TimeWindow(start_time=when(start), end_time=when(start + days * DAY))


def chain(*nodes: node_pb2.Node) -> workflow_pb2.WorkflowDefinition:
    edges = [node_pb2.Edge(source=a.id, target=b.id) for a, b in itertools.pairwise(nodes)]
    return workflow_pb2.WorkflowDefinition(id="plan", version=1, nodes=nodes, edges=edges)


def read(**query: Any) -> node_pb2.Node:
    data = node_pb2.DataNode(query=analysis_pb2.Query(**query))
    return node_pb2.Node(id="figures", kind=node_pb2.NODE_KIND_DATA, data=data)


def judged(**task: Any) -> node_pb2.Node:
    judgment = node_pb2.JudgmentNode(input_node="figures", task=judgment_pb2.JudgmentTask(**task))
    return node_pb2.Node(id="verdict", kind=node_pb2.NODE_KIND_JUDGMENT, judgment=judgment)


def computed(template: str, *inputs: str) -> node_pb2.Node:
    code = node_pb2.CodeNode(template=template, input_nodes=inputs)
    return node_pb2.Node(id="facts", kind=node_pb2.NODE_KIND_CODE, code=code)


async def ran(running: Running, tenant: str, plant: str, plan: workflow_pb2.WorkflowDefinition) -> run_pb2.Run:
    stub: Any = WorkflowServiceStub(running.channel("workflow"))
    with calling(tenant):
        run: run_pb2.Run = (await stub.StartRun(pb.StartRunRequest(plant=plant, definition=plan, as_of=when(END)))).run
        read = (await stub.GetRun(pb.GetRunRequest(name=run.name))).run
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED, run.error
    assert run == read
    return run


def facts(run: run_pb2.Run) -> dict[tuple[str, str], value_pb2.Fact]:
    return {(fact.metric, fact.name): fact for fact in run.node_results[-1].output.code.facts}


async def hourly(running: Running, tenant: str, plant: str, line: str, days_back: int) -> list[dict[str, float]]:
    """Return quantities of a line, an hour a row."""
    stub: Any = DataServiceStub(running.channel("data"))
    query = analysis_pb2.Query(
        metrics=["defect_qty", "production_qty"],
        windows=[window(days_back)],
        targets=[target_pb2.Target(name=line)],
        grain=time_window_pb2.TIME_GRAIN_HOUR,
    )
    with calling(tenant):
        asked = data_service_pb2.QueryRequest(plant=plant, query=query, as_of=when(END))
        table = (await stub.Query(asked)).result.table
    columns = {column.id: column.numbers for column in table.columns}
    return [
        {"defect": defect, "total": total}
        for defect, total in zip(columns["defect_qty"], columns["production_qty"], strict=True)
    ]


async def test_a_check_equals_the_sums_behind_it(running: Running, tenant: str, plant: str) -> None:
    plan = chain(
        read(
            metrics=["defect_rate", "production_qty"],
            targets=[target_pb2.Target(name="line:L03")],
            windows=[window(1), window(2)],
        ),
        computed("check_facts", "figures"),
    )
    run = await ran(running, tenant, plant, plan)
    found = facts(run)
    for name, days_back in (("value", 1), ("previous", 2)):
        rows = await hourly(running, tenant, plant, "line:L03", days_back)
        total = sum(row["total"] for row in rows)
        assert found["production_qty", name].value == pytest.approx(total)
        assert found["defect_rate", name].value == pytest.approx(sum(row["defect"] for row in rows) / total)
    value, target = found["defect_rate", "value"].value, found["defect_rate", "target"].value
    wanted = "NORMAL" if value <= target else "WARNING" if value <= 1.5 * target else "CRITICAL"
    assert found["defect_rate", "severity"].text == wanted
    evidence = run.node_results[-1].output.code.evidence
    assert [each.id for each in evidence] == [f"e{number}" for number in range(1, len(evidence) + 1)]
    assert all(each.row_count > 0 for each in evidence if not each.source.startswith("check"))


async def test_a_trend_has_the_shape_of_its_table(running: Running, tenant: str, plant: str) -> None:
    plan = chain(
        read(metrics=["oee"], windows=[window(30, 30)], grain=time_window_pb2.TIME_GRAIN_DAY),
        computed("trend_facts", "figures"),
    )
    run = await ran(running, tenant, plant, plan)
    table = run.node_results[0].output.data.table
    oee = next(column.numbers for column in table.columns if column.id == "oee")
    found = facts(run)
    assert found["oee", "points"].value == len(oee) == 30
    assert found["oee", "min"].value == min(oee)
    assert found["oee", "max"].value == max(oee)
    assert found["oee", "last"].value == oee[-1]
    assert found["oee", "mean"].value == pytest.approx(sum(oee) / len(oee))
    assert found["oee", "direction"].text in {"increase", "decrease", "flat"}


async def test_a_comparison_of_lines(running: Running, tenant: str, plant: str) -> None:
    plan = chain(
        read(metrics=["defect_rate"], windows=[window(7, 7)], group_by=[target_pb2.DIMENSION_LINE]),
        judged(kind=judgment_pb2.JUDGMENT_KIND_COMPARISON, metric="defect_rate"),
        computed("comparison_facts", "figures", "verdict"),
    )
    run = await ran(running, tenant, plant, plan)
    table = {column.id: column for column in run.node_results[0].output.data.table.columns}
    rates = dict(zip(table["line"].texts, table["defect_rate"].numbers, strict=True))
    found = facts(run)
    assert found["defect_rate", "count"].value == 3
    assert found["defect_rate", "highest"].text == "line:" + max(rates, key=lambda line: rates[line])
    assert found["defect_rate", "gap"].value == pytest.approx(max(rates.values()) - min(rates.values()))
    assert run.node_results[-1].output.code.severity == run.node_results[1].output.judgment.severity


async def test_a_comparison_of_periods(running: Running, tenant: str, plant: str) -> None:
    windows = [window(14, 7), window(7, 7)]
    plan = chain(
        read(metrics=["downtime"], windows=windows),
        judged(kind=judgment_pb2.JUDGMENT_KIND_COMPARISON, metric="downtime", windows=windows),
        computed("comparison_facts", "figures", "verdict"),
    )
    run = await ran(running, tenant, plant, plan)
    evidence = run.node_results[-1].output.code.evidence
    assert [each.window for each in evidence[:2]] == windows
    assert facts(run)["downtime", "count"].value == 2


async def test_a_ranking_of_machines(running: Running, tenant: str, plant: str) -> None:
    plan = chain(
        read(metrics=["downtime"], windows=[window(30, 30)], group_by=[target_pb2.DIMENSION_EQUIPMENT]),
        judged(kind=judgment_pb2.JUDGMENT_KIND_RANKING, metric="downtime", descending=True, top_n=3),
        computed("ranking_facts", "figures", "verdict"),
    )
    run = await ran(running, tenant, plant, plan)
    table = {column.id: column for column in run.node_results[0].output.data.table.columns}
    minutes = dict(zip(table["equipment"].texts, table["downtime"].numbers, strict=True))
    worst = sorted(minutes, key=lambda machine: -minutes[machine])[:3]
    found = facts(run)
    assert [found["downtime", f"rank_{place}"].text for place in (1, 2, 3)] == [f"equipment:{each}" for each in worst]
    assert found["downtime", "ranked"].value == len(minutes) == 10
