"""What a judgment rests on: each figure, the rules that fired with what they read, and what was computed."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from services.judgment.domain.model import (
    Evidence,
    EvidenceKind,
    Figures,
    Item,
    RuleVerdict,
)
from services.judgment.domain.names import metric_name, row_name
from services.judgment.domain.rows import DIMENSIONS, TIME, WINDOW, Arranged, Row
from services.wording import LocalizedText, format_change, format_value

_MOST: Final = 100
_MOST_RULES: Final = 50


def gather(
    arranged: Arranged,
    items: Sequence[Item],
    rules: Sequence[RuleVerdict | None],
    figures: Figures,
    rule_set_version: str,
) -> tuple[Evidence, ...]:
    """Return the evidence, numbered e1, e2 ...; the first hundred items and the first fifty that rules fired on."""
    found = itertools.chain(
        _measured(arranged, items),
        _computed(arranged, items),
        _by_rules(arranged, rules, figures, rule_set_version),
    )
    return tuple(replace(each, id=f"e{number}") for number, each in enumerate(found, start=1))


def _measured(arranged: Arranged, items: Sequence[Item]) -> Iterator[Evidence]:
    metric = arranged.metric
    for row, item in itertools.islice(zip(arranged.rows, items, strict=True), _MOST):
        yield Evidence(
            "",
            EvidenceKind.MEASUREMENT,
            metric.dataset,
            metric.id,
            row.targets,
            row.window,
            item.value,
            metric.target,
            metric.unit,
            row_count=arranged.row_count if len(items) == 1 else 0,
            description=_described(arranged, row, item.value),
            severity=item.severity,
        )


def _described(arranged: Arranged, row: Row, value: float | None) -> LocalizedText:
    metric = arranged.metric
    korean = format_value(value, metric.unit, "ko") if value is not None else "자료 없음"
    english = format_value(value, metric.unit, "en") if value is not None else "no data"
    return LocalizedText(
        " ".join(part for part in (row_name(row, "ko"), metric_name(metric, "ko"), korean) if part),
        " ".join(part for part in (row_name(row, "en"), metric_name(metric, "en"), english) if part),
    )


def _computed(arranged: Arranged, items: Sequence[Item]) -> Iterator[Evidence]:
    values = [item.value for item in items if item.value is not None]
    metric = arranged.metric
    if len(values) > 1:
        spread = max(values) - min(values)
        yield Evidence(
            "",
            EvidenceKind.CALCULATION,
            "max - min",
            metric.id,
            value=spread,
            unit=metric.unit,
            description=LocalizedText(
                f"가장 큰 값과 가장 작은 값의 차이 {format_change(spread, metric.unit, 'ko')}",
                f"Difference of the largest and the smallest figure: {format_change(spread, metric.unit, 'en')}",
            ),
        )
    if arranged.total is not None:
        yield Evidence(
            "",
            EvidenceKind.CALCULATION,
            "sum",
            metric.id,
            value=arranged.total,
            unit=metric.unit,
            row_count=arranged.row_count,
            description=LocalizedText(
                f"전체 합계 {format_value(arranged.total, metric.unit, 'ko')}",
                f"Total: {format_value(arranged.total, metric.unit, 'en')}",
            ),
        )


def _by_rules(
    arranged: Arranged, rules: Sequence[RuleVerdict | None], figures: Figures, rule_set_version: str
) -> Iterator[Evidence]:
    units = {column.id: column.unit for column in figures.columns}
    fired = [(row, verdict) for row, verdict in zip(arranged.rows, rules, strict=True) if verdict and verdict.hits]
    for row, verdict in fired[:_MOST_RULES]:
        for hit in verdict.hits:
            yield Evidence(
                "",
                EvidenceKind.RULE,
                rule_set_version,
                arranged.metric.id,
                row.targets,
                row.window,
                row.value,
                unit=arranged.metric.unit,
                rule=hit.rule,
                description=hit.explanation,
                severity=hit.severity,
            )
        # What the rules read beside the metric itself: their explanations may quote it.
        for name, cell in row.cells.items():
            if isinstance(cell, float) and name not in DIMENSIONS | {WINDOW, TIME, arranged.metric.id}:
                yield Evidence("", EvidenceKind.MEASUREMENT, "", name, row.targets, row.window, cell, unit=units[name])
