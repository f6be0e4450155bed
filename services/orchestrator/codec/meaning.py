"""What the router says, and what it is told."""

from collections.abc import Iterable

from factoryai.router.v1 import intent_pb2, router_service_pb2

from services.orchestrator.codec import enums, values
from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.meaning import (
    AskBack,
    AskBackOption,
    Candidate,
    Classification,
    Condition,
    DialogueContext,
    Slot,
)
from services.orchestrator.domain.ports import Utterance


def classify_request(utterance: Utterance) -> router_service_pb2.ClassifyRequest:
    """Write the question to the router."""
    return router_service_pb2.ClassifyRequest(
        utterance=utterance.text,
        plant=utterance.plant,
        language=utterance.language,
        as_of=values.stamp(utterance.as_of),
        context=encode_context(utterance.context),
    )


def classification(message: intent_pb2.Classification) -> Classification:
    """Read a meaning."""
    return Classification(
        intent=enums.INTENT.decode(message.intent),
        confidence=message.confidence,
        route=enums.ROUTE.decode(message.route_target),
        slots=_slots(message.slots),
        secondary=tuple(_candidate(each) for each in message.secondary_intents),
        ask_back=ask_back(message.ask_back) if message.HasField("ask_back") else None,
        source=enums.SOURCE.decode(message.source),
        legacy_intents=tuple(message.legacy_intents),
        language=message.language,
        ranking=tuple(_candidate(each) for each in message.ranking),
        cues=tuple(message.cues),
    )


def encode_classification(domain: Classification) -> intent_pb2.Classification:
    """Write a meaning."""
    return intent_pb2.Classification(
        intent=enums.INTENT.encode(domain.intent),
        confidence=domain.confidence,
        route_target=enums.ROUTE.encode(domain.route),
        slots=[_encode_slot(slot) for slot in domain.slots],
        secondary_intents=[_encode_candidate(each) for each in domain.secondary],
        ask_back=encode_ask_back(domain.ask_back) if domain.ask_back else None,
        source=enums.SOURCE.encode(domain.source),
        legacy_intents=domain.legacy_intents,
        language=domain.language,
        ranking=[_encode_candidate(each) for each in domain.ranking],
        cues=domain.cues,
    )


def context(message: intent_pb2.DialogueContext) -> DialogueContext:
    """Read what went before."""
    return DialogueContext(
        last_intent=enums.INTENT.decode(message.last_intent),
        last_slots=_slots(message.last_slots),
        pending=ask_back(message.pending) if message.HasField("pending") else None,
        pending_slots=_slots(message.pending_slots),
    )


def encode_context(domain: DialogueContext) -> intent_pb2.DialogueContext:
    """Write what went before."""
    return intent_pb2.DialogueContext(
        last_intent=enums.INTENT.encode(domain.last_intent),
        last_slots=[_encode_slot(slot) for slot in domain.last_slots],
        pending=encode_ask_back(domain.pending) if domain.pending else None,
        pending_slots=[_encode_slot(slot) for slot in domain.pending_slots],
    )


def ask_back(message: intent_pb2.AskBack) -> AskBack:
    """Read a question back."""
    options = tuple(AskBackOption(each.value, Localized(each.label.ko, each.label.en)) for each in message.options)
    return AskBack(message.question, tuple(message.missing_slots), options, enums.INTENT.decode(message.intent))


def encode_ask_back(domain: AskBack) -> intent_pb2.AskBack:
    """Write a question back."""
    return intent_pb2.AskBack(
        question=domain.question,
        missing_slots=domain.missing_slots,
        options=[
            intent_pb2.AskBackOption(value=each.value, label=values.encode_text(each.label)) for each in domain.options
        ],
        intent=enums.INTENT.encode(domain.intent),
    )


def _slots(messages: Iterable[intent_pb2.Slot]) -> tuple[Slot, ...]:
    return tuple(_slot(each) for each in messages)


def _slot(message: intent_pb2.Slot) -> Slot:
    detail = message.WhichOneof("detail")
    return Slot(
        name=message.name,
        value=message.value,
        text=message.text,
        start=message.start,
        end=message.end,
        confidence=message.confidence,
        origin=enums.ORIGIN.decode(message.origin),
        target=values.target(message.target) if detail == "target" else None,
        window=values.window(message.window) if detail == "window" else None,
        condition=_condition(message.condition) if detail == "condition" else None,
        number=message.number if detail == "number" else None,
    )


def _encode_slot(domain: Slot) -> intent_pb2.Slot:
    slot = intent_pb2.Slot(
        name=domain.name,
        value=domain.value,
        text=domain.text,
        start=domain.start,
        end=domain.end,
        confidence=domain.confidence,
        origin=enums.ORIGIN.encode(domain.origin),
        target=values.encode_target(domain.target) if domain.target else None,
        window=values.encode_window(domain.window) if domain.window else None,
        condition=_encode_condition(domain.condition) if domain.condition else None,
    )
    if domain.number is not None:
        slot.number = domain.number
    return slot


def _condition(message: intent_pb2.Condition) -> Condition:
    return Condition(
        message.metric,
        enums.COMPARATOR.decode(message.comparator),
        message.value if message.HasField("value") else None,
        message.unit,
        message.relative,
    )


def _encode_condition(domain: Condition) -> intent_pb2.Condition:
    return intent_pb2.Condition(
        metric=domain.metric,
        comparator=enums.COMPARATOR.encode(domain.comparator),
        value=domain.value,
        unit=domain.unit,
        relative=domain.relative,
    )


def _candidate(message: intent_pb2.SecondaryIntent) -> Candidate:
    return Candidate(enums.INTENT.decode(message.intent), message.confidence)


def _encode_candidate(domain: Candidate) -> intent_pb2.SecondaryIntent:
    return intent_pb2.SecondaryIntent(intent=enums.INTENT.encode(domain.intent), confidence=domain.confidence)
