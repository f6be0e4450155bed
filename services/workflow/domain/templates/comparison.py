"""`comparison_facts` and `ranking_facts`: the figures behind a judgment on several things."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.errors import Invalid
from services.workflow.domain.figures import (
    Direction,
    Evidence,
    EvidenceKind,
    Fact,
    JudgedItem,
    Judgment,
    Metric,
    Scalar,
    Text,
)
from services.workflow.domain.outputs import CodeOutput
from services.workflow.domain.templates.reading import Figures, Inputs, difference, evidence_ids

_ITEM: Final = Text("비교 대상의 값", "figure of one thing compared")
_PLACE: Final = Text("순위에 오른 값", "figure of one place")
_GAP: Final = Text("가장 높은 값과 가장 낮은 값의 차이", "gap between the highest and the lowest")
_MOST_ITEMS: Final = 100


def comparison_facts(inputs: Inputs, _arguments: Mapping[str, Scalar]) -> CodeOutput:
    """Describe what a COMPARISON judgment found.

    Facts for each item, in the judgment's order, `text` its target or period: `value`, `difference`,
    `difference_ratio`, `share` (where they can be said). Over all: `highest`, `lowest` (`text` names them), `gap`,
    `gap_ratio` (over |lowest|), `best` (text, where one way is good), `target`, `count`.
    """
    judgment, metric = _subject(inputs)
    facts: list[Fact] = []
    for item in judgment.items[:_MOST_ITEMS]:
        name = name_of(item)
        facts.append(Fact("value", metric.id, item.value, metric.unit, name))
        if item.difference is not None:
            facts.append(Fact("difference", metric.id, item.difference, metric.unit, name))
        if item.difference_ratio is not None:
            facts.append(Fact("difference_ratio", metric.id, item.difference_ratio, "1", name))
        if item.share is not None:
            facts.append(Fact("share", metric.id, item.share, "1", name))
    facts += _extremes(metric, judgment.items)
    facts.append(Fact("count", metric.id, float(len(judgment.items))))
    return CodeOutput(tuple(facts), judgment.severity, _evidence(inputs.figures, judgment, metric, _ITEM))


def ranking_facts(inputs: Inputs, _arguments: Mapping[str, Scalar]) -> CodeOutput:
    """Describe what a RANKING judgment found.

    Facts for each place, best of the order first: `rank_N` (equal figures share N; `text` its target) and, where the
    metric adds up, `share`. Over all: `count` (places kept), `ranked` (things that were ranked), and the facts on
    extremes and target of `comparison_facts`.
    """
    judgment, metric = _subject(inputs)
    facts: list[Fact] = []
    for item in judgment.items[:_MOST_ITEMS]:
        name = name_of(item)
        facts.append(Fact(f"rank_{item.rank}", metric.id, item.value, metric.unit, name))
        if item.share is not None:
            facts.append(Fact("share", metric.id, item.share, "1", name))
    facts += _extremes(metric, judgment.items)
    facts.append(Fact("count", metric.id, float(len(judgment.items))))
    facts.append(Fact("ranked", metric.id, float(inputs.figures.result.row_count)))
    return CodeOutput(tuple(facts), judgment.severity, _evidence(inputs.figures, judgment, metric, _PLACE))


def name_of(item: JudgedItem) -> str:
    """Name an item by its target, or by the label or dates of its period."""
    if item.target or item.window is None:
        return item.target
    return item.window.label or f"{item.window.start.isoformat()}/{item.window.end.isoformat()}"


def _subject(inputs: Inputs) -> tuple[Judgment, Metric]:
    if inputs.judgment is None:
        raise Invalid("the template reads a judgment")
    judgment = inputs.judgment.judgment
    metric = inputs.figures.result.metrics.get(judgment.metric)
    if metric is None:
        raise Invalid(f"the judgment is on {judgment.metric}, which is not among the figures")
    return judgment, metric


def _extremes(metric: Metric, items: Sequence[JudgedItem]) -> list[Fact]:
    high, low = _highest_and_lowest(items)
    if high is None or low is None:
        return []
    gap, ratio = difference(high.value, low.value)
    facts = [
        Fact("highest", metric.id, high.value, metric.unit, name_of(high)),
        Fact("lowest", metric.id, low.value, metric.unit, name_of(low)),
        Fact("gap", metric.id, gap, metric.unit),
        Fact("gap_ratio", metric.id, ratio, "1"),
    ]
    if metric.direction is not Direction.UNSPECIFIED:
        best = high if metric.direction is Direction.HIGHER_IS_BETTER else low
        facts.append(Fact("best", metric.id, best.value, metric.unit, name_of(best)))
    if metric.target is not None:
        facts.append(Fact("target", metric.id, metric.target, metric.unit))
    return facts


def _highest_and_lowest(items: Sequence[JudgedItem]) -> tuple[JudgedItem | None, JudgedItem | None]:
    known = {item.value: item for item in reversed(items) if item.value is not None}
    return (known[max(known)], known[min(known)]) if known else (None, None)


def _evidence(figures: Figures, judgment: Judgment, metric: Metric, text: Text) -> tuple[Evidence, ...]:
    ids = evidence_ids()
    only = figures.query.windows[0] if len(figures.query.windows) == 1 else None
    evidence = [
        Evidence(
            id=next(ids),
            kind=EvidenceKind.MEASUREMENT,
            source=metric.dataset,
            metric=metric.id,
            targets=(item.target,) if item.target else figures.query.targets,
            window=item.window or only,
            value=item.value,
            threshold=metric.target,
            unit=metric.unit,
            row_count=metric.row_count,
            description=text,
            severity=item.severity,
        )
        for item in judgment.items[:_MOST_ITEMS]
    ]
    high, low = _highest_and_lowest(judgment.items)
    if high is not None and low is not None:
        gap, _ = difference(high.value, low.value)
        evidence.append(
            Evidence(
                id=next(ids),
                kind=EvidenceKind.CALCULATION,
                source=judgment.name,
                metric=metric.id,
                window=only,
                value=gap,
                unit=metric.unit,
                description=_GAP,
            )
        )
    return tuple(evidence)
