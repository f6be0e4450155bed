"""`check_facts`: what a figure is, what it was in the period before, and how it stands against its target."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.workflow.domain.figures import Evidence, EvidenceKind, Fact, Metric, Scalar, Text
from services.workflow.domain.outputs import CodeOutput
from services.workflow.domain.states import Severity, worst
from services.workflow.domain.templates.reading import (
    Figures,
    Inputs,
    Key,
    by_key,
    difference,
    evidence_ids,
    measurement,
    severity_now,
)

_VALUE: Final = Text("기간의 값", "figure of the period")
_PREVIOUS: Final = Text("직전 같은 길이 기간의 값", "figure of the equally long period before")
_CHANGE: Final = Text("직전 기간과의 차이", "difference from the period before")
_MOST_SUBJECTS: Final = 100


def check_facts(inputs: Inputs, _arguments: Mapping[str, Scalar]) -> CodeOutput:
    """Check each metric of the query, for the whole filter or for each split of the query.

    Window 0 is the period asked about, window 1 (where there is one) the period before. Facts of each metric:
    `value`, `previous`, `change` (value less previous), `change_ratio` (over |previous|, absent where that is 0),
    `target` and, as text, `severity`. With splits `text` names the target of a figure, in the order of the table, at
    most 100 of them, and severities stand in the evidence alone.
    """
    figures = inputs.figures
    rows = {key: found[0] for key, found in by_key(figures).items()}
    whole: list[tuple[str, ...]] = [()]
    subjects = list(dict.fromkeys(key.targets for key in rows))[:_MOST_SUBJECTS] if figures.query.group_by else whole
    ids = evidence_ids()
    facts: list[Fact] = []
    evidence: list[Evidence] = []
    for metric in figures.result.metrics.values():
        for targets in subjects:
            more_facts, more_evidence = _check(figures, metric, targets, rows, ids)
            facts += more_facts
            evidence += more_evidence
    return CodeOutput(tuple(facts), worst(each.severity for each in evidence), tuple(evidence))


def _check(
    figures: Figures, metric: Metric, targets: tuple[str, ...], rows: Mapping[Key, int], ids: Iterator[str]
) -> tuple[list[Fact], list[Evidence]]:
    column = figures.result.columns.get(metric.id)

    def figure(key: Key) -> float | None:
        row = rows.get(key)
        return None if row is None or column is None else column.number(row)

    now, before = Key(0, targets), Key(1, targets)
    subject = " ".join(targets)
    value = figure(now)
    severity = severity_now(value, metric, figures, figures.query.windows[0])
    facts = [Fact("value", metric.id, value, metric.unit, subject)]
    evidence = [measurement(next(ids), figures, metric, key=now, value=value, description=_VALUE, severity=severity)]
    if len(figures.query.windows) > 1:
        previous = figure(before)
        change, ratio = difference(value, previous)
        facts += [
            Fact("previous", metric.id, previous, metric.unit, subject),
            Fact("change", metric.id, change, metric.unit, subject),
            Fact("change_ratio", metric.id, ratio, "1", subject),
        ]
        evidence.append(measurement(next(ids), figures, metric, key=before, value=previous, description=_PREVIOUS))
        if change is not None:
            evidence.append(
                Evidence(
                    id=next(ids),
                    kind=EvidenceKind.CALCULATION,
                    source="check_facts",
                    metric=metric.id,
                    targets=tuple(target for target in targets if target) or figures.query.targets,
                    window=figures.query.windows[0],
                    value=change,
                    unit=metric.unit,
                    description=_CHANGE,
                )
            )
    if metric.target is not None:
        facts.append(Fact("target", metric.id, metric.target, metric.unit, subject))
    if severity is not Severity.UNSPECIFIED and not targets:
        facts.append(Fact("severity", metric.id, text=severity.value))
    return facts, evidence
