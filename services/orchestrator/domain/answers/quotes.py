"""Figures in a text: whoever writes one down enters it into the evidence by doing so."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.orchestrator.domain.answers.phrases import Phrases
from services.orchestrator.domain.figures import Evidence, EvidenceKind, MetricSource, Severity
from services.orchestrator.domain.language import Language, Localized
from services.orchestrator.domain.meaning import Target, Window
from services.orchestrator.domain.plant import Metric
from services.wording import format_change, format_percent, format_value

_MOST_EVIDENCE = 200
_CALCULATIONS: Mapping[str, Localized] = {
    "change": Localized("두 값의 차이", "difference of the two figures"),
    "ratio": Localized("앞 값에 대한 변화율", "change relative to the earlier figure"),
    "mean": Localized("구간 평균", "mean of the buckets"),
    "share": Localized("전체에서 차지하는 비중", "share of the total"),
}


class Quotes:
    """The evidence of one answer: what the run gave, and whatever else the text says."""

    def __init__(
        self, language: Language, phrases: Phrases, given: Iterable[Evidence], sources: Iterable[MetricSource]
    ) -> None:
        self._language = language
        self._phrases = phrases
        self._sources = {source.metric: source for source in sources}
        self._evidence: list[Evidence] = []
        for evidence in given:
            self._enter(evidence)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return everything entered so far, numbered `e1` on."""
        return tuple(replace(each, id=f"e{place}") for place, each in enumerate(self._evidence, start=1))

    def value(
        self,
        metric: Metric,
        value: float,
        window: Window | None,
        targets: tuple[Target, ...] = (),
        severity: Severity = Severity.UNSPECIFIED,
    ) -> str:
        """Write a measured figure down."""
        source = self._sources.get(metric.id)
        self._enter(
            Evidence(
                id="",
                kind=EvidenceKind.MEASUREMENT,
                source=source.dataset if source else metric.dataset,
                metric=metric.id,
                targets=targets,
                window=window,
                value=value,
                threshold=metric.target,
                unit=metric.unit,
                row_count=source.row_count if source else 0,
                severity=severity,
            )
        )
        return self._figure(metric, value)

    def target(self, metric: Metric) -> str:
        """Write the plant's goal down; it stands as the threshold of the metric's measurements."""
        if metric.target is None:
            return ""
        if not any(each.metric == metric.id and each.threshold == metric.target for each in self._evidence):
            self._enter(
                Evidence("", EvidenceKind.MEASUREMENT, metric=metric.id, threshold=metric.target, unit=metric.unit)
            )
        return self._figure(metric, metric.target)

    def change(self, metric: Metric, difference: float) -> str:
        """Write a difference down without its sign, fractions in percentage points."""
        self._calculate(metric, "change", abs(difference), metric.unit)
        return format_change(difference, metric.unit, self._language) + self._counter(metric)

    def ratio(self, metric: Metric, ratio: float, name: str = "ratio") -> str:
        """Write a relative change, or a share, down as percent without its sign."""
        shown = round(abs(ratio), 3) or round(abs(ratio), 6)
        self._calculate(metric, name, shown, "1")
        return format_percent(shown)

    def mean(self, metric: Metric, value: float) -> str:
        """Write a mean of buckets down."""
        self._calculate(metric, "mean", value, metric.unit)
        return self._figure(metric, value)

    def _figure(self, metric: Metric, value: float) -> str:
        return format_value(value, metric.unit, self._language) + self._counter(metric)

    def _counter(self, metric: Metric) -> str:
        """Return the word that counts things where the unit is silent: 1,204개."""
        key = f"counter.{metric.id}"
        return self._phrases.say(key, self._language) if not metric.unit and self._phrases.known(key) else ""

    def _calculate(self, metric: Metric, name: str, value: float, unit: str) -> None:
        self._enter(
            Evidence(
                id="",
                kind=EvidenceKind.CALCULATION,
                source=name,
                metric=metric.id,
                value=value,
                unit=unit,
                description=_CALCULATIONS[name],
            )
        )

    def _enter(self, evidence: Evidence) -> None:
        if len(self._evidence) < _MOST_EVIDENCE and not any(_same(evidence, each) for each in self._evidence):
            self._evidence.append(evidence)


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether `other` already says what `one` would."""
    if one.rule or other.rule or one.value is None or other.value is None:
        return one == other
    return (
        one.metric == other.metric
        and one.unit == other.unit
        and one.value == other.value
        and {each.name for each in one.targets} <= {each.name for each in other.targets}
        and (one.window is None or other.window is None or one.window.start == other.window.start)
    )
