"""What an utterance means, in the router's own words. Mirrors `factoryai.router.v1` without importing it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Intent(StrEnum):
    """The fourteen intents (domain.md section 1), plus NONE for "not classified"."""

    NONE = ""
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


INTENTS: tuple[Intent, ...] = tuple(intent for intent in Intent if intent)
CONVERSATION = frozenset({Intent.CONTINUE, Intent.CLARIFY, Intent.STOP, Intent.SYSTEM})


class Route(StrEnum):
    """Where an intent is answered."""

    DATA_LAYER = "DATA_LAYER"
    JUDGMENT_ENGINE = "JUDGMENT_ENGINE"
    RULE_ENGINE = "RULE_ENGINE"
    BI_GUIDE = "BI_GUIDE"
    WORKFLOW_GUIDE = "WORKFLOW_GUIDE"
    CONTEXT_DEPENDENT = "CONTEXT_DEPENDENT"
    ASK_BACK = "ASK_BACK"
    DIRECT_RESPONSE = "DIRECT_RESPONSE"


class Source(StrEnum):
    """Which tier decided."""

    DIALOGUE = "DIALOGUE"
    RULE = "RULE"


class Origin(StrEnum):
    """Where a slot comes from."""

    STATED = "STATED"
    INHERITED = "INHERITED"
    DEFAULT = "DEFAULT"


class Comparator(StrEnum):
    """How a value is compared; the value is the sign that normal forms use."""

    NONE = ""
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "="


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages of the product."""

    ko: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in `ko` or, for anything else, `en`; the other one where that is empty."""
        return (self.ko or self.en) if language == "ko" else (self.en or self.ko)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period: start <= t < end, both aware. `text` is what it was read from, empty for a default."""

    start: datetime
    end: datetime
    label: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """`metric comparator value`, or a change of it (`relative`). Percent is a fraction, `unit` stands as said."""

    metric: str = ""
    comparator: Comparator = Comparator.NONE
    value: float | None = None
    unit: str = ""
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """One piece of meaning. `start` and `end` are character offsets of `text` in the normalised utterance.

    Of `display`, `window`, `condition` and `number` at most one is set: that of a target, period, condition, top_n.
    """

    name: str
    value: str
    text: str = ""
    start: int = 0
    end: int = 0
    confidence: float = 1.0
    origin: Origin = Origin.STATED
    display: Text | None = None
    window: Window | None = None
    condition: Condition | None = None
    number: int | None = None

    def inherited(self) -> "Slot":
        """Return it as a slot that the conversation brought, without the words of an earlier utterance."""
        return replace(self, origin=Origin.INHERITED, text="", start=0, end=0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent and how sure, 0 to 1."""

    intent: Intent
    confidence: float


@dataclass(frozen=True, slots=True)
class Option:
    """A way to answer a question that was asked back: its normal form and what the person sees."""

    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class AskBack:
    """A question back. `intent` is what the answer completes, NONE where the intent itself is asked for."""

    question: str
    missing: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    intent: Intent = Intent.NONE


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What went before: the last answered intent and its slots, and the question that is open, if any."""

    last_intent: Intent = Intent.NONE
    last_slots: tuple[Slot, ...] = ()
    pending: AskBack | None = None
    pending_slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One utterance to classify. `language` ("ko", "en" or "") is that of questions back; `as_of` is aware."""

    utterance: str
    as_of: datetime
    language: str = ""
    dialogue: Dialogue = Dialogue()


@dataclass(frozen=True, slots=True)
class Classification:
    """What the utterance means."""

    intent: Intent
    confidence: float
    route: Route
    language: str
    source: Source
    slots: tuple[Slot, ...] = ()
    secondary: tuple[Candidate, ...] = ()
    ranking: tuple[Candidate, ...] = ()
    ask_back: AskBack | None = None
    legacy: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
