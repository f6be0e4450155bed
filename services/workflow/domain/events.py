"""What happens to a run, and what is to be done about it.

Events are history: they are kept, and a later release has to read them. So an event holds what was decided when it
happened (as `retryable`), and nothing that another release might decide otherwise.
"""

from dataclasses import dataclass

from services.workflow.domain.failure import Failure
from services.workflow.domain.outputs import NodeOutput
from services.workflow.domain.states import RunState


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run was accepted and begins."""


@dataclass(frozen=True, slots=True)
class NodeSucceeded:
    """An attempt gave an output."""

    node_id: str
    attempt: int
    output: NodeOutput


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """An attempt failed. `retryable`: another may end differently, and there is a budget for it."""

    node_id: str
    attempt: int
    failure: Failure
    retryable: bool


@dataclass(frozen=True, slots=True)
class RetryDue:
    """The wait before an attempt is over."""

    node_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody called the run off."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class RunTimedOut:
    """The run took longer than it may, or cannot finish in the time that is left."""

    failure: Failure


Event = RunStarted | NodeSucceeded | NodeFailed | RetryDue | CancelRequested | RunTimedOut


@dataclass(frozen=True, slots=True)
class ExecuteNode:
    """Begin an attempt. Attempts count from 1."""

    node_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ScheduleRetry:
    """Report RetryDue for `attempt` after a wait drawn evenly from 0 to `backoff_s`, yet at least `at_least_s`."""

    node_id: str
    attempt: int
    backoff_s: float
    at_least_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CancelNode:
    """Stop the attempt, or the wait before it: nobody wants its outcome any more."""

    node_id: str


@dataclass(frozen=True, slots=True)
class EndRun:
    """The run has ended; always the last command of a run."""

    state: RunState
    failure: Failure | None = None


Command = ExecuteNode | ScheduleRetry | CancelNode | EndRun
