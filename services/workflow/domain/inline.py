"""The inline host: drives a run of read-only nodes within the call that started it.

Nothing is written while it runs: a process that dies loses no effect, for there was none, and no promise, for nobody
was answered. The caller of the host records the journal once, before it answers.
"""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final

from services.errors import DeadlineExceeded, FactoryError, Internal, Reason
from services.workflow.domain.definition import Node
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
from services.workflow.domain.nodes.table import HANDLERS, runs_inline
from services.workflow.domain.nodes.work import Tools, Work
from services.workflow.domain.ports import Clock
from services.workflow.domain.runs import Journal, Run
from services.workflow.domain.states import RunState

# A fifth of all attempts may be repetitions, and a handful beside that while there is little traffic.
_RETRIES_PER_ATTEMPT: Final = 0.2
_RETRIES_AT_ONCE: Final = 20.0


@dataclass(slots=True)
class RetryBudget:
    """Keeps retries of a process to a fifth of its attempts, so that they never become the load that fails others."""

    _left: float = _RETRIES_AT_ONCE

    def attempted(self) -> None:
        """Note a first attempt."""
        self._left = min(_RETRIES_AT_ONCE, self._left + _RETRIES_PER_ATTEMPT)

    def take(self) -> bool:
        """Say whether there is room for a retry, and take it."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class InlineHost:
    """Drives runs. `chance` draws the jitter; it is the only randomness of the engine."""

    def __init__(self, tools: Tools, clock: Clock, *, chance: random.Random) -> None:
        self._tools = tools
        self._clock = clock
        self._chance = chance
        self._budget = RetryBudget()

    async def execute(self, run: Run, journal: Journal, until: float) -> None:
        """Drive a run to its end, filling its journal. `until` is in monotonic seconds; then it times out.

        When the caller is cancelled, nodes are called off, the journal ends CANCELLED, and CancelledError goes on.
        An error that is no FactoryError is a bug of ours: it calls everything off and goes on too. Raises Internal
        for a run that has effects or waits: what happens here is recorded only afterwards.
        """
        if not runs_inline(journal.definition):
            raise Internal(f"workflow {journal.definition.id} has effects or waits and may not be run inline")
        drive = _Drive(self._tools, self._clock, self._chance, self._budget, run, journal, until)
        await drive.to_the_end()


@dataclass(slots=True)
class _Drive:
    tools: Tools
    clock: Clock
    chance: random.Random
    budget: RetryBudget
    run: Run
    journal: Journal
    until: float
    tasks: dict[str, asyncio.Task[Event]] = field(default_factory=dict)

    async def to_the_end(self) -> None:
        try:
            self._take(RunStarted())
            while self.journal.progress.state is RunState.RUNNING:
                left = self.until - self.clock.monotonic()
                done, _ = await asyncio.wait(
                    self.tasks.values(), timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    self._take(RunTimedOut(self._late("the run took longer than it may")))
                # In the order in which they began, so that equal runs have equal histories.
                for node_id, task in list(self.tasks.items()):
                    if task in done and self.tasks.get(node_id) is task:
                        del self.tasks[node_id]
                        self._take(task.result())
        except asyncio.CancelledError:
            self._take(CancelRequested(Failure("CANCELLED", Reason.CANCELLED, "the caller went away")))
            raise
        finally:
            await self._call_off()

    def _take(self, event: Event) -> None:
        for command in self.journal.note(event, self.clock.now()):
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case ExecuteNode(node_id, attempt):
                self._begin(node_id, self._attempt(self._node(node_id), attempt))
            case ScheduleRetry(node_id, attempt, backoff, at_least):
                wait = max(self.chance.uniform(0, backoff), at_least)
                if self.clock.monotonic() + wait >= self.until:
                    said = self.journal.progress.nodes[node_id].failure
                    why = f": {said.message}" if said else ""
                    self._take(RunTimedOut(self._late(f"no time is left to try {node_id} again{why}")))
                else:
                    self._begin(node_id, self._wait(node_id, attempt, wait))
            case CancelNode(node_id):
                task = self.tasks.get(node_id)
                if task is not None:
                    task.cancel()
            case EndRun():
                pass

    def _node(self, node_id: str) -> Node:
        return self.journal.definition.by_id[node_id]

    def _begin(self, node_id: str, work: Coroutine[None, None, Event]) -> None:
        self.tasks[node_id] = asyncio.create_task(work, name=f"node {node_id}")

    async def _attempt(self, node: Node, attempt: int) -> Event:
        work = Work(
            run_id=self.run.id,
            plant=self.run.plant,
            as_of=self.run.as_of,
            definition=self.journal.definition,
            node=node,
            outputs=self.journal.outputs,
        )
        if attempt == 1:
            self.budget.attempted()
        try:
            async with asyncio.timeout(node.timeout_s):
                return NodeSucceeded(node.id, attempt, await HANDLERS[node.kind](self.tools, work))
        except TimeoutError:
            error: FactoryError = DeadlineExceeded(f"{node.id} took longer than {node.timeout_s:g} s")
        except FactoryError as failed:
            error = failed
        failure = Failure.of(error)
        again = failure.retryable and attempt < node.retry.max_attempts and self.budget.take()
        return NodeFailed(node.id, attempt, failure, again)

    async def _wait(self, node_id: str, attempt: int, seconds: float) -> Event:
        await asyncio.sleep(seconds)
        return RetryDue(node_id, attempt)

    async def _call_off(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks.values())
        # What they still had to say, nobody asks for; a bug among them is reported by the one that came first.
        for task in self.tasks.values():
            if not task.cancelled():
                task.exception()
        self.tasks.clear()

    def _late(self, message: str) -> Failure:
        return Failure("DEADLINE_EXCEEDED", Reason.DEADLINE_EXCEEDED, message)
