"""Text of a CHECK: one figure with its change and its target, or an overview of several."""

from dataclasses import dataclass

from services.orchestrator.domain.answers.voice import Voice
from services.orchestrator.domain.figures import CodeResult, DataResult, Severity
from services.orchestrator.domain.plant import Direction, Metric

_LEAST_POINTS = 0.00005  # texts show hundredths of a point
_LEAST_RATIO = 0.0005  # and tenths of a percent
_TELLING_RATIO = 2.0  # "717 % more" tells nobody anything
_ALARMING = frozenset({Severity.WARNING, Severity.CRITICAL})


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric's figures: now and before, and how bad it is."""

    metric: Metric
    value: float | None
    previous: float | None
    severity: Severity


def figures(voice: Voice, code: CodeResult) -> list[Figure]:
    """Pick the figures of each metric from the facts."""
    by_name = {(fact.metric, fact.name): fact for fact in code.facts}
    found = []
    for metric in voice.scope.metrics:
        value, previous, judged = (by_name.get((metric.id, name)) for name in ("value", "previous", "severity"))
        found.append(
            Figure(
                metric,
                value.value if value else None,
                previous.value if previous else None,
                Severity(judged.text) if judged and judged.text in Severity.__members__ else Severity.UNSPECIFIED,
            )
        )
    return found


def text(voice: Voice, data: DataResult, found: list[Figure]) -> list[str]:
    """Say the figures, first of all the value."""
    if len(found) == 1:
        return _single(voice, data, found[0])
    return _overview(voice, data, found)


def meaning(voice: Voice, metric: Metric, severity: Severity, of: str = "this") -> str:
    """Say how a figure stands against its target; nothing where it has none. `of` is `this` figure or the `last`."""
    key = f"meaning.{metric.direction}.{severity}"
    if metric.target is None or metric.direction is Direction.UNSPECIFIED:
        key = f"meaning.rule.{severity}"
    if not voice.phrases.known(key):
        return ""
    return voice.say(key, target=voice.quotes.target(metric), it=voice.say(f"it.{of}"))


def _single(voice: Voice, data: DataResult, figure: Figure) -> list[str]:
    metric, scope = figure.metric, voice.scope
    words = {
        "when": voice.when(),
        "whose": voice.whose(),
        "metric": voice.metric(metric),
        "subject": voice.subject(metric),
    }
    if figure.value is None:
        return [voice.say("check.none", **words)]
    words["value"] = voice.quotes.value(metric, figure.value, scope.window, scope.targets, figure.severity)
    words["moment"] = _moment(voice, data)
    key = "check.so_far" if words["moment"] else "check.now" if voice.present() else "check.then"
    words["be"] = voice.be(metric, past=not voice.going_on())
    sentences = [voice.say(key, **words)]
    if figure.previous is not None and scope.previous is not None:
        sentences.append(_change(voice, figure, figure.value, figure.previous))
    sentences.append(meaning(voice, metric, figure.severity))
    return sentences


def _moment(voice: Voice, data: DataResult) -> str:
    """Say up to when today's data reach, where today is asked about."""
    scope = voice.scope
    latest = data.freshness.latest if data.freshness else None
    if latest is None or scope.window.label != "today" or not voice.going_on():
        return ""
    return voice.times.moment(min(latest, scope.as_of))


def _change(voice: Voice, figure: Figure, value: float, previous: float) -> str:
    metric, scope = figure.metric, voice.scope
    assert scope.previous is not None  # noqa: S101 - the caller looked
    words = {
        "before": voice.times.before(scope.window, scope.previous),
        "previous": voice.quotes.value(metric, previous, scope.previous, scope.targets),
    }
    if value == previous:
        return voice.say("check.same", **words)
    if is_nothing(metric, value, previous):
        return voice.say("check.nearly", **words)
    compared = voice.word(metric, "more" if value > previous else "less")
    return voice.say("check.change", change=size(voice, metric, value, previous), compared=compared, **words)


def is_nothing(metric: Metric, value: float, base: float) -> bool:
    """Say whether a difference is too small to be shown."""
    difference = abs(value - base)
    return difference < _LEAST_POINTS if metric.unit == "1" or not base else difference / abs(base) < _LEAST_RATIO


def size(voice: Voice, metric: Metric, value: float, base: float) -> str:
    """Say how far two figures are apart: fractions in points, others relative to the base as long as that tells."""
    difference = value - base
    if metric.unit == "1" or not base or abs(difference / base) > _TELLING_RATIO:
        return voice.quotes.change(metric, difference)
    return voice.quotes.ratio(metric, difference / abs(base))


def _overview(voice: Voice, data: DataResult, found: list[Figure]) -> list[str]:
    scope = voice.scope
    known = [(figure, figure.value) for figure in found if figure.value is not None]
    if not known:
        return [voice.say("overview.none", when=voice.when(), place=voice.place())]
    items = [
        voice.say(
            "overview.item",
            metric=voice.metric(figure.metric),
            value=voice.quotes.value(figure.metric, value, scope.window, scope.targets, figure.severity),
        )
        for figure, value in known
    ]
    moment = _moment(voice, data)
    key = "overview.so_far" if moment else "overview.when"
    sentences = [voice.say(key, when=voice.when(), moment=moment, place=voice.place(), figures=", ".join(items))]
    past = [figure.metric for figure, _ in known if figure.severity in _ALARMING]
    if past:
        names = voice.listed([voice.metric(metric) for metric in past])
        sentences.append(voice.say("overview.past_target", metrics=names))
    elif any(figure.severity is Severity.NORMAL for figure, _ in known):
        sentences.append(voice.say("overview.all_good"))
    return sentences
