"""What the engine needs from outside, with the guarantees that it relies on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.workflow.domain.definition import RuleSetRef
from services.workflow.domain.figures import Query, Scalar, Text
from services.workflow.domain.outputs import DataOutput, JudgmentOutput
from services.workflow.domain.runs import Page, Run
from services.workflow.domain.states import RunState, Severity


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        ...


class DataReader(Protocol):
    """The data layer. Reads without effect. Raises `services.errors` only."""

    async def query(self, plant: str, query: Query, as_of: datetime) -> DataOutput:
        """Answer a question as seen from `as_of`."""
        ...


class Judge(Protocol):
    """The judgment engine. Raises `services.errors` only."""

    async def judge(self, plant: str, task: bytes, data: DataOutput, key: str) -> JudgmentOutput:
        """Judge figures by a task (its whole message). The same `key` again gives the same judgment."""
        ...


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case for a rule set; a value that is missing is unknown, not 0."""

    key: str
    values: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that fired."""

    rule: str
    severity: Severity
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What the rules say of one case."""

    key: str
    severity: Severity
    matches: tuple[RuleMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What a rule set says of all cases, in their order. `version` reads `ruleSets/x@3:digest`."""

    outcomes: tuple[RuleOutcome, ...]
    version: str


class RuleEvaluator(Protocol):
    """The rule engine. Reads without effect. Raises `services.errors` only."""

    async def evaluate(self, rule_set: RuleSetRef, cases: Sequence[RuleCase]) -> RuleVerdict:
        """Evaluate 1 to 10,000 cases in one call."""
        ...


class RunStore(Protocol):
    """Runs of all tenants; a method sees those of the tenant it names.

    Raises Unavailable when the store is out of reach; then nothing of the call has been written, or all of it.
    """

    async def add(self, run: Run) -> Run:
        """Keep a run that has ended, with all it left, in one transaction; durable when this returns.

        Returns the run; or, where another run holds its request id, that one (whatever its digest).
        """
        ...

    async def by_request(self, tenant: str, request_id: str) -> Run | None:
        """Return the run that holds a request id."""
        ...

    async def get(self, tenant: str, run_id: str) -> Run | None:
        """Return a run, its definition, results and history."""
        ...

    async def list(self, tenant: str, page: Page, state: RunState | None) -> Sequence[Run]:
        """Return runs before `page.before`, newest first, without definitions, results and histories."""
        ...


class RunObserver(Protocol):
    """Hears of runs, for metrics and log. Neither raises nor waits."""

    def began(self) -> None:
        """Note that a run is under way."""
        ...

    def ended(self, run: Run) -> None:
        """Note that it has ended and is recorded."""
        ...

    def lost(self, run_id: str, error: Exception) -> None:
        """Note that it ended without a record: its caller is gone, or is told so."""
        ...
