"""What the next utterance may lean on: merging it with what went before, and remembering what became of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.orchestrator.domain import grounding
from services.orchestrator.domain.grounding import Lack, Scope
from services.orchestrator.domain.meaning import (
    SERVED,
    AskBack,
    Classification,
    DialogueContext,
    Intent,
    Slot,
    SlotOrigin,
    first_value,
)
from services.orchestrator.domain.plant import ADDS_UP, Catalog, Direction

# "More" of an ordering: as many places as a person reads.
_MORE_PLACES = 20


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is to be answered, follow-ups resolved. UNSPECIFIED: there is nothing to go on with."""

    intent: Intent
    slots: tuple[Slot, ...]


def resolve(
    classification: Classification,
    context: DialogueContext,
    catalog: Catalog,
    as_of: datetime,
    main_metrics: Sequence[str],
) -> Meaning:
    """Turn CONTINUE into what it goes on with; any other intent stands as it is."""
    if classification.intent is not Intent.CONTINUE:
        return Meaning(classification.intent, classification.slots)
    pending = context.pending
    if pending is not None and pending.intent is not Intent.UNSPECIFIED and not pending.missing_slots:
        return Meaning(pending.intent, merged(context.pending_slots, classification.slots))
    if context.last_intent is Intent.UNSPECIFIED:
        return Meaning(Intent.UNSPECIFIED, ())
    slots = merged(context.last_slots, classification.slots)
    if any(slot.origin is SlotOrigin.STATED for slot in classification.slots) or context.last_intent not in SERVED:
        return Meaning(context.last_intent, slots)
    return _deeper(context.last_intent, slots, catalog, as_of, main_metrics)


def takes_offer(classification: Classification, context: DialogueContext) -> bool:
    """Say whether a plain yes was said to an offer of ours: the router asks the open question again then."""
    offer, asked = context.pending, classification.ask_back
    if offer is None or asked is None or offer.missing_slots or offer.intent is Intent.UNSPECIFIED:
        return False
    return classification.intent is offer.intent and asked.question == offer.question


def merged(before: tuple[Slot, ...], now: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Let new slots replace old ones of the same name, targets only those of the same kind.

    A default period is not inherited: "today" of the next question is another day.
    """
    stated = tuple(slot for slot in now if slot.origin is not SlotOrigin.DEFAULT)
    names = {_subject(slot) for slot in stated}
    kept = tuple(
        replace(slot, origin=SlotOrigin.INHERITED, text="", start=0, end=0)
        for slot in before
        if _subject(slot) not in names and not (slot.origin is SlotOrigin.DEFAULT and slot.name == "period")
    )
    return (*stated, *kept)


def _subject(slot: Slot) -> str:
    return slot.value.partition(":")[0] if slot.name == "target" else slot.name


def _deeper(
    intent: Intent, slots: tuple[Slot, ...], catalog: Catalog, as_of: datetime, main_metrics: Sequence[str]
) -> Meaning:
    """Look one level deeper: an ordering by the next finer thing, more places, or the way over time."""
    if intent is Intent.COMPARE:
        return Meaning(Intent.TREND, slots)
    scope = grounding.ground(intent, slots, catalog, as_of, main_metrics)
    if isinstance(scope, Lack):
        return Meaning(intent, slots)
    if intent is Intent.RANK:
        others = tuple(slot for slot in slots if slot.name not in {"top_n", "order", "group_by"})
        if grounding.group_count(scope) <= scope.top_n:
            return Meaning(Intent.TREND, others)  # all places have been told; what is left is how it came about
        kept = tuple(slot for slot in slots if slot.name != "top_n")
        return Meaning(intent, (*kept, _default("top_n", str(_MORE_PLACES), _MORE_PLACES)))
    finer = None if scope.overview else grounding.finer_split(scope)
    if finer is None:
        return Meaning(Intent.TREND, _with_metric(slots, scope))
    others = tuple(slot for slot in slots if slot.name not in {"group_by", "grain", "order", "top_n"})
    order = "asc" if _worst_is_lowest(scope) else "desc"
    return Meaning(Intent.RANK, (*others, _default("group_by", finer.value), _default("order", order)))


def _worst_is_lowest(scope: Scope) -> bool:
    metric = scope.metric
    return metric.direction is Direction.HIGHER_IS_BETTER and metric.aggregation not in ADDS_UP


def _with_metric(slots: tuple[Slot, ...], scope: Scope) -> tuple[Slot, ...]:
    return slots if first_value(slots, "metric") else (*slots, _default("metric", scope.metric.id))


def _default(name: str, value: str, number: int | None = None) -> Slot:
    return Slot(name, value, origin=SlotOrigin.DEFAULT, number=number)


def answered(context: DialogueContext, meaning: Meaning) -> DialogueContext:
    """Remember a question that was answered; whatever was open is settled by it."""
    return replace(context, last_intent=meaning.intent, last_slots=meaning.slots, pending=None, pending_slots=())


def asked_back(context: DialogueContext, ask_back: AskBack, known: tuple[Slot, ...]) -> DialogueContext:
    """Remember a question of ours that is open, and what was known when we asked it."""
    return replace(context, pending=ask_back, pending_slots=known)


def stopped(context: DialogueContext) -> DialogueContext:
    """Drop the open question."""
    return replace(context, pending=None, pending_slots=())
