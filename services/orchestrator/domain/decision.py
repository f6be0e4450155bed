"""A question and everything that became of it; the conversation it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.errors import FactoryError
from services.orchestrator.domain.figures import Evidence, Freshness, ProposedAction, Severity, Table
from services.orchestrator.domain.language import Language
from services.orchestrator.domain.meaning import AskBack, Classification, DialogueContext, Intent
from services.orchestrator.domain.plan import Plan

CONVERSATION_LIFE: Final = timedelta(hours=24)
CONVERSATION_DECISIONS: Final = 20


class State(StrEnum):
    """Where a decision stands."""

    UNSPECIFIED = "UNSPECIFIED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class ChartType(StrEnum):
    """How to draw a table."""

    UNSPECIFIED = "UNSPECIFIED"
    LINE = "LINE"
    BAR = "BAR"
    KPI = "KPI"


class Thumb(StrEnum):
    """Up or down."""

    UNSPECIFIED = "UNSPECIFIED"
    UP = "UP"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Chart:
    """How to draw the answer's table: column ids and a heading in the answer's language."""

    type: ChartType
    x: str
    y: tuple[str, ...]
    title: str
    series: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person gets; every number in `text` stands in `evidence`."""

    text: str
    language: Language
    severity: Severity = Severity.UNSPECIFIED
    degraded: bool = False
    freshness: Freshness | None = None
    table: Table | None = None
    chart: Chart | None = None
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[ProposedAction, ...] = ()
    ask_back: AskBack | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person thought of an answer; `rating` 0 means not given."""

    thumb: Thumb
    rating: int
    comment: str
    corrected_intent: Intent
    principal: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """A question and everything that became of it. `plant` and `conversation` are bare ids.

    `catalog_version` is the version of the catalogue it was grounded in: part of the passport's seed, kept beside the
    message.
    """

    id: str
    state: State
    question: str
    plant: str
    conversation: str
    language: Language
    as_of: datetime
    principal: str
    request_id: str
    create_time: datetime
    classification: Classification | None = None
    plan: Plan | None = None
    answer: Answer | None = None
    run: str = ""
    error: FactoryError | None = None
    end_time: datetime | None = None
    feedback: tuple[Feedback, ...] = ()
    catalog_version: str = ""

    @property
    def name(self) -> str:
        """Return the resource name."""
        return f"decisions/{self.id}"

    @property
    def intent(self) -> Intent:
        """Return what was asked, UNSPECIFIED before that is known."""
        return self.classification.intent if self.classification else Intent.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is remembered of a conversation. `decisions` are ids, newest first, at most 20; filled on reading."""

    id: str
    plant: str
    language: str
    context: DialogueContext
    update_time: datetime
    decisions: tuple[str, ...] = ()

    def expired(self, now: datetime) -> bool:
        """Say whether its last turn is longer than 24 h ago."""
        return self.update_time <= now - CONVERSATION_LIFE


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions; empty and None hold for all. `start` and `end` bound the time of asking, half-open."""

    plant: str = ""
    state: State = State.UNSPECIFIED
    intent: Intent = Intent.UNSPECIFIED
    conversation: str = ""
    start: datetime | None = None
    end: datetime | None = None
