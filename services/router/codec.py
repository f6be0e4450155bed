"""Protobuf to domain and back, both ways total: no I/O."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from factoryai.data.v1 import metric_pb2, plant_pb2
from factoryai.router.v1 import intent_pb2, router_service_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.router.domain.catalogue import Better, Catalogue, Entry, Metric, Shift
from services.router.domain.model import (
    INTENTS,
    AskBack,
    Candidate,
    Classification,
    Comparator,
    Condition,
    Dialogue,
    Intent,
    Option,
    Origin,
    Question,
    Route,
    Slot,
    Source,
    Text,
    Window,
)

_INTENTS = {intent: intent_pb2.Intent.Value(f"INTENT_{intent.value}") for intent in INTENTS}
_INTENT_OF = {number: intent for intent, number in _INTENTS.items()}
_ROUTES = {route: intent_pb2.RouteTarget.Value(f"ROUTE_TARGET_{route.value}") for route in Route}
_SOURCES = {s: intent_pb2.ClassificationSource.Value(f"CLASSIFICATION_SOURCE_{s.value}") for s in Source}
_ORIGINS = {origin: intent_pb2.SlotOrigin.Value(f"SLOT_ORIGIN_{origin.value}") for origin in Origin}
_ORIGIN_OF = {number: origin for origin, number in _ORIGINS.items()}
_COMPARATORS = {c: intent_pb2.Comparator.Value(f"COMPARATOR_{c.name}") for c in Comparator if c}
_COMPARATOR_OF = {number: comparator for comparator, number in _COMPARATORS.items()}
_BETTER = {metric_pb2.DIRECTION_HIGHER_IS_BETTER: Better.HIGHER, metric_pb2.DIRECTION_LOWER_IS_BETTER: Better.LOWER}


def decode_plant(name: str) -> str:
    """`plants/sample` or `sample` -> `sample`."""
    return name.removeprefix("plants/")


def decode_question(request: router_service_pb2.ClassifyRequest, now: datetime, language: str) -> Question:
    """Return the question. `now` and `language`, the caller's, stand in for what the request leaves out."""
    return Question(
        utterance=request.utterance,
        as_of=_instant(request.as_of) if request.HasField("as_of") else now,
        language=request.language or language,
        dialogue=decode_dialogue(request.context),
    )


def decode_dialogue(context: intent_pb2.DialogueContext) -> Dialogue:
    """Return what went before; an absent message is nothing."""
    return Dialogue(
        last_intent=_INTENT_OF.get(context.last_intent, Intent.NONE),
        last_slots=_slots(context.last_slots),
        pending=_ask_back(context.pending) if context.HasField("pending") else None,
        pending_slots=_slots(context.pending_slots),
    )


def encode_classification(found: Classification) -> intent_pb2.Classification:
    """Write the meaning."""
    return intent_pb2.Classification(
        intent=_INTENTS[found.intent],
        confidence=found.confidence,
        route_target=_ROUTES[found.route],
        slots=[_encode_slot(slot) for slot in found.slots],
        secondary_intents=[_encode_candidate(each) for each in found.secondary],
        ask_back=_encode_ask_back(found.ask_back) if found.ask_back else None,
        source=_SOURCES[found.source],
        legacy_intents=found.legacy,
        language=found.language,
        ranking=[_encode_candidate(each) for each in found.ranking],
        cues=found.cues,
    )


def decode_catalogue(catalog: plant_pb2.Catalog) -> Catalogue:
    """Return what the router uses of a plant's catalogue."""
    return Catalogue(
        plant=decode_plant(catalog.plant.name),
        version=catalog.version,
        time_zone=catalog.plant.time_zone,
        metrics=tuple(
            Metric(
                metric.id,
                _text(metric.display_name),
                tuple(metric.aliases),
                _BETTER.get(metric.direction, Better.NEITHER),
                frozenset(target_pb2.Dimension.Name(d).removeprefix("DIMENSION_").lower() for d in metric.dimensions),
            )
            for metric in catalog.metrics
        ),
        targets=tuple(
            Entry(each.target.name, _text(each.target.display_name), tuple(each.aliases), each.parent)
            for each in catalog.targets
        ),
        shifts=tuple(
            Shift(
                shift.id,
                _text(shift.display_name),
                time.fromisoformat(shift.start),
                time.fromisoformat(shift.end),
                tuple(shift.aliases),
            )
            for shift in catalog.plant.shifts
        ),
    )


def _slots(slots: Iterable[intent_pb2.Slot]) -> tuple[Slot, ...]:
    return tuple(_slot(slot) for slot in slots)


def _slot(slot: intent_pb2.Slot) -> Slot:
    detail = slot.WhichOneof("detail")
    return Slot(
        name=slot.name,
        value=slot.value,
        text=slot.text,
        start=slot.start,
        end=slot.end,
        confidence=slot.confidence,
        origin=_ORIGIN_OF.get(slot.origin, Origin.STATED),
        display=_text(slot.target.display_name) if detail == "target" else None,
        window=_window(slot.window) if detail == "window" else None,
        condition=_condition(slot.condition) if detail == "condition" else None,
        number=slot.number if detail == "number" else None,
    )


def _encode_slot(slot: Slot) -> intent_pb2.Slot:
    message = intent_pb2.Slot(
        name=slot.name,
        value=slot.value,
        text=slot.text,
        start=slot.start,
        end=slot.end,
        confidence=slot.confidence,
        origin=_ORIGINS[slot.origin],
    )
    if slot.name == "target":
        display = _encode_text(slot.display) if slot.display else None
        message.target.CopyFrom(target_pb2.Target(name=slot.value, display_name=display))
    elif slot.window is not None:
        message.window.CopyFrom(
            time_window_pb2.TimeWindow(
                start_time=_stamp(slot.window.start),
                end_time=_stamp(slot.window.end),
                label=slot.window.label,
                text=slot.window.text,
            )
        )
    elif slot.name == "condition":
        message.condition.CopyFrom(_encode_condition(slot.condition or Condition()))
    elif slot.number is not None:
        message.number = slot.number
    return message


def _window(window: time_window_pb2.TimeWindow) -> Window:
    return Window(_instant(window.start_time), _instant(window.end_time), window.label, window.text)


def _condition(condition: intent_pb2.Condition) -> Condition:
    return Condition(
        condition.metric,
        _COMPARATOR_OF.get(condition.comparator, Comparator.NONE),
        condition.value if condition.HasField("value") else None,
        condition.unit,
        condition.relative,
    )


def _encode_condition(condition: Condition) -> intent_pb2.Condition:
    return intent_pb2.Condition(
        metric=condition.metric,
        comparator=_COMPARATORS.get(condition.comparator, intent_pb2.COMPARATOR_UNSPECIFIED),
        value=condition.value,
        unit=condition.unit,
        relative=condition.relative,
    )


def _ask_back(message: intent_pb2.AskBack) -> AskBack:
    return AskBack(
        message.question,
        tuple(message.missing_slots),
        tuple(Option(option.value, _text(option.label)) for option in message.options),
        _INTENT_OF.get(message.intent, Intent.NONE),
    )


def _encode_ask_back(ask_back: AskBack) -> intent_pb2.AskBack:
    return intent_pb2.AskBack(
        question=ask_back.question,
        missing_slots=ask_back.missing,
        options=[
            intent_pb2.AskBackOption(value=option.value, label=_encode_text(option.label))
            for option in ask_back.options
        ],
        intent=_INTENTS.get(ask_back.intent, intent_pb2.INTENT_UNSPECIFIED),
    )


def _encode_candidate(candidate: Candidate) -> intent_pb2.SecondaryIntent:
    return intent_pb2.SecondaryIntent(intent=_INTENTS[candidate.intent], confidence=candidate.confidence)


def _text(message: target_pb2.LocalizedText) -> Text:
    return Text(message.ko, message.en)


def _encode_text(text: Text) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=text.ko, en=text.en)


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def _stamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
