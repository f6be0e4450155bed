"""The core: what a run does next. Pure and total: no clock, no chance, no I/O, an answer for every event.

`advance(definition, history, event)` is the contract. `step` is the same with the history already folded into a
`Progress`, for hosts that keep one. An event that does not apply (late, repeated, of another attempt, after the
end) gives no command and leaves the progress as it is, the very same object: hosts do not record it.

Rules: a node begins when every predecessor has ended and at least one edge to it was taken; it is SKIPPED when all
have ended and none was. So a join waits for all predecessors that are not skipped. A node that fails for good ends
the run, and what is under way is called off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from services.errors import Reason
from services.workflow.domain.definition import Definition, RetryPolicy
from services.workflow.domain.events import (
    CancelNode,
    CancelRequested,
    Command,
    EndRun,
    Event,
    ExecuteNode,
    NodeFailed,
    NodeSucceeded,
    RetryDue,
    RunStarted,
    RunTimedOut,
    ScheduleRetry,
)
from services.workflow.domain.failure import Failure
from services.workflow.domain.outputs import SwitchOutput
from services.workflow.domain.states import NodeState, RunState

MAX_BACKOFF_S: Final = 30.0

_UNDER_WAY: Final = frozenset({NodeState.RUNNING, NodeState.RETRYING})
_STUCK: Final = Failure("INTERNAL", Reason.INVALID_DEFINITION, "no node can begin: the definition is not a valid graph")


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """Where a node stands. `attempts` counts those begun; `labels` are those a SWITCH took."""

    state: NodeState = NodeState.UNSPECIFIED
    attempts: int = 0
    labels: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; nodes that are not in `nodes` have not been reached."""

    state: RunState = RunState.PENDING
    nodes: Mapping[str, NodeProgress] = field(default_factory=dict)
    failure: Failure | None = None


PRISTINE: Final = Progress()
_UNREACHED: Final = NodeProgress()

Step = tuple[Progress, tuple[Command, ...]]


def advance(definition: Definition, history: Iterable[Event], event: Event) -> tuple[Command, ...]:
    """Say what is to be done about `event`, after all that happened before."""
    return step(definition, fold(definition, history), event)[1]


def fold(definition: Definition, history: Iterable[Event]) -> Progress:
    """Say where a run stands after its history."""
    progress = PRISTINE
    for event in history:
        progress, _ = step(definition, progress, event)
    return progress


def step(definition: Definition, progress: Progress, event: Event) -> Step:
    """Take one event: where the run stands now, and what is to be done."""
    begins = isinstance(event, RunStarted)
    if progress.state is not (RunState.PENDING if begins else RunState.RUNNING):
        return progress, ()
    match event:
        case RunStarted():
            taken = _start(definition)
        case NodeSucceeded():
            taken = _succeeded(definition, progress, event)
        case NodeFailed():
            taken = _failed(definition, progress, event)
        case RetryDue():
            taken = _due(progress, event)
        case CancelRequested(failure):
            taken = _end(definition, progress, RunState.CANCELLED, failure)
        case RunTimedOut(failure):
            taken = _end(definition, progress, RunState.TIMED_OUT, failure)
    return taken


def backoff_s(policy: RetryPolicy, attempt: int) -> float:
    """Return the longest wait in seconds after a failed attempt: doubled each time, at most 30 s."""
    return float(min(MAX_BACKOFF_S, policy.initial_backoff_s * 2 ** (attempt - 1)))


def _start(definition: Definition) -> Step:
    starts = [node.id for node in definition.nodes if not definition.incoming[node.id]]
    nodes = {node_id: NodeProgress(NodeState.RUNNING, attempts=1) for node_id in starts}
    progress = Progress(RunState.RUNNING, nodes)
    if not starts:
        return _end(definition, progress, RunState.FAILED, _STUCK)
    return progress, tuple(ExecuteNode(node_id, 1) for node_id in starts)


def _succeeded(definition: Definition, progress: Progress, event: NodeSucceeded) -> Step:
    node = _running(progress, event.node_id, event.attempt)
    if node is None:
        return progress, ()
    labels = event.output.labels if isinstance(event.output, SwitchOutput) else ()
    nodes = {**progress.nodes, event.node_id: replace(node, state=NodeState.SUCCEEDED, labels=labels)}
    commands = _reach(definition, nodes, event.node_id)
    progress = replace(progress, nodes=nodes)
    if any(each.state in _UNDER_WAY for each in nodes.values()):
        return progress, commands
    if len(nodes) < len(definition.by_id):
        return _end(definition, progress, RunState.FAILED, _STUCK)
    return _end(definition, progress, RunState.SUCCEEDED, None)


def _failed(definition: Definition, progress: Progress, event: NodeFailed) -> Step:
    node = _running(progress, event.node_id, event.attempt)
    if node is None:
        return progress, ()
    policy = definition.by_id[event.node_id].retry
    again = event.retryable and event.attempt < policy.max_attempts
    state = NodeState.RETRYING if again else NodeState.FAILED
    nodes = {**progress.nodes, event.node_id: replace(node, state=state, failure=event.failure)}
    progress = replace(progress, nodes=nodes)
    if not again:
        return _end(definition, progress, RunState.FAILED, event.failure)
    at_least = min(MAX_BACKOFF_S, event.failure.retry_after or 0.0)
    return progress, (ScheduleRetry(event.node_id, event.attempt + 1, backoff_s(policy, event.attempt), at_least),)


def _due(progress: Progress, event: RetryDue) -> Step:
    node = progress.nodes.get(event.node_id, _UNREACHED)
    if node.state is not NodeState.RETRYING or event.attempt != node.attempts + 1:
        return progress, ()
    begun = NodeProgress(NodeState.RUNNING, event.attempt)
    return replace(progress, nodes={**progress.nodes, event.node_id: begun}), (
        ExecuteNode(event.node_id, event.attempt),
    )


def _running(progress: Progress, node_id: str, attempt: int) -> NodeProgress | None:
    """Return the node if this very attempt is under way: anything else is late, repeated or foreign."""
    node = progress.nodes.get(node_id, _UNREACHED)
    return node if node.state is NodeState.RUNNING and node.attempts == attempt else None


class _Outlook(Enum):
    WAITS = auto()
    BEGINS = auto()
    SKIPPED = auto()


def _reach(definition: Definition, nodes: dict[str, NodeProgress], ended: str) -> tuple[Command, ...]:
    """Begin or skip what waited for `ended`, entering both into `nodes`. Commands are in the definition's order."""
    begun: set[str] = set()
    reached = [ended]
    while reached:
        for edge in definition.outgoing[reached.pop()]:
            if edge.target in nodes:
                continue
            outlook = _outlook(definition, nodes, edge.target)
            if outlook is _Outlook.BEGINS:
                nodes[edge.target] = NodeProgress(NodeState.RUNNING, attempts=1)
                begun.add(edge.target)
            elif outlook is _Outlook.SKIPPED:
                nodes[edge.target] = NodeProgress(NodeState.SKIPPED)
                reached.append(edge.target)
    return tuple(ExecuteNode(node_id, 1) for node_id in definition.by_id if node_id in begun)


def _outlook(definition: Definition, nodes: Mapping[str, NodeProgress], node_id: str) -> _Outlook:
    taken = False
    for edge in definition.incoming[node_id]:
        source = nodes.get(edge.source, _UNREACHED)
        if source.state is NodeState.SUCCEEDED:
            taken = taken or not edge.when or edge.when in source.labels
        elif source.state is not NodeState.SKIPPED:
            return _Outlook.WAITS
    return _Outlook.BEGINS if taken else _Outlook.SKIPPED


def _end(definition: Definition, progress: Progress, state: RunState, failure: Failure | None) -> Step:
    """End the run. What is under way fails with it; what was not reached stays so."""
    nodes = dict(progress.nodes)
    commands: list[Command] = []
    for node_id in definition.by_id:
        node = nodes.get(node_id, _UNREACHED)
        if node.state in _UNDER_WAY:
            called_off = _called_off(state, failure)
            nodes[node_id] = replace(node, state=NodeState.FAILED, failure=node.failure or called_off)
            commands.append(CancelNode(node_id))
    return Progress(state, nodes, failure), (*commands, EndRun(state, failure))


def _called_off(state: RunState, failure: Failure | None) -> Failure:
    if failure is not None and state in {RunState.CANCELLED, RunState.TIMED_OUT}:
        return failure
    return Failure("CANCELLED", Reason.CANCELLED, "called off: the run had failed elsewhere")
