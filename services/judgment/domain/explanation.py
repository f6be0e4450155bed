"""A judgment in words. Every number in them stands in the evidence: figures, targets, and the widest difference."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.judgment.domain.model import Direction, Item, Kind, Metric, RuleVerdict, Severity, Task
from services.judgment.domain.names import capitalised, comparatives, metric_name, row_name, severity_name
from services.judgment.domain.rows import Row
from services.wording import Language, LocalizedText, format_change, format_value, josa

_SHOWN: Final = 6
_RULES_SHOWN: Final = 2
_LONGEST_RULE: Final = 300
_OFF_TARGET: Final = (Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Told:
    """All that a text is made from. `off_target` holds each item's severity against the target alone."""

    task: Task
    metric: Metric
    rows: tuple[Row, ...]
    items: tuple[Item, ...]
    off_target: tuple[Severity, ...]
    rules: Sequence[RuleVerdict | None]
    stale: bool


def explain(told: Told) -> LocalizedText:
    """Write the explanation in both languages, at most 2,000 characters each."""
    return LocalizedText(*(" ".join(_sentences(told, language))[:2000] for language in _LANGUAGES))


_LANGUAGES: Final[tuple[Language, Language]] = ("ko", "en")


def _sentences(told: Told, language: Language) -> Iterator[str]:
    korean = language == "ko"
    metric = metric_name(told.metric, language)
    named = [(row_name(row, language), item) for row, item in zip(told.rows, told.items, strict=True)]
    valued = [(name, item.value) for name, item in named if item.value is not None]
    if not valued:
        yield f"판단할 {metric} 자료가 없습니다." if korean else f"There is no data on {metric} to judge."
        return
    tell = _RANKED if told.task.kind is Kind.RANKING else _SIDE_BY_SIDE if len(valued) > 1 else _ALONE
    yield tell[language](told, metric, valued)
    yield from _against_target(told, named, language)
    without = [name for name, item in named if item.value is None]
    if without:
        listed = ", ".join(without[:_SHOWN])
        yield f"{josa(listed, '은/는')} 자료가 없습니다." if korean else f"There is no data for {listed}."
    yield from _by_rules(told, named, language)
    if told.stale:
        yield (
            "자료가 오래되어 지금 상태와 다를 수 있습니다."
            if korean
            else "The data are old and may differ from the present state."
        )


def _figure(told: Told, value: float, language: Language) -> str:
    return format_value(value, told.metric.unit, language)


def _listed(told: Told, valued: Sequence[tuple[str, float]], language: Language) -> str:
    figures = [f"{name} {_figure(told, value, language)}" for name, value in valued[:_SHOWN]]
    return ", ".join(figures) + (" …" if len(valued) > _SHOWN else "")


def _alone_ko(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    [(name, value)] = valued
    subject = f"{name}의 {metric}" if name else metric
    return f"{josa(subject, '은/는')} {_figure(told, value, 'ko')}입니다."


def _alone_en(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    [(name, value)] = valued
    subject = f"The {metric} of {name}" if name else f"The {metric}"
    return f"{subject} is {_figure(told, value, 'en')}."


def _side_by_side_ko(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    high, low = max(valued, key=lambda each: each[1]), min(valued, key=lambda each: each[1])
    opening = f"{josa(metric, '은/는')} {_listed(told, valued, 'ko')}입니다."
    if high[1] == low[1]:
        return f"{opening} 차이가 없습니다."
    higher, highest, _, lowest = comparatives(told.metric.unit, "ko")
    change = format_change(high[1] - low[1], told.metric.unit, "ko")
    if len(valued) == 2:  # noqa: PLR2004 - a pair
        return f"{opening} {josa(high[0], '이/가')} {low[0]}보다 {change} {higher}."
    return f"{opening} 가장 {highest} 쪽은 {high[0]}, 가장 {lowest} 쪽은 {low[0]}이며 차이는 {change}입니다."


def _side_by_side_en(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    high, low = max(valued, key=lambda each: each[1]), min(valued, key=lambda each: each[1])
    opening = f"{capitalised(metric)}: {_listed(told, valued, 'en')}."
    if high[1] == low[1]:
        return f"{opening} There is no difference."
    higher, highest, _, lowest = comparatives(told.metric.unit, "en")
    change = format_change(high[1] - low[1], told.metric.unit, "en")
    if len(valued) == 2:  # noqa: PLR2004 - a pair
        return f"{opening} {capitalised(high[0])} is {change} {higher} than {low[0]}."
    return f"{opening} {capitalised(high[0])} is {highest}, {low[0]} {lowest}; the difference is {change}."


def _ranked_ko(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    _, highest, _, lowest = comparatives(told.metric.unit, "ko")
    most = highest if told.task.descending else lowest
    first = [name for name, value in valued if value == valued[0][1]]
    leader = f"{', '.join(first[:_SHOWN])}({_figure(told, valued[0][1], 'ko')}{', 동률' if len(first) > 1 else ''})"
    rest = ", ".join(f"{name}({_figure(told, value, 'ko')})" for name, value in valued[len(first) : _SHOWN])
    opening = f"{josa(metric, '이/가')} 가장 {most} 쪽은 {leader}입니다."
    return f"{opening} 그다음은 {rest}입니다." if rest else opening


def _ranked_en(told: Told, metric: str, valued: Sequence[tuple[str, float]]) -> str:
    _, highest, _, lowest = comparatives(told.metric.unit, "en")
    most = highest if told.task.descending else lowest
    first = [name for name, value in valued if value == valued[0][1]]
    shared = "shared by " if len(first) > 1 else ""
    leader = f"{_figure(told, valued[0][1], 'en')} ({shared}{', '.join(first[:_SHOWN])})"
    rest = ", ".join(f"{name} ({_figure(told, value, 'en')})" for name, value in valued[len(first) : _SHOWN])
    opening = f"The {most} {metric} is {leader}"
    return f"{opening}, followed by {rest}." if rest else f"{opening}."


_Teller = Callable[[Told, str, Sequence[tuple[str, float]]], str]
_ALONE: Final[dict[Language, _Teller]] = {"ko": _alone_ko, "en": _alone_en}
_SIDE_BY_SIDE: Final[dict[Language, _Teller]] = {"ko": _side_by_side_ko, "en": _side_by_side_en}
_RANKED: Final[dict[Language, _Teller]] = {"ko": _ranked_ko, "en": _ranked_en}


def _against_target(told: Told, named: Sequence[tuple[str, Item]], language: Language) -> Iterator[str]:
    if told.metric.target is None or told.metric.direction is Direction.NEITHER:
        return
    target = _figure(told, told.metric.target, language)
    lower = told.metric.direction is Direction.LOWER
    off = [
        (name, severity_name(against, language))
        for (name, _), against in zip(named, told.off_target, strict=True)
        if against in _OFF_TARGET
    ]
    several = len(named) > 1
    more = " …" if len(off) > _SHOWN else ""
    if language == "ko":
        missed = f"{josa(target, '을/를')} 넘었습니다" if lower else f"{target}에 못 미칩니다"
        if not off:
            yield f"{'모두 ' if several else ''}목표 {target} {'이내' if lower else '이상'}입니다."
        elif several:
            yield f"목표 {missed}: {', '.join(f'{name}({bad})' for name, bad in off[:_SHOWN])}{more}."
        else:
            yield f"목표 {missed}({off[0][1]})."
        return
    relation = "above" if lower else "below"
    if not off:
        yield f"{'All are' if several else 'It is'} within the target of {target}."
    elif several:
        listed = ", ".join(f"{name} ({bad})" for name, bad in off[:_SHOWN])
        yield f"{capitalised(relation)} the target of {target}: {listed}{more}."
    else:
        yield f"It is {relation} the target of {target} ({off[0][1]})."


def _by_rules(told: Told, named: Sequence[tuple[str, Item]], language: Language) -> Iterator[str]:
    shown = 0
    missing: list[str] = []
    for (name, _), verdict in zip(named, told.rules, strict=True):
        if verdict is None:
            continue
        missing += [each for each in verdict.missing_inputs if each not in missing]
        for hit in verdict.hits:
            said = hit.explanation.ko if language == "ko" else hit.explanation.en
            if shown < _RULES_SHOWN and len(said) <= _LONGEST_RULE:
                shown += 1
                yield f"{capitalised(name)}: {said}" if name and len(named) > 1 else said
    if missing:
        listed = ", ".join(missing[:_SHOWN])
        words = "규칙이 읽을 값이 없습니다" if language == "ko" else "Values that the rules need are missing"
        yield f"{words}: {listed}."
