"""Small values that outputs share: windows, texts, severities, facts, evidence."""

from collections.abc import Iterable, Mapping
from typing import Final

from factoryai.type.v1 import evidence_pb2, target_pb2, time_window_pb2, value_pb2

from services.workflow.codec.moments import moment, stamp
from services.workflow.domain.figures import Evidence, EvidenceKind, Fact, Grain, Scalar, Text, Window
from services.workflow.domain.states import Severity

SEVERITIES: Final[Mapping[int, Severity]] = {
    value_pb2.Severity.Value(f"SEVERITY_{severity}"): severity for severity in Severity
}
_SEVERITY_NUMBERS: Final = {severity: value_pb2.Severity.Value(f"SEVERITY_{severity}") for severity in Severity}
_EVIDENCE_KINDS: Final = {evidence_pb2.EvidenceKind.Value(f"EVIDENCE_KIND_{kind}"): kind for kind in EvidenceKind}
_EVIDENCE_NUMBERS: Final = {kind: number for number, kind in _EVIDENCE_KINDS.items()}
GRAINS: Final = {number: Grain(name.removeprefix("TIME_GRAIN_")) for name, number in time_window_pb2.TimeGrain.items()}
DIMENSIONS: Final = {number: name.removeprefix("DIMENSION_").lower() for name, number in target_pb2.Dimension.items()}


def severity_number(severity: Severity) -> value_pb2.Severity.ValueType:
    """Write a severity."""
    return _SEVERITY_NUMBERS[severity]


def decode_severity(number: int) -> Severity:
    """Read a severity; one that this release does not know is UNKNOWN."""
    return SEVERITIES.get(number, Severity.UNKNOWN)


def decode_window(message: time_window_pb2.TimeWindow, field: str) -> Window:
    """Read a period."""
    return Window(
        moment(message.start_time, f"{field}.start_time"),
        moment(message.end_time, f"{field}.end_time"),
        message.label,
        message.text,
    )


def encode_window(target: time_window_pb2.TimeWindow, window: Window) -> None:
    """Write a period."""
    stamp(target.start_time, window.start)
    stamp(target.end_time, window.end)
    target.label, target.text = window.label, window.text


def decode_scalar(message: value_pb2.Scalar) -> Scalar:
    """Read a scalar; one without a kind is the empty text."""
    kind = message.WhichOneof("kind")
    return getattr(message, kind) if kind else ""


def encode_scalar(target: value_pb2.Scalar, value: Scalar) -> None:
    """Write a scalar."""
    match value:
        case bool():
            target.boolean = value
        case int():
            target.integer = value
        case float():
            target.number = value
        case str():
            target.text = value


def encode_facts(facts: Iterable[Fact]) -> list[value_pb2.Fact]:
    """Write facts."""
    messages = []
    for fact in facts:
        message = value_pb2.Fact(name=fact.name, metric=fact.metric, value=fact.value, unit=fact.unit, text=fact.text)
        if fact.time is not None:
            stamp(message.time, fact.time)
        messages.append(message)
    return messages


def decode_facts(messages: Iterable[value_pb2.Fact]) -> tuple[Fact, ...]:
    """Read facts."""
    return tuple(
        Fact(
            name=message.name,
            metric=message.metric,
            value=message.value if message.HasField("value") else None,
            unit=message.unit,
            text=message.text,
            time=moment(message.time, "facts.time") if message.HasField("time") else None,
        )
        for message in messages
    )


def encode_evidence(evidence: Iterable[Evidence]) -> list[evidence_pb2.Evidence]:
    """Write evidence."""
    messages = []
    for each in evidence:
        message = evidence_pb2.Evidence(
            id=each.id,
            kind=_EVIDENCE_NUMBERS[each.kind],
            source=each.source,
            metric=each.metric,
            targets=[target_pb2.Target(name=name) for name in each.targets],
            value=each.value,
            threshold=each.threshold,
            unit=each.unit,
            rule=each.rule,
            row_count=each.row_count,
            severity=_SEVERITY_NUMBERS[each.severity],
        )
        if each.window is not None:
            encode_window(message.window, each.window)
        if each.description is not None:
            message.description.ko, message.description.en = each.description.ko, each.description.en
        messages.append(message)
    return messages


def decode_evidence(messages: Iterable[evidence_pb2.Evidence]) -> tuple[Evidence, ...]:
    """Read evidence."""
    return tuple(
        Evidence(
            id=message.id,
            kind=_EVIDENCE_KINDS.get(message.kind, EvidenceKind.CALCULATION),
            source=message.source,
            metric=message.metric,
            targets=tuple(target.name for target in message.targets),
            window=decode_window(message.window, "evidence.window") if message.HasField("window") else None,
            value=message.value if message.HasField("value") else None,
            threshold=message.threshold if message.HasField("threshold") else None,
            unit=message.unit,
            rule=message.rule,
            row_count=message.row_count,
            description=decode_text(message.description) if message.HasField("description") else None,
            severity=decode_severity(message.severity),
        )
        for message in messages
    )


def decode_text(message: target_pb2.LocalizedText) -> Text:
    """Read a text."""
    return Text(message.ko, message.en)
