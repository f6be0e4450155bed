"""The judgment service through its real chain beside the real rule service, over a socket and in process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from factoryai.data.v1 import analysis_pb2, metric_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.judgment.v1 import judgment_service_pb2 as pb
from factoryai.judgment.v1.judgment_service_pb2_grpc import JudgmentServiceStub
from factoryai.type.v1 import evidence_pb2, target_pb2, time_window_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services import errors
from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.errors import Reason
from services.judgment import wiring as judgment_wiring
from services.judgment.settings import JudgmentSettings
from services.rule import wiring as rule_wiring
from services.rule.settings import RuleSettings
from tests.support.server import WIRINGS, Running, Wiring, calling, serve, settings, until

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.judgment.v1.judgment_service_pb2_grpc import JudgmentServiceAsyncStub


@pytest.fixture(scope="module", params=WIRINGS)
async def running(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    wiring: Wiring = request.param
    folder: Path = tmp_path_factory.mktemp("judgment")
    judge = settings(JudgmentSettings, folder, database_url=postgres_url)
    rules = settings(RuleSettings, folder, database_url=postgres_url, provision_sample_rules=True)
    parts = (Part(judge, judgment_wiring.build), Part(rules, rule_wiring.build))
    async with serve(*parts, wiring=wiring) as running:
        await until(running.host.health.ready)
        yield running


@pytest.fixture
def judgments(running: Running) -> "JudgmentServiceAsyncStub":
    stub: JudgmentServiceAsyncStub = JudgmentServiceStub(running.channel("judgment"))
    return stub


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


def column(id_: str, cells: list[Any], unit: str = "") -> value_pb2.Column:
    nulls = [index for index, cell in enumerate(cells) if cell is None]
    if any(isinstance(cell, str) for cell in cells):
        return value_pb2.Column(id=id_, type=value_pb2.COLUMN_TYPE_TEXT, texts=[cell or "" for cell in cells])
    numbers = [0.0 if cell is None else cell for cell in cells]
    return value_pb2.Column(id=id_, type=value_pb2.COLUMN_TYPE_NUMBER, unit=unit, numbers=numbers, null_rows=nulls)


def figures(*columns: value_pb2.Column, rows: int) -> analysis_pb2.QueryResult:
    defect_rate = metric_pb2.Metric(
        id="defect_rate",
        display_name=target_pb2.LocalizedText(ko="불량률", en="Defect rate"),
        unit="1",
        direction=metric_pb2.DIRECTION_LOWER_IS_BETTER,
        aggregation=metric_pb2.AGGREGATION_RATIO,
        dataset="production",
        target_value=0.03,
    )
    return analysis_pb2.QueryResult(
        table=value_pb2.Table(columns=columns, row_count=rows),
        sources=[analysis_pb2.MetricSource(metric=defect_rate, row_count=480)],
    )


def by_line(*rates: float | None) -> analysis_pb2.QueryResult:
    lines = [f"L{index:02}" for index in range(1, len(rates) + 1)]
    return figures(column("line", lines), column("defect_rate", list(rates), "1"), rows=len(rates))


def request(result: analysis_pb2.QueryResult, request_id: str = "", **task: Any) -> pb.JudgeRequest:
    asked: dict[str, Any] = {"kind": judgment_pb2.JUDGMENT_KIND_COMPARISON, "metric": "defect_rate"} | task
    return pb.JudgeRequest(
        plant="plants/sample",
        task=judgment_pb2.JudgmentTask(**asked),
        input=judgment_pb2.JudgmentInput(result=result),
        request_id=request_id,
    )


async def test_a_judgment_with_rules_is_made_and_read_again(judgments: "JudgmentServiceAsyncStub") -> None:
    with calling():
        answer = await judgments.Judge(request(by_line(0.051, 0.02, None), rule_set="ruleSets/sample-quality"))
        read = await judgments.GetJudgment(pb.GetJudgmentRequest(name=answer.judgment.name))
    made = answer.judgment
    assert answer.created
    assert read.judgment == made
    assert made.severity == value_pb2.SEVERITY_CRITICAL
    assert (made.method, made.calibrated, made.degraded) == (judgment_pb2.JUDGMENT_METHOD_RULE_ONLY, False, False)
    assert made.plant == "plants/sample"
    assert made.rule_set_version.startswith("ruleSets/sample-quality@1:")
    assert [(item.target.name, item.rank, item.severity) for item in made.items] == [
        ("line:L01", 1, value_pb2.SEVERITY_CRITICAL),
        ("line:L02", 2, value_pb2.SEVERITY_NORMAL),
        ("line:L03", 0, value_pb2.SEVERITY_UNKNOWN),
    ]
    assert made.explanation.ko == (
        "불량률은 L01 라인 5.1%, L02 라인 2.0%입니다. L01 라인이 L02 라인보다 3.1%p 높습니다. "
        "목표 3.0%를 넘었습니다: L01 라인(위험). L03 라인은 자료가 없습니다. "
        "L01 라인: 불량률 5.1%가 위험 기준 5%를 넘었습니다."
    )
    rule = next(each for each in made.evidence if each.kind == evidence_pb2.EVIDENCE_KIND_RULE)
    assert (rule.rule, rule.source, rule.value) == ("defect_critical", made.rule_set_version, 0.051)
    assert {action.type for action in made.actions} == {"inspect", "notify"}
    assert len(made.input_digest) == 64


async def test_periods_are_named(judgments: "JudgmentServiceAsyncStub") -> None:
    def window(first: int, last: int, label: str) -> time_window_pb2.TimeWindow:
        start, end = Timestamp(), Timestamp()
        start.FromDatetime(datetime(2026, 3, first, tzinfo=UTC))
        end.FromDatetime(datetime(2026, 3, last, tzinfo=UTC))
        return time_window_pb2.TimeWindow(start_time=start, end_time=end, label=label)

    result = figures(column("window", [0, 1]), column("defect_rate", [0.02, 0.025], "1"), rows=2)
    windows = [window(9, 16, "this_week"), window(2, 9, "last_week")]
    with calling():
        made = (await judgments.Judge(request(result, windows=windows))).judgment
    assert [item.window.label for item in made.items] == ["this_week", "last_week"]
    assert "지난주가 이번 주보다 0.5%p 높습니다" in made.explanation.ko
    assert not any(item.HasField("target") for item in made.items)


async def test_a_request_is_judged_once(judgments: "JudgmentServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        first = await judgments.Judge(request(by_line(0.01, 0.02), "node-1"))
        second = await judgments.Judge(request(by_line(0.01, 0.02), "node-1"))
        assert (first.created, second.created) == (True, False)
        assert first.judgment == second.judgment
        with pytest.raises(errors.AlreadyExists) as refusal:
            await judgments.Judge(request(by_line(0.01, 0.03), "node-1"))
        assert refusal.value.reason is Reason.REQUEST_ID_REUSED
        assert len((await judgments.ListJudgments(pb.ListJudgmentsRequest())).judgments) == 1


async def test_pages_newest_first_without_evidence(judgments: "JudgmentServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        made = [(await judgments.Judge(request(by_line(0.01 * index)))).judgment.name for index in range(5)]
        names: list[str] = []
        token = ""
        while not names or token:
            page = await judgments.ListJudgments(pb.ListJudgmentsRequest(page_size=2, page_token=token))
            assert all(not each.evidence and each.items for each in page.judgments)
            names += [each.name for each in page.judgments]
            token = page.next_page_token
        assert names == made[::-1]
        with pytest.raises(errors.Invalid) as refusal:
            await judgments.ListJudgments(pb.ListJudgmentsRequest(page_token="bm9uc2Vuc2U="))  # noqa: S106
        assert refusal.value.reason is Reason.INVALID_PAGE_TOKEN


@pytest.mark.parametrize(
    "policy",
    [number for number in judgment_pb2.JudgmentPolicy.values() if number > judgment_pb2.JUDGMENT_POLICY_RULE_ONLY],
)
async def test_policies_that_want_a_model_are_not_served(
    judgments: "JudgmentServiceAsyncStub", policy: judgment_pb2.JudgmentPolicy.ValueType
) -> None:
    with calling(), pytest.raises(errors.Unimplemented):
        await judgments.Judge(request(by_line(0.01, 0.02), policy=policy))


async def test_what_is_refused(judgments: "JudgmentServiceAsyncStub") -> None:
    short = by_line(0.01, 0.02)
    short.table.columns[1].numbers.pop()
    beyond = by_line(0.01, 0.02)
    beyond.table.columns[1].null_rows.append(7)
    with calling():
        with pytest.raises(errors.Invalid) as refusal:
            await judgments.Judge(request(by_line(0.01), metric="oee"))
        assert refusal.value.reason is Reason.UNKNOWN_METRIC
        assert refusal.value.metadata["known"] == "defect_rate"
        for wrong in (short, beyond):
            with pytest.raises(errors.Invalid) as refusal:
                await judgments.Judge(request(wrong))
            assert refusal.value.violations[0].field.startswith("input.result.table.columns[1]")
        with pytest.raises(errors.NotFound):
            await judgments.Judge(request(by_line(0.01), rule_set="ruleSets/nobody-wrote"))
        with pytest.raises(errors.Invalid):
            await judgments.Judge(pb.JudgeRequest(plant="plants/sample"))


async def test_other_tenants_judgments_are_not_there(judgments: "JudgmentServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        name = (await judgments.Judge(request(by_line(0.01)))).judgment.name
    with calling(f"{tenant}-x"):
        with pytest.raises(errors.NotFound):
            await judgments.GetJudgment(pb.GetJudgmentRequest(name=name))
        assert not (await judgments.ListJudgments(pb.ListJudgmentsRequest())).judgments


async def test_no_figures_at_all(judgments: "JudgmentServiceAsyncStub") -> None:
    with calling():
        made = (await judgments.Judge(request(by_line(), rule_set="ruleSets/sample-quality"))).judgment
        not_a_number = (await judgments.Judge(request(by_line(float("nan"), float("inf"))))).judgment
    for each in (made, not_a_number):
        assert (each.severity, each.confidence) == (value_pb2.SEVERITY_UNKNOWN, 0)
        assert each.explanation.ko == "판단할 불량률 자료가 없습니다."


async def test_a_rule_engine_out_of_reach_is_unavailable(postgres_url: str, tmp_path: Path) -> None:
    told = settings(JudgmentSettings, tmp_path, database_url=postgres_url, rule_engine_url="http://127.0.0.1:1")
    async with serve(Part(told, judgment_wiring.build)) as alone:
        await until(alone.host.health.ready)
        stub = JudgmentServiceStub(alone.channel("judgment"))
        with calling():
            with pytest.raises((errors.Unavailable, errors.DeadlineExceeded)):
                await stub.Judge(request(by_line(0.01), rule_set="ruleSets/sample-quality"))
            assert (await stub.Judge(request(by_line(0.01)))).created
