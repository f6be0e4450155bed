"""From arranged rows and the rules' verdicts to a verdict."""

from collections.abc import Iterator, Sequence
from typing import Final

from services.judgment.domain.confidence import confidence
from services.judgment.domain.evidence import gather
from services.judgment.domain.explanation import Told, explain
from services.judgment.domain.model import (
    Action,
    Figures,
    Item,
    Kind,
    RuleVerdict,
    RuleVerdicts,
    Severity,
    Task,
    Verdict,
)
from services.judgment.domain.names import metric_name, row_name
from services.judgment.domain.rows import Arranged
from services.judgment.domain.severity import against_target, with_rules, worst
from services.wording import LocalizedText, josa

_MOST_ACTIONS: Final = 3


def judge(task: Task, figures: Figures, arranged: Arranged, verdicts: RuleVerdicts | None) -> Verdict:
    """Judge. `verdicts` holds one verdict an arranged row; None where no rule set was asked."""
    rules: Sequence[RuleVerdict | None] = verdicts.verdicts if verdicts else [None] * len(arranged.rows)
    version = verdicts.version if verdicts else ""
    against = tuple(against_target(row.value, arranged.metric) for row in arranged.rows)
    items = _items(arranged, [with_rules(own, rule) for own, rule in zip(against, rules, strict=True)])
    told = Told(task, arranged.metric, arranged.rows, items, against, rules, figures.stale)
    return Verdict(
        _severity(task, items),
        confidence(arranged, figures, rules),
        items,
        explain(told),
        gather(arranged, items, rules, figures, version),
        tuple(_actions(arranged, items))[:_MOST_ACTIONS],
        version,
    )


def _items(arranged: Arranged, severities: Sequence[Severity]) -> tuple[Item, ...]:
    first = arranged.rows[0].value if arranged.rows else None
    items = []
    for index, (row, rank, severity) in enumerate(zip(arranged.rows, arranged.ranks, severities, strict=True)):
        difference = row.value - first if index and row.value is not None and first is not None else None
        items.append(
            Item(
                row.targets[0] if row.targets else "",
                row.period,
                row.value,
                rank,
                difference,
                difference / first if difference is not None and first else None,
                row.value / arranged.total if row.value is not None and arranged.total else None,
                severity,
            )
        )
    return tuple(items)


def _severity(task: Task, items: Sequence[Item]) -> Severity:
    """Return the worst item's. An ordering stands on those that have a figure; elsewhere one that lacks it counts."""
    with_figure = [item.severity for item in items if item.value is not None]
    if not with_figure:
        return worst([Severity.UNKNOWN, *(item.severity for item in items)])
    return worst(with_figure if task.kind is Kind.RANKING else [item.severity for item in items])


def _actions(arranged: Arranged, items: Sequence[Item]) -> Iterator[Action]:
    """Propose what to do about the worst first; nothing is done by itself."""
    metric_ko, metric_en = metric_name(arranged.metric, "ko"), metric_name(arranged.metric, "en")
    pairs = list(zip(arranged.rows, items, strict=True))
    critical = [pair for pair in pairs if pair[1].severity is Severity.CRITICAL]
    warning = [pair for pair in pairs if pair[1].severity is Severity.WARNING]
    for row, item in critical + warning:
        urgent = item.severity is Severity.CRITICAL
        ko, en = row_name(row, "ko"), row_name(row, "en")
        subject_ko = f"{ko}의 {metric_ko}" if ko else metric_ko
        subject_en = f"the {metric_en} of {en}" if en else f"the {metric_en}"
        yield Action(
            "inspect",
            "high" if urgent else "medium",
            item.target,
            LocalizedText(
                f"{josa(subject_ko, '이/가')} 기준을 벗어난 원인을 점검해 주세요.",
                f"Find out why {subject_en} is off its limits.",
            ),
        )
        if urgent:
            yield Action(
                "notify",
                "high",
                item.target,
                LocalizedText(
                    f"담당자에게 {subject_ko} 상태를 알려 주세요.",
                    f"Tell those in charge about {subject_en}.",
                ),
            )
