"""`trend_facts`: where a figure came from, where it went, and whether that is more than noise."""

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.workflow.domain.figures import Evidence, EvidenceKind, Fact, Grain, Metric, Scalar, Text, Window, instant
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
    window_at,
)

_FIRST: Final = Text("첫 구간의 값", "figure of the first bucket")
_LAST: Final = Text("마지막 구간의 값", "figure of the last bucket")
_MIN: Final = Text("가장 낮은 구간의 값", "lowest bucket")
_MAX: Final = Text("가장 높은 구간의 값", "highest bucket")
_SLOPE: Final = Text("구간당 평균 변화(최소제곱)", "mean change a bucket (least squares)")
_MOST_SERIES: Final = 50
_SECONDS: Final = {
    Grain.QUARTER_HOUR: 900.0,
    Grain.HOUR: 3600.0,
    Grain.DAY: 86400.0,
    Grain.WEEK: 604800.0,
    Grain.MONTH: 2629746.0,  # a twelfth of the mean year: months differ, their trend does not
}
# A slope counts where it is twice its standard error. Below four points that says nothing: there the sign decides.
_T: Final = 2.0
_FEWEST_FOR_T: Final = 4


def trend_facts(inputs: Inputs, arguments: Mapping[str, Scalar]) -> CodeOutput:
    """Describe one metric over time: argument `metric`, or the first of the query.

    Facts: `first`, `last`, `min`, `max` (with their times), `mean` (of the buckets, unweighted), `change` (last less
    first), `change_ratio`, `slope` (a bucket, least squares; absent below two points), `points`, `target`, and as
    text `direction` (`increase`, `decrease`, `flat`). Severity is that of the last bucket. With splits or several
    windows `text` names the series of a figure, at most 50 of them, and each has its direction as `direction:...`.
    """
    figures = inputs.figures
    metric = figures.result.metrics[str(arguments.get("metric") or next(iter(figures.result.metrics)))]
    series = list(by_key(figures).items())[:_MOST_SERIES]
    ids = evidence_ids()
    facts: list[Fact] = []
    evidence: list[Evidence] = []
    for key, rows in series:
        name = _name(figures, key) if len(series) > 1 else ""
        more_facts, more_evidence = _describe(_Series(figures, metric, key, name), rows, ids)
        facts += more_facts
        evidence += more_evidence
    if metric.target is not None:
        facts.append(Fact("target", metric.id, metric.target, metric.unit))
    severity = worst(each.severity for each in evidence) if evidence else Severity.UNKNOWN
    return CodeOutput(tuple(facts), severity, tuple(evidence))


@dataclass(frozen=True, slots=True)
class _Series:
    """One of the lines that the table holds; `name` is empty where it is the only one."""

    figures: Figures
    metric: Metric
    key: Key
    name: str


def _describe(series: _Series, rows: Sequence[int], ids: Iterator[str]) -> tuple[list[Fact], list[Evidence]]:
    figures, metric, key, name = series.figures, series.metric, series.key, series.name
    column, times = figures.result.columns[metric.id], figures.result.columns["time"].times
    missing = column.null_rows
    points = sorted((times[row], column.numbers[row]) for row in rows if row not in missing)
    direction_name = f"direction:{name}" if name else "direction"
    if not points:
        return [Fact("points", metric.id, 0.0, "", name)], []
    first, last = points[0], points[-1]
    low, high = min(points, key=operator.itemgetter(1)), max(points, key=operator.itemgetter(1))
    change, ratio = difference(last[1], first[1])
    line = fit(points, _SECONDS[figures.query.grain])

    def fact(what: str, point: tuple[float, float]) -> Fact:
        return Fact(what, metric.id, point[1], metric.unit, name, instant(point[0]))

    def evident(point: tuple[float, float], text: Text, severity: Severity = Severity.UNSPECIFIED) -> Evidence:
        bucket = _bucket(figures, key, point[0])
        return measurement(
            next(ids), figures, metric, key=key, value=point[1], description=text, severity=severity, window=bucket
        )

    facts = [
        fact("first", first),
        fact("last", last),
        fact("min", low),
        fact("max", high),
        Fact("mean", metric.id, math.fsum(value for _, value in points) / len(points), metric.unit, name),
        Fact("change", metric.id, change, metric.unit, name),
        Fact("change_ratio", metric.id, ratio, "1", name),
        Fact("slope", metric.id, line.slope if line else None, metric.unit, name),
        Fact("points", metric.id, float(len(points)), "", name),
        Fact(direction_name, metric.id, text=line.direction if line else "flat"),
    ]
    severity = severity_now(last[1], metric, figures, window_at(figures, key.window))
    evidence = [evident(first, _FIRST), evident(last, _LAST, severity), evident(low, _MIN), evident(high, _MAX)]
    if line:
        evidence.append(
            Evidence(
                id=next(ids),
                kind=EvidenceKind.CALCULATION,
                source="trend_facts",
                metric=metric.id,
                targets=tuple(target for target in key.targets if target) or figures.query.targets,
                window=window_at(figures, key.window),
                value=line.slope,
                unit=metric.unit,
                description=_SLOPE,
            )
        )
    return facts, evidence


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line: change a bucket and its standard error."""

    slope: float
    error: float
    points: int

    @property
    def direction(self) -> str:
        """Return `increase`, `decrease` or, where the slope is no more than noise, `flat`."""
        threshold = _T * self.error if self.points >= _FEWEST_FOR_T else 0.0
        if self.slope == 0 or abs(self.slope) < threshold:
            return "flat"
        return "increase" if self.slope > 0 else "decrease"


def fit(points: Sequence[tuple[float, float]], bucket_s: float) -> Line | None:
    """Fit a line to (Unix seconds, figure) by least squares; None below two different times. Gaps keep their width."""
    count, begin = len(points), points[0][0]
    xs = [(time - begin) / bucket_s for time, _ in points]
    ys = [value for _, value in points]
    mean_x, mean_y = math.fsum(xs) / count, math.fsum(ys) / count
    # Centred first: sums of squares of raw figures would lose what the trend consists of.
    xs, ys = [x - mean_x for x in xs], [y - mean_y for y in ys]
    spread = _product(xs, xs)
    if not spread:
        return None
    slope = _product(xs, ys) / spread
    residual = max(0.0, _product(ys, ys) - slope * slope * spread)
    error = math.sqrt(residual / (count - 2) / spread) if count > 2 else 0.0  # noqa: PLR2004 - degrees of freedom
    return Line(slope, error, count)


def _product(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, left, right))


def _bucket(figures: Figures, key: Key, start: float) -> Window | None:
    """Return the bucket as a period inside its window: it ends where the next could begin."""
    window = window_at(figures, key.window)
    begin, end = instant(start), instant(start + _SECONDS[figures.query.grain])
    if window is None:
        return Window(begin, end)
    begin, end = max(begin, window.start), min(end, window.end)
    return Window(begin, end) if begin < end else window


def _name(figures: Figures, key: Key) -> str:
    window = window_at(figures, key.window) if len(figures.query.windows) > 1 else None
    label = (window.label or str(key.window)) if window else ""
    return " ".join(part for part in (*key.targets, label) if part)
