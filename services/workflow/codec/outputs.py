"""What nodes give. Figures and judgments are kept as the bytes that came, beside the view that nodes read."""

from typing import Final

from factoryai.data.v1 import analysis_pb2, metric_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.type.v1 import value_pb2
from factoryai.workflow.v1 import node_pb2

from services.workflow.codec.moments import moment
from services.workflow.codec.values import (
    decode_evidence,
    decode_facts,
    decode_severity,
    decode_window,
    encode_evidence,
    encode_facts,
    severity_number,
)
from services.workflow.domain.figures import (
    NO_ROWS,
    Column,
    Direction,
    JudgedItem,
    Judgment,
    Metric,
    QueryResult,
)
from services.workflow.domain.outputs import CodeOutput, DataOutput, JudgmentOutput, NodeOutput, SwitchOutput

_DIRECTIONS: Final = {
    number: Direction(name.removeprefix("DIRECTION_")) for name, number in metric_pb2.Direction.items()
}


def decode_data(message: analysis_pb2.QueryResult) -> DataOutput:
    """Read figures: one pass over the table, whole columns at a time."""
    freshness = message.freshness
    result = QueryResult(
        columns={column.id: _column(column) for column in message.table.columns},
        row_count=message.table.row_count,
        metrics={source.metric.id: _metric(source) for source in message.sources},
        truncated=message.table.truncated,
        stale=freshness.stale,
        as_of=moment(freshness.as_of, "freshness.as_of") if freshness.HasField("as_of") else None,
        latest=(
            moment(freshness.latest_data_time, "freshness.latest_data_time")
            if freshness.HasField("latest_data_time")
            else None
        ),
    )
    return DataOutput(result, message.SerializeToString())


def decode_judgment(message: judgment_pb2.Judgment) -> JudgmentOutput:
    """Read a judgment."""
    judgment = Judgment(
        name=message.name,
        metric=message.task.metric,
        severity=decode_severity(message.severity),
        confidence=message.confidence,
        items=tuple(_item(item) for item in message.items),
    )
    return JudgmentOutput(judgment, message.SerializeToString())


def encode_output(target: node_pb2.NodeOutput, output: NodeOutput) -> None:
    """Write what a node gave."""
    match output:
        case DataOutput():
            target.data.ParseFromString(output.wire)
        case JudgmentOutput():
            target.judgment.ParseFromString(output.wire)
        case CodeOutput():
            target.code.facts.extend(encode_facts(output.facts))
            target.code.severity = severity_number(output.severity)
            target.code.evidence.extend(encode_evidence(output.evidence))
        case SwitchOutput():
            target.switch.labels.extend(output.labels)
            target.switch.severity = severity_number(output.severity)
            target.switch.evidence.extend(encode_evidence(output.evidence))


def decode_output(message: node_pb2.NodeOutput) -> NodeOutput | None:
    """Read what a node gave; None where it gave nothing that this release knows."""
    match message.WhichOneof("output"):
        case "data":
            return decode_data(message.data)
        case "judgment":
            return decode_judgment(message.judgment)
        case "code":
            code = message.code
            return CodeOutput(decode_facts(code.facts), decode_severity(code.severity), decode_evidence(code.evidence))
        case "switch":
            way = message.switch
            return SwitchOutput(tuple(way.labels), decode_severity(way.severity), decode_evidence(way.evidence))
        case _:
            return None


def _column(message: value_pb2.Column) -> Column:
    return Column(
        id=message.id,
        unit=message.unit,
        numbers=list(message.numbers),
        texts=list(message.texts),
        times=[time.seconds + time.nanos / 1e9 for time in message.times],
        null_rows=frozenset(message.null_rows) if message.null_rows else NO_ROWS,
    )


def _metric(message: analysis_pb2.MetricSource) -> Metric:
    metric = message.metric
    return Metric(
        id=metric.id,
        unit=metric.unit,
        direction=_DIRECTIONS.get(metric.direction, Direction.UNSPECIFIED),
        dataset=metric.dataset,
        target=metric.target_value if metric.HasField("target_value") else None,
        row_count=message.row_count,
    )


def _item(message: judgment_pb2.JudgedItem) -> JudgedItem:
    return JudgedItem(
        target=message.target.name,
        window=decode_window(message.window, "items.window") if message.HasField("window") else None,
        value=message.value if message.HasField("value") else None,
        rank=message.rank,
        difference=message.difference if message.HasField("difference") else None,
        difference_ratio=message.difference_ratio if message.HasField("difference_ratio") else None,
        share=message.share if message.HasField("share") else None,
        severity=decode_severity(message.severity),
    )
