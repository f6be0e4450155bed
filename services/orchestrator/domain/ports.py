"""What the domain needs, and what those who serve it guarantee. All times are aware and in UTC unless said."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.orchestrator.domain.decision import Conversation, Decision, DecisionFilter, Feedback
from services.orchestrator.domain.figures import RunResult
from services.orchestrator.domain.language import Language
from services.orchestrator.domain.meaning import Classification, DialogueContext
from services.orchestrator.domain.plan import Definition
from services.orchestrator.domain.plant import Catalog


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...


# Gives a new id, sortable by time.
NewId = Callable[[], str]


class Budget(Protocol):
    """Lends time to work that outlives the call it began in."""

    def lend(self, seconds: float) -> AbstractContextManager[None]:
        """Give calls to neighbours inside the block this long, whatever the caller's own deadline."""
        ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the router is asked about. `plant` is a bare id."""

    text: str
    plant: str
    language: Language
    as_of: datetime
    context: DialogueContext


class Router(Protocol):
    """Says what utterances mean."""

    async def classify(self, utterance: Utterance) -> Classification:
        """Classify. Raises services.errors: Unavailable, Overloaded, DeadlineExceeded, NotFound(UNKNOWN_PLANT)."""
        ...


class Workflow(Protocol):
    """Runs plans."""

    async def run(self, plant: str, definition: Definition, as_of: datetime) -> RunResult:
        """Run a read-only definition to its end; a failed run is a result with `error`.

        Raises services.errors where the run could not be started.
        """
        ...


class Catalogs(Protocol):
    """Knows what can be asked of each plant."""

    async def get(self, tenant: str, plant: str, *, max_age: float | None = None) -> Catalog:
        """Return the catalogue, at most `max_age` seconds old; without it as old as the settings allow.

        Raises NotFound(UNKNOWN_PLANT), Unavailable.
        """
        ...


class Store(Protocol):
    """Keeps decisions and conversations of a tenant; each method is one transaction, done when it returns.

    All raise Unavailable while the store is out of reach.
    """

    async def add(self, tenant: str, decision: Decision, conversation: Conversation | None) -> None:
        """Insert a decision and, with it, the conversation's new state.

        A conversation whose stored turn is newer stays as it is. Conversations past their life are forgotten.
        """
        ...

    async def finish(self, tenant: str, decision: Decision, conversation: Conversation | None) -> bool:
        """Replace a decision that is RUNNING. False, with nothing changed, where it has ended or is not there."""
        ...

    async def get(self, tenant: str, decision_id: str) -> Decision | None:
        """Return the decision with its feedback."""
        ...

    async def page(self, tenant: str, wanted: DecisionFilter, before: str, size: int) -> list[Decision]:
        """Return at most `size` decisions with ids below `before` (empty: no bound), newest first."""
        ...

    async def abandoned(self, tenant: str, asked_before: datetime) -> list[Decision]:
        """Return decisions still RUNNING that were asked before that instant, at most 100."""
        ...

    async def add_feedback(self, tenant: str, decision_id: str, feedback: Feedback) -> None:
        """Append feedback to a decision that is there."""
        ...

    async def conversation(self, tenant: str, conversation_id: str) -> Conversation | None:
        """Return the conversation with the ids of its newest decisions, whether expired or not."""
        ...
