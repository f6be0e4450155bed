"""Utterance -> meaning: normalise, dialogue moves, open question, rules, follow-ups, slots, ask-back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.errors import FieldViolation, Invalid
from services.router.domain import ask_back, dialogue, intents, slots
from services.router.domain.evidence import Evidence, gather
from services.router.domain.lexicon import Lexicon
from services.router.domain.model import (
    CONVERSATION,
    AskBack,
    Candidate,
    Classification,
    Intent,
    Origin,
    Question,
    Slot,
    Source,
)
from services.router.domain.normalise import normalise
from services.router.domain.routes import LEGACY, ROUTES
from services.router.domain.rules import RULES

_YEARS = range(1971, 2199)  # outside of these calendar arithmetic has no room
_MOST_SLOTS, _MOST_CUES = 64, 64
_SET_PHRASE = 0.98  # a whole utterance of set phrases leaves no doubt about what it does
_ANSWERED = 0.9
_NOTHING_SPEAKS = 0.2  # no rule spoke: there are no two best intents to choose between
_FOLLOWED = 0.88
_SECONDARY_FROM = 3.5
_LONGEST_VALUE, _LONGEST_CUE = 200, 120
_LEANING = frozenset(
    {Intent.TREND, Intent.COMPARE, Intent.RANK, Intent.FIND_CAUSE, Intent.PREDICT, Intent.REPORT, Intent.NOTIFY}
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to ask back rather than answer: confidence of the best, and its lead over the second."""

    confidence: float = 0.55
    lead: float = 0.15


def classify(question: Question, lexicon: Lexicon, thresholds: Thresholds) -> Classification:
    """Return what the utterance means. Pure and deterministic.

    Raises Invalid for an `as_of` that leaves no room for a calendar, or for text that unfolds beyond 500 characters.
    """
    if question.as_of.year not in _YEARS:
        raise Invalid("as_of lies outside of 1971 to 2198", violations=(FieldViolation("as_of", "1971 to 2198"),))
    utterance = normalise(question.utterance, question.language)
    evidence = gather(utterance, lexicon, question.as_of)
    turn = _Turn(question, evidence, question.language or utterance.language)
    return turn.by_dialogue() or turn.by_rules(thresholds)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One utterance in its conversation."""

    question: Question
    evidence: Evidence
    language: str

    def by_dialogue(self) -> Classification | None:
        """Return the meaning of an utterance that consists of set phrases, None for any other."""
        done = dialogue.acts(self.evidence.reading.text, self.evidence.lexicon)
        history, pending = self.question.dialogue, self.question.dialogue.pending
        if pending is not None and dialogue.chosen(self.evidence, pending) is not None:
            return None  # "좋아" may be an option's name
        intent = dialogue.move(done)
        if not intent:
            return None
        cues = [f"{intent.value}: {act}" for act in sorted(done)]
        if intent is Intent.CONTINUE and pending is not None and pending.intent:
            # "yes" to an open question says nothing new: it is asked again.
            return self._result(
                pending.intent, _SET_PHRASE, _inherited(history.pending_slots), pending, cues, Source.DIALOGUE
            )
        known: list[Slot] = []
        question: AskBack | None = None
        if intent is Intent.CONTINUE and dialogue.has_history(history):
            known = _inherited(history.last_slots)
        elif intent is Intent.CONTINUE:
            question = ask_back.nothing_pending(self.evidence, self.language)
        return self._result(intent, _SET_PHRASE, known, question, cues, Source.DIALOGUE)

    def by_rules(self, thresholds: Thresholds) -> Classification:
        """Return the meaning by the rules, an open question and the turn before."""
        found = intents.signals(self.evidence)
        found |= dialogue.scope_signals(self.evidence)
        ranking, cues = intents.rank(found)
        best = ranking[0]
        history = self.question.dialogue
        answered = self._answer(found, best.intent, ranking, cues)
        if answered is not None:
            return answered
        if dialogue.has_history(history) and dialogue.is_follow_up(
            self.evidence, best.intent, found, history.last_intent
        ):
            new = slots.stated(self.evidence, Intent.CONTINUE)
            whole = slots.continued(self.evidence, new, history.last_slots)
            question = ask_back.missing(self.evidence, Intent.CONTINUE, whole, self.language)
            ranking = _first(Candidate(Intent.CONTINUE, _FOLLOWED), ranking)
            return self._result(
                Intent.CONTINUE, _FOLLOWED, whole, question, ["CONTINUE: follow-up", *cues], Source.DIALOGUE, ranking
            )
        if best.intent is Intent.CLARIFY:
            question = ask_back.vague(self.evidence, self.language)
            return self._result(Intent.CLARIFY, best.confidence, [], question, cues, Source.RULE, ranking)
        if best.confidence < _NOTHING_SPEAKS:
            question = ask_back.vague(self.evidence, self.language)
            return self._result(Intent.CLARIFY, best.confidence, [], question, cues, Source.RULE, ranking)
        if best.confidence < thresholds.confidence or best.confidence - ranking[1].confidence < thresholds.lead:
            question = ask_back.ambiguous(ranking, self.language)
            new = slots.stated(self.evidence, best.intent)
            return self._result(Intent.CLARIFY, best.confidence, new, question, cues, Source.RULE, ranking)
        return self._recognised(best.intent, best.confidence, found, ranking, cues)

    def _recognised(
        self, intent: Intent, confidence: float, found: frozenset[str], ranking: list[Candidate], cues: list[str]
    ) -> Classification:
        new = slots.stated(self.evidence, intent)
        if intent in _LEANING and dialogue.has_history(self.question.dialogue):
            new = slots.leaning(intent, new, self.question.dialogue.last_slots)
        whole = slots.completed(self.evidence, intent, new)
        question = ask_back.missing(self.evidence, intent, whole, self.language)
        secondary = _secondary(found, intent)
        return self._result(intent, confidence, whole, question, cues, Source.RULE, ranking, secondary)

    def _answer(
        self, found: frozenset[str], best: Intent, ranking: list[Candidate], cues: list[str]
    ) -> Classification | None:
        """Complete the question that is open, where this utterance answers it."""
        history = self.question.dialogue
        pending = history.pending
        if pending is None:
            return None
        option = dialogue.chosen(self.evidence, pending)
        intent = pending.intent
        new: list[Slot] = []
        if option is not None and option.value in set(Intent):
            intent, option = Intent(option.value), None  # an offer, taken by its number or in its own words
        elif not intent and option is None and best in {each.value for each in pending.options}:
            intent = best  # "추이" where "추이 보기" was offered
            new = slots.stated(self.evidence, intent)
        elif not intent:
            # What was vague is now a metric or a target: the utterance speaks for itself.
            if option is None or "metric" not in pending.missing:
                return None
            intent, new = Intent.CHECK, slots.stated(self.evidence, Intent.CHECK)
        else:
            new = slots.stated(self.evidence, intent)
            if option is None and not dialogue.answers(self.evidence, pending, new, best, found):
                return None
        if option is not None and not any(slot.value == option.value for slot in new):
            new = [self._picked(option.value, pending)]
        merged = _merged(new, history.pending_slots, pending)
        whole = slots.completed(self.evidence, intent, merged)
        question = ask_back.missing(self.evidence, intent, whole, self.language)
        ranking = _first(Candidate(intent, _ANSWERED), ranking)
        cues = [f"{intent.value}: answer to the open question", *cues]
        return self._result(intent, _ANSWERED, whole, question, cues, Source.DIALOGUE, ranking)

    def _picked(self, value: str, pending: AskBack) -> Slot:
        text = self.evidence.utterance.text
        name = "target" if ":" in value else (pending.missing[0] if pending.missing else "metric")
        entry = self.evidence.lexicon.names.entries.get(value)
        return Slot(name, value, text, 0, len(text), _ANSWERED, display=entry.display if entry else None)

    def _result(  # noqa: PLR0917 - the parts of a classification, in its order
        self,
        intent: Intent,
        confidence: float,
        found: Sequence[Slot],
        question: AskBack | None,
        cues: Sequence[str],
        source: Source,
        ranking: Sequence[Candidate] = (),
        secondary: Sequence[Candidate] = (),
    ) -> Classification:
        return Classification(
            intent,
            confidence,
            ROUTES[intent],
            self.evidence.utterance.language,
            source,
            tuple(found[:_MOST_SLOTS]),
            tuple(secondary),
            tuple(ranking) or (Candidate(intent, confidence),),
            question,
            LEGACY.get(intent, ()),
            tuple(cue[:_LONGEST_CUE] for cue in cues[:_MOST_CUES]),
        )


def _inherited(known: Sequence[Slot]) -> list[Slot]:
    return [slot.inherited() for slot in known]


def _first(candidate: Candidate, ranking: Sequence[Candidate]) -> list[Candidate]:
    """Put a candidate in front; the others share what it leaves."""
    rest = [c for c in ranking if c.intent is not candidate.intent]
    total = sum(c.confidence for c in rest) or 1.0
    left = 1.0 - candidate.confidence
    return [candidate, *(replace(c, confidence=round(c.confidence / total * left, 4)) for c in rest)]


def _merged(new: Sequence[Slot], known: Sequence[Slot], pending: AskBack) -> list[Slot]:
    """Put the answer to what was known. A second side of a comparison joins the first, all else replaces."""
    both = pending.intent is Intent.COMPARE
    names = {slot.name for slot in new}
    values = {slot.value for slot in new}
    kept = [
        slot.inherited()
        for slot in known
        if slot.origin is not Origin.DEFAULT
        and slot.value not in values
        and (slot.name not in names or (both and slot.name in {"target", "period"}))
    ]
    return [*kept, *new]


def _secondary(found: frozenset[str], main: Intent) -> list[Candidate]:
    """Return what else was asked for: intents with a strong rule of their own besides the main one."""
    strong: dict[Intent, float] = {}
    for rule in RULES:
        if rule.intent is not main and rule.intent not in CONVERSATION and rule.fires(found):
            strong[rule.intent] = strong.get(rule.intent, 0.0) + rule.score
    return [
        Candidate(intent, intents.alone(score))
        for intent, score in sorted(strong.items(), key=lambda item: -item[1])
        if score >= _SECONDARY_FROM
    ]
