"""Answers that need no run: talk, questions back, what the plant lacks, what this release does not do yet. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.orchestrator.domain.answers.phrases import Phrases, join, mid_sentence
from services.orchestrator.domain.answers.times import Times
from services.orchestrator.domain.decision import Answer
from services.orchestrator.domain.figures import Evidence, EvidenceKind, Severity
from services.orchestrator.domain.grounding import Lack, Want
from services.orchestrator.domain.language import Language, Localized
from services.orchestrator.domain.meaning import (
    SERVED,
    AskBack,
    AskBackOption,
    Classification,
    Intent,
    Slot,
    SlotOrigin,
    Window,
    first_value,
    slots_named,
)
from services.orchestrator.domain.plant import Catalog, Dimension, Metric

_MOST_OPTIONS = 10
_MOST_NAMES = 12
# What comes nearest to an intent that is not served yet; anything without a metric is an overview.
_NEAREST: Mapping[Intent, Intent] = {
    Intent.FIND_CAUSE: Intent.TREND,
    Intent.PREDICT: Intent.TREND,
    Intent.WHAT_IF: Intent.TREND,
    Intent.REPORT: Intent.TREND,
    Intent.DETECT_ANOMALY: Intent.CHECK,
    Intent.NOTIFY: Intent.CHECK,
}
# Intents whose period may lie ahead: the nearest answer looks back.
_AHEAD = frozenset({Intent.PREDICT, Intent.WHAT_IF, Intent.NOTIFY})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with the name of its kind; `known` are the slots that stand when it asks back."""

    kind: str
    answer: Answer
    known: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Replies in one language about one plant."""

    language: Language
    phrases: Phrases
    catalog: Catalog
    as_of: datetime
    main_metrics: Sequence[str]
    small_talk: Mapping[str, Sequence[str]]

    def talk(self, utterance: str) -> Reply:
        """Answer a greeting, thanks, a call for help, or what is none of our business."""
        said = utterance.casefold()
        kind = next((kind for kind, words in self.small_talk.items() if _occurs(said, words)), "out_of_scope")
        words = {"examples": self._examples(), "plant": self.catalog.plant.display.of(self.language)}
        return Reply(kind, self._plain(self._say(f"talk.{kind}", **words)))

    def stop(self) -> Reply:
        """Acknowledge that it is enough."""
        return Reply("stop", self._plain(self._say("talk.stop")))

    def asked(self, classification: Classification) -> Reply:
        """Ask what the router wants to know."""
        ask_back = classification.ask_back
        if ask_back is None or not ask_back.question:
            return self.unclear("talk.unclear")
        answer = Answer(ask_back.question, self.language, ask_back=ask_back)
        return Reply("ask_back", answer, classification.slots)

    def unclear(self, phrase: str) -> Reply:
        """Ask what is wanted, with examples that this plant can answer."""
        question = self._say(phrase, examples=self._examples())
        options = tuple(AskBackOption(intent.value, self._both(f"ask.intent.{intent}")) for intent in sorted(SERVED))
        return Reply("clarify", Answer(question, self.language, ask_back=AskBack(question, (), options)))

    def unserved(self, intent: Intent, slots: tuple[Slot, ...]) -> Reply:
        """Say that this release does not do it yet, and offer the nearest question that it answers."""
        metric = self._metric(slots)
        nearest = _NEAREST.get(intent, Intent.CHECK) if metric else Intent.CHECK
        known = [slot for slot in slots_named(slots, "target") if slot.value in self.catalog.target_of]
        place = " ".join(self.catalog.target_of[slot.value].display.of(self.language) for slot in known)
        key = (f"offer.{nearest}" if metric else "offer.overview") + ("" if place else ".plant")
        offer = self._say(key, place=place, metric=self._name(metric) if metric else "")
        if metric is not None:
            known.append(Slot("metric", metric.id, origin=SlotOrigin.INHERITED))
        if intent not in _AHEAD:
            known += slots_named(slots, "period")
        text = f"{self._say(f'unserved.{intent}')} {self._say('unserved.offer', question=offer)}"
        ask_back = AskBack(
            self._say("ask.offer"), (), (AskBackOption(nearest.value, Localized(offer, offer)),), nearest
        )
        answer = Answer(f"{text} {ask_back.question}", self.language, ask_back=ask_back)
        return Reply("unserved", answer, tuple(known))

    def lacking(self, lack: Lack, intent: Intent, slots: tuple[Slot, ...]) -> Reply:
        """Say which data exist instead of those asked for."""
        times = Times(self.catalog, self.as_of, self.language)
        ask_back: AskBack | None = None
        known: tuple[Slot, ...] = ()
        match lack.want:
            case Want.METRIC:
                names = [self._name(metric) for metric in self._main(len(self.catalog.metrics))]
                sentences = [self._say("lack.metric", word=lack.word, metrics=self._some(names))]
                ask_back = AskBack(self._say("ask.metric"), ("metric",), self._metric_options(), intent)
                known = tuple(slot for slot in slots if slot.name != "metric")
            case Want.DIMENSION:
                sentences = [self._no_dimension(lack)]
            case Want.TARGET:
                sentences = [self._say("lack.target", word=lack.word, targets=self._some_targets())]
            case Want.PERIOD:
                when = times.when(lack.window) if lack.window else ""
                sentences = [self._say("lack.period", when=when, metric=self._name(lack.metric) if lack.metric else "")]
            case Want.SIDES:
                text = self._say("lack.sides")
                ask_back = AskBack(text, ("target",), (), intent)
                known = tuple(slot for slot in slots if slot.name != "target")
                return Reply("lack_sides", Answer(text, self.language, ask_back=ask_back), known)
            case _:
                sentences = [self._say("lack.data")]
        evidence: tuple[Evidence, ...] = ()
        if lack.coverage is not None:
            sentences.append(self._say("lack.coverage", span=times.span(lack.coverage)))
            evidence = (_coverage_evidence(lack.coverage, lack.metric),)
        if ask_back is not None:
            sentences.append(ask_back.question)
        answer = Answer(
            join(sentences, self.language), self.language, Severity.UNKNOWN, evidence=evidence, ask_back=ask_back
        )
        return Reply(f"lack_{lack.want}", answer, known)

    def _say(self, key: str, **words: str) -> str:
        return self.phrases.say(key, self.language, **words)

    def _both(self, key: str) -> Localized:
        return Localized(self.phrases.say(key, "ko"), self.phrases.say(key, "en"))

    def _plain(self, text: str) -> Answer:
        return Answer(text, self.language)

    def _name(self, metric: Metric) -> str:
        return mid_sentence(metric.display.of(self.language) or metric.id, self.language)

    def _metric(self, slots: tuple[Slot, ...]) -> Metric | None:
        conditions = [slot.condition.metric for slot in slots if slot.condition is not None]
        wanted = [first_value(slots, "metric"), *conditions]
        return next((self.catalog.metric_of[each] for each in wanted if each in self.catalog.metric_of), None)

    def _main(self, count: int) -> list[Metric]:
        """Return the plant's metrics, the most telling first."""
        place = {metric: index for index, metric in enumerate(self.main_metrics)}
        return sorted(self.catalog.metrics, key=lambda metric: place.get(metric.id, len(place)))[:count]

    def _metric_options(self) -> tuple[AskBackOption, ...]:
        return tuple(AskBackOption(metric.id, metric.display) for metric in self._main(_MOST_OPTIONS))

    def _examples(self) -> str:
        metrics = self._main(3)
        if not metrics:
            return self._say("lack.data")
        split = next((each for each in metrics[-1].dimensions if each is not Dimension.SHIFT), Dimension.LINE)
        dimension = self._say(f"dimension.{split.value}")
        shown = [
            self._say("example.check", metric=self._name(metrics[0])),
            self._say("example.trend", metric=self._name(metrics[len(metrics) // 2])),
            self._say("example.rank", metric=self._name(metrics[-1]), dimension=dimension),
        ]
        return ", ".join(shown) + ("." if self.language == "en" else "")

    def _no_dimension(self, lack: Lack) -> str:
        metric = lack.metric
        words = {
            "metric": self._name(metric) if metric else "",
            "dimension": self._say(f"dimension.{lack.dimension.value}"),
        }
        able = [self._say(f"dimension.{each.value}") for each in metric.dimensions] if metric else []
        if not able:
            return self._say("lack.dimension_none", **words)
        return self._say("lack.dimension", dimensions=", ".join(able), **words)

    def _some_targets(self) -> str:
        return self._some([target.display.of(self.language) or target.id for target in self.catalog.targets])

    def _some(self, names: Sequence[str]) -> str:
        more = "" if len(names) <= _MOST_NAMES else (" 등" if self.language == "ko" else " and more")
        return ", ".join(names[:_MOST_NAMES]) + more


def _occurs(said: str, words: Sequence[str]) -> bool:
    # Korean words take endings, English ones do not: "hi" is no part of "history".
    patterns = (rf"(^|\W){re.escape(word)}" + (r"(\W|$)" if word.isascii() else "") for word in words)
    return any(re.search(pattern, said) for pattern in patterns)


def _coverage_evidence(coverage: Window, metric: Metric | None) -> Evidence:
    return Evidence(
        id="e1",
        kind=EvidenceKind.MEASUREMENT,
        source=metric.dataset if metric else "catalog",
        metric=metric.id if metric else "",
        window=coverage,
        description=Localized("데이터가 있는 기간", "period that data exist for"),
    )
