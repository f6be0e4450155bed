"""Runs as they are kept: what was asked, what happened in which order, what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.workflow.domain.advance import PRISTINE, NodeProgress, Progress, step
from services.workflow.domain.definition import Definition
from services.workflow.domain.events import Command, Event, ExecuteNode, NodeSucceeded
from services.workflow.domain.failure import Failure
from services.workflow.domain.outputs import NodeOutput
from services.workflow.domain.states import NodeKind, NodeState, RunState


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to start, by whom. `digest` is that of the request as it came: a repetition has the same.

    `deadline` is in seconds of the engine's monotonic clock, None without one.
    """

    tenant: str
    plant: str
    principal: str
    definition: Definition
    as_of: datetime | None = None
    request_id: str = ""
    digest: bytes = b""
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event and when the host took note of it."""

    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one node."""

    node_id: str
    kind: NodeKind
    state: NodeState = NodeState.UNSPECIFIED
    attempts: int = 0
    output: NodeOutput | None = None
    failure: Failure | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Results are in the order in which nodes ended, those not reached last.

    `request_id` is empty where the run holds none: nobody was answered by a run that its caller left, so a repetition
    of the call does the work. `definition` is None in lists.
    """

    id: str
    tenant: str
    plant: str
    principal: str
    definition: Definition | None
    state: RunState
    as_of: datetime
    created: datetime
    ended: datetime | None = None
    failure: Failure | None = None
    inline: bool = True
    request_id: str = ""
    digest: bytes = b""
    results: tuple[NodeResult, ...] = ()
    history: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: `size` runs with ids before `before`, empty for the newest."""

    size: int
    before: str = ""


@dataclass(slots=True)
class Journal:
    """The history of one run as it grows, with the run's progress and its nodes' times folded along.

    The same for a run under way and for one read again: all but the history follows from it.
    """

    definition: Definition
    progress: Progress = PRISTINE
    history: list[Recorded] = field(default_factory=list)
    outputs: dict[str, NodeOutput] = field(default_factory=dict)
    _started: dict[str, datetime] = field(default_factory=dict)
    _ended: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def replay(cls, definition: Definition, history: Iterable[Recorded]) -> "Journal":
        """Fold a history that was kept."""
        journal = cls(definition)
        for recorded in history:
            journal.note(recorded.event, recorded.at)
        return journal

    def note(self, event: Event, at: datetime) -> tuple[Command, ...]:
        """Take an event and return what is to be done. One that does not apply leaves no trace."""
        before = self.progress
        self.progress, commands = step(self.definition, before, event)
        if self.progress is before:
            return ()
        self.history.append(Recorded(event, at))
        if isinstance(event, NodeSucceeded):
            self.outputs[event.node_id] = event.output
        for command in commands:
            if isinstance(command, ExecuteNode):
                self._started.setdefault(command.node_id, at)
        for node_id, node in self.progress.nodes.items():
            if node.state in _ENDED and node_id not in self._ended:
                self._ended[node_id] = at
        return commands

    def results(self) -> tuple[NodeResult, ...]:
        """Return what became of each node."""
        ended = [self._result(node_id) for node_id in self._ended]
        return (*ended, *(self._result(node_id) for node_id in self.definition.by_id if node_id not in self._ended))

    def _result(self, node_id: str) -> NodeResult:
        node = self.progress.nodes.get(node_id, NodeProgress())
        return NodeResult(
            node_id=node_id,
            kind=self.definition.by_id[node_id].kind,
            state=node.state,
            attempts=node.attempts,
            output=self.outputs.get(node_id),
            failure=node.failure if node.state is NodeState.FAILED else None,
            started=self._started.get(node_id),
            ended=self._ended.get(node_id),
        )


_ENDED = frozenset({NodeState.SUCCEEDED, NodeState.FAILED, NodeState.SKIPPED})
