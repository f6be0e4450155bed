"""The codec: both directions, nothing lost, nothing made up."""

from datetime import UTC, datetime, timedelta

import pytest
from factoryai.data.v1 import analysis_pb2, metric_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2, workflow_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.errors import FieldViolation, Invalid, Reason
from services.workflow.codec.definitions import decode_definition
from services.workflow.codec.failures import decode_failure, encode_failure
from services.workflow.codec.moments import moment, stamp
from services.workflow.codec.outputs import decode_data, decode_judgment, decode_output, encode_output
from services.workflow.codec.values import decode_scalar, encode_scalar
from services.workflow.domain.definition import CodeConfig, DataConfig, RetryPolicy, SwitchConfig
from services.workflow.domain.events import Event, NodeFailed, NodeSucceeded, RetryDue, RunStarted
from services.workflow.domain.failure import _BY_CODE, Failure
from services.workflow.domain.figures import Grain, Scalar
from services.workflow.domain.outputs import CodeOutput, NodeOutput
from services.workflow.domain.runs import Journal
from services.workflow.domain.states import NodeKind, NodeState, RunState, Severity

START = Timestamp(seconds=1_772_290_800)
WINDOW = time_window_pb2.TimeWindow(start_time=START, end_time=Timestamp(seconds=1_772_377_200), label="d", text="어제")


def there_and_back(output: NodeOutput) -> NodeOutput | None:
    message = node_pb2.NodeOutput()
    encode_output(message, output)
    return decode_output(node_pb2.NodeOutput.FromString(message.SerializeToString()))


def test_figures_keep_their_gaps_and_their_bytes() -> None:
    message = analysis_pb2.QueryResult(
        table=value_pb2.Table(
            row_count=2,
            truncated=True,
            columns=[
                value_pb2.Column(id="time", times=[START, Timestamp(seconds=1_772_294_400, nanos=500_000_000)]),
                value_pb2.Column(id="oee", unit="1", numbers=[0.5, 0], null_rows=[1]),
                value_pb2.Column(id="line", texts=["L01", "L02"]),
            ],
        ),
        freshness=value_pb2.Freshness(stale=True, as_of=START, latest_data_time=START),
        sources=[
            analysis_pb2.MetricSource(metric=metric_pb2.Metric(id="oee", target_value=0), row_count=7),
            analysis_pb2.MetricSource(metric=metric_pb2.Metric(id="mtbf")),
        ],
    )
    output = decode_data(message)
    oee = output.result.columns["oee"]
    assert (oee.number(0), oee.number(1), oee.unit) == (0.5, None, "1")
    assert list(output.result.columns["time"].times) == [1_772_290_800.0, 1_772_294_400.5]
    assert list(output.result.columns["line"].texts) == ["L01", "L02"]
    assert (output.result.metrics["oee"].target, output.result.metrics["mtbf"].target) == (0.0, None)
    assert output.result.metrics["oee"].row_count == 7
    assert output.result.truncated
    assert output.result.stale
    assert output.result.as_of == output.result.latest == moment(START, "")
    assert analysis_pb2.QueryResult.FromString(output.wire) == message
    assert there_and_back(output) == output


def test_judgments_tell_nothing_from_zero() -> None:
    message = judgment_pb2.Judgment(
        name="judgments/1",
        task=judgment_pb2.JudgmentTask(metric="oee"),
        severity=value_pb2.SEVERITY_WARNING,
        confidence=0.5,
        items=[
            judgment_pb2.JudgedItem(target=target_pb2.Target(name="line:L01"), value=0, rank=1, share=0),
            judgment_pb2.JudgedItem(window=WINDOW, difference=0, difference_ratio=0),
        ],
    )
    output = decode_judgment(message)
    first, second = output.judgment.items
    assert (first.value, first.share, first.difference, first.window) == (0.0, 0.0, None, None)
    assert (second.value, second.share, second.difference, second.difference_ratio) == (None, None, 0.0, 0.0)
    assert second.window is not None
    assert (second.window.label, second.window.text) == ("d", "어제")
    assert there_and_back(output) == output


def test_an_output_of_another_release_is_none_of_ours() -> None:
    assert decode_output(node_pb2.NodeOutput()) is None


def test_a_severity_of_another_release_is_unknown() -> None:
    assert there_and_back(CodeOutput((), Severity.CRITICAL)) == CodeOutput((), Severity.CRITICAL)
    message = node_pb2.NodeOutput(code=node_pb2.CodeOutput())
    message.code.MergeFromString(bytes([2 << 3, 99]))  # severity = 99
    assert decode_output(message) == CodeOutput((), Severity.UNKNOWN)


def test_definitions_get_their_defaults_and_keep_their_words() -> None:
    message = workflow_pb2.WorkflowDefinition(
        id="plan",
        version=2,
        nodes=[
            node_pb2.Node(
                id="fetch",
                kind=node_pb2.NODE_KIND_DATA,
                data=node_pb2.DataNode(
                    query=analysis_pb2.Query(
                        metrics=["oee"],
                        windows=[WINDOW],
                        targets=[target_pb2.Target(name="line:L01")],
                        group_by=[target_pb2.DIMENSION_SHIFT],
                        grain=time_window_pb2.TIME_GRAIN_DAY,
                    )
                ),
            ),
            node_pb2.Node(id="judge", kind=node_pb2.NODE_KIND_JUDGMENT, judgment=node_pb2.JudgmentNode()),
            node_pb2.Node(
                id="code",
                kind=node_pb2.NODE_KIND_CODE,
                code=node_pb2.CodeNode(
                    template="t",
                    input_nodes=["fetch"],
                    arguments={"n": value_pb2.Scalar(number=1.5), "none": value_pb2.Scalar()},
                ),
                retry=node_pb2.RetryPolicy(max_attempts=7),
                timeout=Duration(seconds=1, nanos=500_000_000),
            ),
            node_pb2.Node(
                id="way",
                kind=node_pb2.NODE_KIND_SWITCH,
                switch=node_pb2.SwitchNode(
                    input_node="fetch",
                    mode=node_pb2.SWITCH_MODE_ALL,
                    cases=[node_pb2.SwitchCase(label="a", condition="true")],
                    default_label="b",
                ),
                retry=node_pb2.RetryPolicy(initial_backoff=Duration(nanos=250_000_000)),
            ),
            node_pb2.Node(id="later", kind=node_pb2.NODE_KIND_WAIT),
        ],
        edges=[node_pb2.Edge(source="way", target="code", when="a")],
    )
    definition = decode_definition(message)
    fetch, judge, code, way, later = definition.nodes
    assert workflow_pb2.WorkflowDefinition.FromString(definition.wire) == message
    assert definition.timeout_s == 300
    assert (fetch.timeout_s, judge.timeout_s, code.timeout_s) == (30, 20, 1.5)
    assert fetch.retry == RetryPolicy(3, 1.0)
    assert (code.retry, way.retry) == (RetryPolicy(7, 1.0), RetryPolicy(3, 0.25))
    assert isinstance(fetch.config, DataConfig)
    query = fetch.config.query
    assert (query.targets, query.group_by, query.grain) == (("line:L01",), ("shift",), Grain.DAY)
    assert code.config == CodeConfig("t", ("fetch",), {"n": 1.5, "none": ""})
    assert isinstance(way.config, SwitchConfig)
    assert (way.config.take_all, way.config.labels()) == (True, frozenset({"a", "b"}))
    assert (later.kind, later.config) == (NodeKind.WAIT, None)


@pytest.mark.parametrize("value", [1.5, 3, "글", True, False, 0, ""])
def test_scalars_keep_their_type(value: Scalar) -> None:
    message = value_pb2.Scalar()
    encode_scalar(message, value)
    found = decode_scalar(message)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("code", _BY_CODE)
def test_failures_survive_the_wire(code: str) -> None:
    failure = Failure(
        code, Reason.UNKNOWN_METRIC, "no", (("metric", "x"),), (FieldViolation("f", "d", "r"),), retry_after=0.5
    )
    found = decode_failure(encode_failure(failure))
    # Of our own bugs nothing is told, in a record as little as in an answer.
    assert found == (failure if code != "INTERNAL" else Failure("INTERNAL", Reason.INTERNAL, "internal error"))


@pytest.mark.parametrize("when", [datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), datetime(9998, 12, 31, tzinfo=UTC)])
def test_times_survive_the_wire(when: datetime) -> None:
    message = Timestamp()
    stamp(message, when)
    assert moment(message, "t") == when
    assert 0 <= message.nanos < 1_000_000_000


def test_a_window_beyond_the_calendar_is_refused_by_name() -> None:
    query = analysis_pb2.Query(windows=[WINDOW, time_window_pb2.TimeWindow(start_time=Timestamp(seconds=10**15))])
    node = node_pb2.Node(id="n", kind=node_pb2.NODE_KIND_DATA, data=node_pb2.DataNode(query=query))
    with pytest.raises(Invalid) as refused:
        decode_definition(workflow_pb2.WorkflowDefinition(nodes=[node]))
    assert refused.value.violations[0].field == "nodes[0].data.query.windows[1].start_time"


def test_the_words_of_the_domain_are_those_of_the_contract() -> None:
    for names, prefix, words in (
        (run_pb2.RunState.keys(), "RUN_STATE_", {state.value for state in RunState} | {"UNSPECIFIED"}),
        (run_pb2.NodeState.keys(), "NODE_STATE_", {state.value for state in NodeState}),
        (node_pb2.NodeKind.keys(), "NODE_KIND_", {kind.value for kind in NodeKind} | {"UNSPECIFIED"}),
        (value_pb2.Severity.keys(), "SEVERITY_", {severity.value for severity in Severity}),
    ):
        assert {name.removeprefix(prefix) for name in names} == words


def test_a_journal_keeps_the_first_beginning_of_a_node() -> None:
    node = node_pb2.Node(id="only", kind=node_pb2.NODE_KIND_CODE, code=node_pb2.CodeNode(template="t"))
    journal = Journal(decode_definition(workflow_pb2.WorkflowDefinition(id="d", version=1, nodes=[node])))
    now = datetime(2026, 3, 2, tzinfo=UTC)
    down = Failure("UNAVAILABLE", Reason.DEPENDENCY_UNAVAILABLE, "down")
    events: tuple[Event, ...] = (
        RunStarted(),
        NodeFailed("only", 1, down, retryable=True),
        RetryDue("only", 2),
        NodeSucceeded("only", 2, CodeOutput(())),
    )
    for seconds, event in enumerate(events):
        journal.note(event, now + timedelta(seconds=seconds))
    [result] = journal.results()
    assert (result.started, result.ended) == (now, now + timedelta(seconds=3))
    assert journal.note(RetryDue("only", 3), now) == ()
    assert len(journal.history) == 4
