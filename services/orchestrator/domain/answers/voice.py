"""One answer being written: its language, its scope, and how the things in it are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.orchestrator.domain.answers.phrases import Phrases, mid_sentence
from services.orchestrator.domain.answers.quotes import Quotes
from services.orchestrator.domain.answers.times import Times
from services.orchestrator.domain.grounding import Scope
from services.orchestrator.domain.language import Language
from services.orchestrator.domain.meaning import Target, Window
from services.orchestrator.domain.plant import ADDS_UP, Aggregation, Dimension, Metric

_LENGTHS = frozenset({"s", "min", "h"})


@dataclass(frozen=True)
class Voice:
    """Speaks one language about one scope."""

    language: Language
    phrases: Phrases
    scope: Scope
    quotes: Quotes

    @property
    def times(self) -> Times:
        """Return how times are said."""
        return Times(self.scope.catalog, self.scope.as_of, self.language)

    def say(self, key: str, **words: str) -> str:
        """Fill a sentence."""
        return self.phrases.say(key, self.language, **words)

    def metric(self, metric: Metric) -> str:
        """Return what a metric is called inside a sentence."""
        return mid_sentence(metric.display.of(self.language) or metric.id, self.language)

    def be(self, metric: Metric, *, past: bool) -> str:
        """Return the English verb that goes with the metric's name."""
        name = metric.display.en
        plural = name.endswith("s") and not name.endswith("ss")
        return ("were" if plural else "was") if past else ("are" if plural else "is")

    def target(self, target: Target) -> str:
        """Return what a target is called: the catalogue's name for it, else its id."""
        known = self.scope.catalog.target_of.get(target.name, target)
        return known.display.of(self.language) or target.display.of(self.language) or target.id

    def targets(self, targets: Sequence[Target]) -> str:
        """Return what several filters are called together: 3라인 야간조."""
        return " ".join(self.target(target) for target in targets)

    def whose(self, targets: Sequence[Target] | None = None) -> str:
        """Return the Korean owner of a figure with its particle and a space, empty for the whole plant."""
        names = self.targets(self.scope.targets if targets is None else targets)
        return f"{names}의 " if names else ""

    def subject(self, metric: Metric, targets: Sequence[Target] | None = None) -> str:
        """Return the English subject: `Line 3's defect rate`, or `the defect rate` of the whole plant."""
        names = self.targets(self.scope.targets if targets is None else targets)
        name = self.metric(metric)
        if names:
            return f"{names}'s {name}"
        return f"the {name}" if " " in name else name

    def place(self) -> str:
        """Return what is looked at, `the whole plant` where nothing was named."""
        return self.targets(self.scope.targets) or self.say("word.whole_plant")

    def when(self, window: Window | None = None) -> str:
        """Return the period as it stands in a sentence."""
        return self.times.when(window or self.scope.window)

    def period(self, window: Window) -> str:
        """Return the period as a thing that is compared."""
        return self.times.noun(window)

    def word(self, metric: Metric, name: str) -> str:
        """Return a word that goes with this kind of figure: higher, more or longer."""
        return self.say(f"word.{sort_of(metric)}.{name}")

    def dimension(self, dimension: Dimension) -> str:
        """Return what a dimension is called."""
        return self.say(f"dimension.{dimension.value}")

    def listed(self, words: Sequence[str]) -> str:
        """Return names in a row: `A, B and C`."""
        if self.language == "ko" or len(words) <= 1:
            return ", ".join(words)
        return ", ".join(words[:-1]) + f" and {words[-1]}"

    def present(self) -> bool:
        """Say whether the period reaches up to now: it *is*, rather than *was*."""
        return self.scope.window.start < self.scope.as_of <= self.scope.window.end

    def going_on(self, window: Window | None = None) -> bool:
        """Say whether a period has begun and is not over."""
        window = window or self.scope.window
        return window.start < self.scope.as_of < window.end


def sort_of(metric: Metric) -> str:
    """Say whether a figure is a length, an amount or a level: 길다, 많다, 높다."""
    if metric.unit in _LENGTHS:
        return "length"
    counted = metric.aggregation in ADDS_UP or (metric.aggregation is Aggregation.LAST and not metric.unit)
    return "amount" if counted else "level"
