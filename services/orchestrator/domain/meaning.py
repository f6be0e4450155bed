"""What an utterance means, as the router says it, and what the next one may lean on."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.orchestrator.domain.language import NO_TEXT, Localized


class Intent(StrEnum):
    """The fourteen intents."""

    UNSPECIFIED = "UNSPECIFIED"
    CHECK = "CHECK"
    TREND = "TREND"
    COMPARE = "COMPARE"
    RANK = "RANK"
    FIND_CAUSE = "FIND_CAUSE"
    DETECT_ANOMALY = "DETECT_ANOMALY"
    PREDICT = "PREDICT"
    WHAT_IF = "WHAT_IF"
    REPORT = "REPORT"
    NOTIFY = "NOTIFY"
    CONTINUE = "CONTINUE"
    CLARIFY = "CLARIFY"
    STOP = "STOP"
    SYSTEM = "SYSTEM"


SERVED = frozenset({Intent.CHECK, Intent.TREND, Intent.COMPARE, Intent.RANK})
CONVERSATION = frozenset({Intent.CONTINUE, Intent.CLARIFY, Intent.STOP, Intent.SYSTEM})


class Route(StrEnum):
    """Where an intent is answered."""

    UNSPECIFIED = "UNSPECIFIED"
    DATA_LAYER = "DATA_LAYER"
    JUDGMENT_ENGINE = "JUDGMENT_ENGINE"
    RULE_ENGINE = "RULE_ENGINE"
    BI_GUIDE = "BI_GUIDE"
    WORKFLOW_GUIDE = "WORKFLOW_GUIDE"
    CONTEXT_DEPENDENT = "CONTEXT_DEPENDENT"
    ASK_BACK = "ASK_BACK"
    DIRECT_RESPONSE = "DIRECT_RESPONSE"


class SlotOrigin(StrEnum):
    """Where a slot comes from."""

    UNSPECIFIED = "UNSPECIFIED"
    STATED = "STATED"
    INHERITED = "INHERITED"
    DEFAULT = "DEFAULT"


class Source(StrEnum):
    """Which tier of the router decided."""

    UNSPECIFIED = "UNSPECIFIED"
    DIALOGUE = "DIALOGUE"
    RULE = "RULE"
    CACHE = "CACHE"
    EMBEDDED_MODEL = "EMBEDDED_MODEL"
    LANGUAGE_MODEL = "LANGUAGE_MODEL"


class Comparator(StrEnum):
    """How a value is compared."""

    UNSPECIFIED = "UNSPECIFIED"
    LT = "LT"
    LE = "LE"
    GT = "GT"
    GE = "GE"
    EQ = "EQ"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period, aware. `label` is its short name (`last_week`) or ISO dates, `text` the words behind it."""

    start: datetime
    end: datetime
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing in the plant: `name` is `kind:id`."""

    name: str
    display: Localized = NO_TEXT

    @property
    def kind(self) -> str:
        """Return `line` of `line:L03`."""
        return self.name.partition(":")[0]

    @property
    def id(self) -> str:
        """Return `L03` of `line:L03`."""
        return self.name.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Condition:
    """`metric comparator value`, or a relative change."""

    metric: str = ""
    comparator: Comparator = Comparator.UNSPECIFIED
    value: float | None = None
    unit: str = ""
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """One piece of meaning; at most one typed detail is set. `start` and `end` count characters of the utterance."""

    name: str
    value: str
    text: str = ""
    start: int = 0
    end: int = 0
    confidence: float = 1.0
    origin: SlotOrigin = SlotOrigin.STATED
    target: Target | None = None
    window: Window | None = None
    condition: Condition | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent and how sure it is, 0 to 1."""

    intent: Intent
    confidence: float


@dataclass(frozen=True, slots=True)
class AskBackOption:
    """A way to answer a question that was asked back."""

    value: str
    label: Localized


@dataclass(frozen=True, slots=True)
class AskBack:
    """A question back; `intent` is what its answer completes, UNSPECIFIED where the intent itself is asked for."""

    question: str
    missing_slots: tuple[str, ...] = ()
    options: tuple[AskBackOption, ...] = ()
    intent: Intent = Intent.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Classification:
    """What an utterance means."""

    intent: Intent
    confidence: float = 1.0
    route: Route = Route.UNSPECIFIED
    slots: tuple[Slot, ...] = ()
    secondary: tuple[Candidate, ...] = ()
    ask_back: AskBack | None = None
    source: Source = Source.UNSPECIFIED
    legacy_intents: tuple[str, ...] = ()
    language: str = ""
    ranking: tuple[Candidate, ...] = ()
    cues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DialogueContext:
    """What went before, as far as the next utterance depends on it."""

    last_intent: Intent = Intent.UNSPECIFIED
    last_slots: tuple[Slot, ...] = ()
    pending: AskBack | None = None
    pending_slots: tuple[Slot, ...] = field(default=())


def slots_named(slots: tuple[Slot, ...], name: str) -> tuple[Slot, ...]:
    """Return the slots of one name, in order."""
    return tuple(slot for slot in slots if slot.name == name)


def first_value(slots: tuple[Slot, ...], name: str) -> str:
    """Return the value of the first slot of that name, empty where there is none."""
    return next((slot.value for slot in slots if slot.name == name), "")
