"""Text of a TREND: from where to where, the extremes, and how the last figure stands against the target."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.orchestrator.domain.answers import check
from services.orchestrator.domain.answers.voice import Voice
from services.orchestrator.domain.figures import DataResult, Severity
from services.orchestrator.domain.meaning import Target, Window
from services.orchestrator.domain.plant import ADDS_UP, GRAIN_SECONDS, Dimension, Grain

_MOST_SERIES = 5
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket's figure."""

    time: datetime
    value: float


def series(voice: Voice, data: DataResult) -> dict[tuple[Target, ...], list[Point]]:
    """Read the lines of the table, one for each combination of the split, without buckets that have no figure."""
    scope = voice.scope
    times_column, values = data.table.column("time"), data.table.column(scope.metric.id)
    if times_column is None or values is None:
        return {}
    splits = [(each, data.table.column(each.value)) for each in scope.group_by]
    found: dict[tuple[Target, ...], list[Point]] = {}
    for row, (time, value) in enumerate(zip(times_column.cells, values.cells, strict=True)):
        if not isinstance(time, datetime) or not isinstance(value, float):
            continue
        key = tuple(_target(voice, dimension, column.cells[row]) for dimension, column in splits if column)
        found.setdefault(key, []).append(Point(time, value))
    return found


def text(voice: Voice, data: DataResult, severity: Severity) -> list[str]:
    """Say how the figures moved."""
    found = series(voice, data)
    if not found:
        words = _words(voice)
        return [voice.say("check.none", **words)]
    if len(found) == 1:
        return _single(voice, next(iter(found.values())), severity)
    return _several(voice, found)


def _words(voice: Voice) -> dict[str, str]:
    metric = voice.scope.metric
    return {
        "when": voice.when(),
        "whose": voice.whose(),
        "metric": voice.metric(metric),
        "subject": voice.subject(metric),
    }


def _target(voice: Voice, dimension: Dimension, cell: object) -> Target:
    name = f"{dimension.value}:{cell}"
    return voice.scope.catalog.target_of.get(name, Target(name))


def _settled(voice: Voice, points: list[Point]) -> tuple[list[Point], bool]:
    """Leave the last bucket out of the comparison while it still adds up: half a day is no fall."""
    scope = voice.scope
    if scope.metric.aggregation not in ADDS_UP or len(points) <= _FEWEST:
        return points, False
    end = points[-1].time + timedelta(seconds=GRAIN_SECONDS[scope.grain])
    return (points[:-1], True) if end > scope.as_of else (points, False)


def _bucket(voice: Voice, point: Point) -> Window:
    """Return the point's bucket, cut to the period that was asked about."""
    scope = voice.scope
    local = scope.catalog.local(point.time)
    if scope.grain is Grain.MONTH:
        end = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        end = local + timedelta(seconds=GRAIN_SECONDS[scope.grain])
    return Window(point.time, min(end, scope.window.end) if scope.window.end > point.time else end)


def _quote(voice: Voice, point: Point, targets: tuple[Target, ...], severity: Severity = Severity.UNSPECIFIED) -> str:
    return voice.quotes.value(voice.scope.metric, point.value, _bucket(voice, point), targets, severity)


def _single(voice: Voice, points: list[Point], severity: Severity) -> list[str]:
    scope, metric = voice.scope, voice.scope.metric
    words = _words(voice)
    if len(points) < _FEWEST:
        return [voice.say("trend.single", value=_quote(voice, points[0], scope.targets), **words)]
    settled, left_out = _settled(voice, points)
    first, last = settled[0], settled[-1]
    if scope.peak:
        peak = _range(voice, settled, "trend.peak" if scope.peak == "desc" else "trend.trough", **words)
        return [peak, voice.say("trend.last_open")] if left_out else [peak]
    words["last"] = _quote(voice, last, scope.targets, severity)
    if check.is_nothing(metric, last.value, first.value):
        sentences = [voice.say("trend.steady", **words)]
    else:
        words["first"] = _quote(voice, first, scope.targets)
        words["change"] = check.size(voice, metric, last.value, first.value)
        words["moved"] = voice.word(metric, "up" if last.value > first.value else "down")
        sentences = [voice.say("trend.moved", **words)]
    if len(settled) > _FEWEST:
        sentences.append(_range(voice, settled))
    if left_out:
        sentences.append(voice.say("trend.last_open"))
    elif severity is not Severity.NORMAL:
        sentences.append(check.meaning(voice, metric, severity, "last"))
    return sentences


def _range(voice: Voice, points: list[Point], phrase: str = "trend.range", **words: str) -> str:
    scope, metric = voice.scope, voice.scope.metric
    high = max(points, key=lambda point: point.value)
    low = min(points, key=lambda point: point.value)

    def at(point: Point) -> str:
        return voice.times.bucket(point.time, scope.grain, scope.window)

    return voice.say(
        phrase,
        **words,
        high=voice.word(metric, "most"),
        low=voice.word(metric, "least"),
        max=_quote(voice, high, scope.targets),
        max_time=at(high),
        min=_quote(voice, low, scope.targets),
        min_time=at(low),
        mean=voice.quotes.mean(metric, math.fsum(point.value for point in points) / len(points)),
    )


def _several(voice: Voice, found: dict[tuple[Target, ...], list[Point]]) -> list[str]:
    metric = voice.scope.metric
    items = []
    left_out = False
    for targets, points in list(found.items())[:_MOST_SERIES]:
        settled, open_end = _settled(voice, points)
        left_out = left_out or open_end
        first, last = settled[0], settled[-1]
        words = {"name": voice.targets(targets), "first": _quote(voice, first, targets)}
        items.append(voice.say("trend.item", last=_quote(voice, last, targets), **words))
    filters = [target for target in voice.scope.targets if Dimension(target.kind) not in voice.scope.group_by]
    sentence = voice.say(
        "trend.several",
        when=voice.when(),
        whose=voice.whose(filters),
        metric=voice.metric(metric),
        subject=voice.subject(metric, filters),
        series=", ".join(items),
    )
    return [sentence, voice.say("trend.last_open")] if left_out else [sentence]
