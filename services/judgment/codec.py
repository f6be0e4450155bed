"""Protobuf <-> domain of the judgment service; total, no I/O."""

import math
import re
from datetime import UTC, datetime
from typing import Final

from factoryai.data.v1 import analysis_pb2, metric_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.type.v1 import evidence_pb2, target_pb2, time_window_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services import errors
from services.errors import FieldViolation
from services.judgment.domain.model import (
    Action,
    Cell,
    Column,
    Direction,
    Evidence,
    EvidenceKind,
    Figures,
    Item,
    Judgment,
    Kind,
    Method,
    Metric,
    Policy,
    Severity,
    Source,
    Task,
    Window,
)
from services.paging import DEFAULT_PAGE_SIZE, decode_token, encode_token
from services.wording import LocalizedText

_RULE_SETS: Final = "ruleSets/"
_JUDGMENTS: Final = "judgments/"
_PLANTS: Final = "plants/"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SEVERITIES: Final = {
    Severity.UNSPECIFIED: value_pb2.SEVERITY_UNSPECIFIED,
    Severity.NORMAL: value_pb2.SEVERITY_NORMAL,
    Severity.WARNING: value_pb2.SEVERITY_WARNING,
    Severity.CRITICAL: value_pb2.SEVERITY_CRITICAL,
    Severity.UNKNOWN: value_pb2.SEVERITY_UNKNOWN,
}
_SEVERITY_OF: Final = {value: key for key, value in _SEVERITIES.items()}
_KINDS: Final = {
    Kind.THRESHOLD: judgment_pb2.JUDGMENT_KIND_THRESHOLD,
    Kind.COMPARISON: judgment_pb2.JUDGMENT_KIND_COMPARISON,
    Kind.RANKING: judgment_pb2.JUDGMENT_KIND_RANKING,
}
_KIND_OF: Final = {value: key for key, value in _KINDS.items()}
_POLICIES: Final = {
    Policy.UNSPECIFIED: judgment_pb2.JUDGMENT_POLICY_UNSPECIFIED,
    Policy.RULE_ONLY: judgment_pb2.JUDGMENT_POLICY_RULE_ONLY,
    Policy.LLM_ONLY: judgment_pb2.JUDGMENT_POLICY_LLM_ONLY,
    Policy.RULE_FALLBACK: judgment_pb2.JUDGMENT_POLICY_RULE_FALLBACK,
    Policy.LLM_FALLBACK: judgment_pb2.JUDGMENT_POLICY_LLM_FALLBACK,
    Policy.HYBRID_WEIGHTED: judgment_pb2.JUDGMENT_POLICY_HYBRID_WEIGHTED,
    Policy.HYBRID_GATE: judgment_pb2.JUDGMENT_POLICY_HYBRID_GATE,
    Policy.ESCALATE: judgment_pb2.JUDGMENT_POLICY_ESCALATE,
}
_POLICY_OF: Final = {value: key for key, value in _POLICIES.items()}
_METHODS: Final = {Method.RULE_ONLY: judgment_pb2.JUDGMENT_METHOD_RULE_ONLY}
_EVIDENCE_KINDS: Final = {
    EvidenceKind.MEASUREMENT: evidence_pb2.EVIDENCE_KIND_MEASUREMENT,
    EvidenceKind.RULE: evidence_pb2.EVIDENCE_KIND_RULE,
    EvidenceKind.CALCULATION: evidence_pb2.EVIDENCE_KIND_CALCULATION,
}
_DIRECTIONS: Final = {
    metric_pb2.DIRECTION_HIGHER_IS_BETTER: Direction.HIGHER,
    metric_pb2.DIRECTION_LOWER_IS_BETTER: Direction.LOWER,
}
_ADDITIVE: Final = frozenset({metric_pb2.AGGREGATION_SUM, metric_pb2.AGGREGATION_COUNT})


def decode_plant(name: str) -> str:
    """Return the id behind `plants/`."""
    return name.removeprefix(_PLANTS)


def decode_name(name: str) -> str:
    """Return the id behind `judgments/`."""
    return name.removeprefix(_JUDGMENTS)


def decode_task(message: judgment_pb2.JudgmentTask) -> Task:
    """Read what is to be judged."""
    return Task(
        _KIND_OF.get(message.kind, Kind.THRESHOLD),
        message.metric,
        _POLICY_OF.get(message.policy, Policy.UNSPECIFIED),
        message.rule_set.removeprefix(_RULE_SETS),
        message.descending,
        message.top_n,
        tuple(_decode_window(each) for each in message.windows),
    )


def decode_figures(message: analysis_pb2.QueryResult) -> Figures:
    """Read the figures. Raises Invalid where a column is longer or shorter than its table."""
    table = message.table
    return Figures(
        tuple(_decode_column(each, index, table.row_count) for index, each in enumerate(table.columns)),
        table.row_count,
        tuple(Source(_decode_metric(each.metric), each.row_count) for each in message.sources),
        message.freshness.stale,
        table.truncated,
    )


def encode_judgment(judgment: Judgment) -> judgment_pb2.Judgment:
    """Write a judgment."""
    verdict = judgment.verdict
    return judgment_pb2.Judgment(
        name=_JUDGMENTS + judgment.id,
        task=_task(judgment.task),
        severity=_SEVERITIES[verdict.severity],
        confidence=verdict.confidence,
        method=_METHODS[judgment.method],
        items=[_item(each) for each in verdict.items],
        explanation=_text(verdict.explanation),
        evidence=[_evidence(each) for each in verdict.evidence],
        actions=[_action(each) for each in verdict.actions],
        rule_set_version=verdict.rule_set_version,
        plant=_PLANTS + judgment.plant,
        create_time=_timestamp(judgment.create_time),
        input_digest=judgment.input_digest,
    )


def decode_page(page_size: int, page_token: str) -> tuple[int, str]:
    """Return how many judgments a page has and the id to start before. Raises Invalid (INVALID_PAGE_TOKEN)."""
    return page_size or DEFAULT_PAGE_SIZE, decode_token(_JUDGMENTS, page_token)


def encode_page_token(before: str) -> str:
    """Write the token of the page that begins before an id; empty at the end."""
    return encode_token(_JUDGMENTS, before)


def decode_severity(message: value_pb2.Severity.ValueType) -> Severity:
    """Read a severity."""
    return _SEVERITY_OF.get(message, Severity.UNKNOWN)


def decode_text(message: target_pb2.LocalizedText) -> LocalizedText:
    """Read a text."""
    return LocalizedText(message.ko, message.en)


def _decode_column(message: value_pb2.Column, index: int, row_count: int) -> Column:
    cells: list[Cell]
    if message.type == value_pb2.COLUMN_TYPE_TEXT:
        cells = list(message.texts)
    elif message.type == value_pb2.COLUMN_TYPE_TIME:
        cells = [_instant(each) for each in message.times]
    else:
        cells = [number if math.isfinite(number) else None for number in message.numbers]
    path = f"input.result.table.columns[{index}]"
    if len(cells) != row_count:
        said = f"has {len(cells)} values, its table {row_count} rows"
        raise errors.Invalid(f"column {message.id} {said}", violations=(FieldViolation(path, said, "table.rows"),))
    for null in message.null_rows:
        if not 0 <= null < row_count:
            said = f"names row {null}, its table has {row_count}"
            raise errors.Invalid(
                f"column {message.id} {said}", violations=(FieldViolation(f"{path}.null_rows", said, "table.rows"),)
            )
        cells[null] = None
    return Column(message.id, decode_text(message.label), message.unit, tuple(cells))


def _decode_metric(message: metric_pb2.Metric) -> Metric:
    target = message.target_value if message.HasField("target_value") else None
    return Metric(
        message.id,
        decode_text(message.display_name),
        message.unit,
        _DIRECTIONS.get(message.direction, Direction.NEITHER),
        message.aggregation in _ADDITIVE,
        target if target is not None and math.isfinite(target) else None,
        message.dataset,
    )


def _decode_window(message: time_window_pb2.TimeWindow) -> Window:
    return Window(_instant(message.start_time), _instant(message.end_time), message.label, message.text)


def _task(task: Task) -> judgment_pb2.JudgmentTask:
    return judgment_pb2.JudgmentTask(
        kind=_KINDS[task.kind],
        metric=task.metric,
        policy=_POLICIES[task.policy],
        rule_set=_RULE_SETS + task.rule_set if task.rule_set else "",
        descending=task.descending,
        top_n=task.top_n,
        windows=[_window(each) for each in task.windows],
    )


def _item(item: Item) -> judgment_pb2.JudgedItem:
    return judgment_pb2.JudgedItem(
        target=target_pb2.Target(name=item.target) if item.target else None,
        window=_window(item.window) if item.window else None,
        value=item.value,
        rank=item.rank,
        difference=item.difference,
        difference_ratio=item.difference_ratio,
        share=item.share,
        severity=_SEVERITIES[item.severity],
    )


def _evidence(evidence: Evidence) -> evidence_pb2.Evidence:
    return evidence_pb2.Evidence(
        id=evidence.id,
        kind=_EVIDENCE_KINDS[evidence.kind],
        source=evidence.source,
        metric=evidence.metric,
        targets=[target_pb2.Target(name=each) for each in evidence.targets],
        window=_window(evidence.window) if evidence.window else None,
        value=evidence.value,
        threshold=evidence.threshold,
        unit=evidence.unit,
        rule=evidence.rule,
        row_count=evidence.row_count,
        description=_text(evidence.description),
        severity=_SEVERITIES[evidence.severity],
    )


def _action(action: Action) -> judgment_pb2.ProposedAction:
    return judgment_pb2.ProposedAction(
        type=action.type,
        priority=action.priority,
        target=target_pb2.Target(name=action.target) if action.target else None,
        description=_text(action.description),
    )


def _window(window: Window) -> time_window_pb2.TimeWindow:
    return time_window_pb2.TimeWindow(
        start_time=_timestamp(window.start), end_time=_timestamp(window.end), label=window.label, text=window.text
    )


def _text(text: LocalizedText) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=text.ko, en=text.en)


def _instant(message: Timestamp) -> datetime:
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError) as beyond:
        raise errors.Invalid(f"a time is beyond the years 1 to 9999: {beyond}") from beyond


def _timestamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
