"""Drives the core by a seed: a random graph, random outcomes, a virtual clock, and events that come late or twice."""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from services.errors import Reason
from services.workflow.domain.advance import MAX_BACKOFF_S, PRISTINE, Progress, step
from services.workflow.domain.definition import (
    Definition,
    Edge,
    Node,
    RetryPolicy,
    SwitchCase,
    SwitchConfig,
)
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
from services.workflow.domain.outputs import CodeOutput, SwitchOutput
from services.workflow.domain.states import NodeKind, NodeState, RunState

DOWN = Failure("UNAVAILABLE", Reason.DEPENDENCY_UNAVAILABLE, "down")
LABELS = ("a", "b", "c")


def graph(chance: random.Random) -> Definition:
    """Make a valid graph: one start, no cycle, branches at SWITCH nodes."""
    count = chance.randint(1, 12)
    kinds = [NodeKind.DATA, *(chance.choice((NodeKind.CODE, NodeKind.SWITCH)) for _ in range(count - 1))]
    edges: dict[tuple[int, int], Edge] = {}
    for target in range(1, count):
        for source in chance.sample(range(target), min(target, chance.choice((1, 1, 1, 2, 3)))):
            branches = kinds[source] is NodeKind.SWITCH and chance.random() < 0.8
            label = chance.choice(LABELS) if branches else ""
            edges[source, target] = Edge(f"n{source}", f"n{target}", label)
    retry = RetryPolicy(chance.randint(1, 4), chance.choice((0.1, 1.0, 20.0)))
    nodes = [
        Node(
            f"n{i}",
            kind,
            SwitchConfig("n0", tuple(map(SwitchCase, LABELS))) if kind is NodeKind.SWITCH else None,
            retry,
        )
        for i, kind in enumerate(kinds)
    ]
    shuffled = list(edges.values())
    chance.shuffle(shuffled)
    chance.shuffle(nodes)
    return Definition("simulated", 1, tuple(nodes), tuple(shuffled))


@dataclass
class Simulation:
    """One run by one seed. `check` holds it to the invariants while it goes."""

    seed: int
    definition: Definition = field(init=False)
    progress: Progress = PRISTINE
    history: list[Event] = field(default_factory=list)
    decided: list[tuple[Command, ...]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - a seed is the point
        self.definition = graph(self._chance)
        self._queue: list[tuple[float, int, Event]] = []
        self._count = 0
        self._executed: Counter[tuple[str, int]] = Counter()
        self._called_off: set[str] = set()
        # Some runs go well, some badly, most in between.
        self._failing = self._chance.choice((0.0, 0.1, 0.5))

    def run(self) -> "Simulation":
        self._post(0, RunStarted())
        if self._chance.random() < 0.15:
            self._post(self._chance.uniform(0, 20), CancelRequested(DOWN))
        if self._chance.random() < 0.15:
            self._post(self._chance.uniform(0, 20), RunTimedOut(DOWN))
        while self._queue:
            self.now, _, event = heapq.heappop(self._queue)
            self._take(event)
        self._at_the_end()
        return self

    def _post(self, after: float, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + after, self._count, event))

    def _take(self, event: Event) -> None:
        before = self.progress
        self.progress, commands = step(self.definition, before, event)
        if self.progress is before:
            assert commands == (), "an event that does not apply has no consequences"
            return
        assert before.state in {RunState.PENDING, RunState.RUNNING}, "nothing happens after the end"
        self.history.append(event)
        self.decided.append(commands)
        for command in commands:
            self._obey(command)
        over = self.progress.state is not RunState.RUNNING
        assert over is (bool(commands) and isinstance(commands[-1], EndRun)), "the end is said once, and last"
        if self._chance.random() < 0.1:  # brokers deliver twice
            self._post(self._chance.uniform(0, 5), event)

    def _obey(self, command: Command) -> None:
        match command:
            case ExecuteNode(node_id, attempt):
                self._executed[node_id, attempt] += 1
                self._check_begin(node_id, attempt)
                self._post(self._chance.expovariate(1), self._outcome(node_id, attempt))
                if self._chance.random() < 0.05:  # an outcome of an attempt that never was
                    self._post(0.01, NodeSucceeded(node_id, attempt + 1, CodeOutput(())))
            case ScheduleRetry(node_id, attempt, backoff, at_least):
                assert 0 < backoff <= MAX_BACKOFF_S
                assert 0 <= at_least <= MAX_BACKOFF_S
                self._post(max(self._chance.uniform(0, backoff), at_least), RetryDue(node_id, attempt))
            case CancelNode(node_id):
                self._called_off.add(node_id)
            case EndRun():
                pass

    def _outcome(self, node_id: str, attempt: int) -> Event:
        if self._chance.random() < self._failing:
            return NodeFailed(node_id, attempt, DOWN, retryable=self._chance.random() < 0.8)
        if self.definition.by_id[node_id].kind is NodeKind.SWITCH:
            labels = tuple(self._chance.sample(LABELS, self._chance.choice((1, 1, 2))))
            return NodeSucceeded(node_id, attempt, SwitchOutput(labels))
        return NodeSucceeded(node_id, attempt, CodeOutput(()))

    def _check_begin(self, node_id: str, attempt: int) -> None:
        node = self.definition.by_id[node_id]
        assert self._executed[node_id, attempt] == 1, f"{node_id} was begun twice"
        assert attempt == 1 or self._executed[node_id, attempt - 1] == 1, "attempts count up"
        assert attempt <= node.retry.max_attempts
        taken = [self._is_taken(edge) for edge in self.definition.incoming[node_id]]
        assert None not in taken, f"{node_id} began before a predecessor had ended"
        assert not taken or any(taken), f"{node_id} began although no edge to it was taken"

    def _is_taken(self, edge: Edge) -> bool | None:
        """Say whether an edge was taken; None while that is open."""
        source = self.progress.nodes.get(edge.source)
        if source is None or source.state not in {NodeState.SUCCEEDED, NodeState.SKIPPED}:
            return None
        return source.state is NodeState.SUCCEEDED and (not edge.when or edge.when in source.labels)

    def _at_the_end(self) -> None:
        progress = self.progress
        assert progress.state in {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.TIMED_OUT}
        states = {node_id: node.state for node_id, node in progress.nodes.items()}
        assert not set(states.values()) & {NodeState.RUNNING, NodeState.RETRYING}, "nothing is left in limbo"
        assert (progress.failure is None) is (progress.state is RunState.SUCCEEDED)
        if progress.state is RunState.SUCCEEDED:
            assert set(states) == set(self.definition.by_id), "each node has an outcome"
            for node_id, state in states.items():
                assert state in {NodeState.SUCCEEDED, NodeState.SKIPPED}
                edges = self.definition.incoming[node_id]
                reached = not edges or any(self._is_taken(edge) for edge in edges)
                assert (state is NodeState.SUCCEEDED) is reached
        for node_id in self._called_off:
            assert states[node_id] is NodeState.FAILED
