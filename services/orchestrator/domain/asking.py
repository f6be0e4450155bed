"""Questions in time: 30 seconds for an answer, work that outlives its call, and one commit for each end.

docs/decisions.md tells the whole story; this file is the part of it that runs.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import structlog

from services.errors import (
    Conflict,
    DeadlineExceeded,
    FactoryError,
    Internal,
    Overloaded,
    Reason,
    Unavailable,
)
from services.orchestrator.domain.answering import Answering, Caller, Outcome, Progress, Question, Report, Turn
from services.orchestrator.domain.decision import Decision, State
from services.orchestrator.domain.ports import Budget, Store

log = structlog.get_logger(__name__)

# Errors that a client should retry: it gets them as errors, and finds the decision in their metadata.
TRANSIENT: Final = (Unavailable, Overloaded, DeadlineExceeded, Conflict)
# How long the end of background work waits for a store that is out of reach, in steps.
_PATIENCE_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. `background` is how many questions may go on after their call has been answered."""

    answer_s: float = 30.0
    work_s: float = 300.0
    margin_s: float = 0.5
    background: int = 64
    look_s: float = 2.0
    stop_s: float = 5.0


def _silence(_: Progress) -> None:
    """Tell nobody."""


class Asking:
    """Takes questions and sees each of them to a stored end."""

    def __init__(self, answering: Answering, store: Store, budget: Budget, limits: Limits) -> None:
        self._answering = answering
        self._store = store
        self._budget = budget
        self._limits = limits
        self._working: dict[tuple[str, str], asyncio.Task[Outcome]] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._closing = False

    async def ask(self, question: Question, caller: Caller, report: Report | None = None) -> Decision:
        """Answer a question, or hand back a decision that is RUNNING when time is up.

        With `report` the question is stored before the first word, so that it can be read and called off; without, it
        is stored once, with its end. Raises the errors of `Answering.accept`, and those in TRANSIENT of the work.
        """
        turn = await self._answering.accept(question, caller)
        stored = report is not None
        if report is not None:
            await self._store.add(turn.tenant, turn.decision, None)
            report(self._answering.accepted(turn))
        task = self._begin(turn, report or _silence)
        try:
            await asyncio.wait({task}, timeout=self._patience(caller))
        except asyncio.CancelledError:
            # Nobody listens any more. What was acknowledged is brought to its end, anything else is dropped.
            if not (stored and self._watch(turn, task)):
                task.cancel()
            raise
        if task.done():
            return await self._end(turn, task, stored=stored)
        return await self._hand_over(turn, task, stored=stored)

    def cancel(self, tenant: str, decision_id: str) -> None:
        """Stop the work on a decision, if it is done in this process."""
        task = self._working.get((tenant, decision_id))
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Stop all work; what was acknowledged is stored as failed."""
        self._closing = True
        for task in self._working.values():
            task.cancel()
        if self._watching:
            await asyncio.wait(self._watching, timeout=self._limits.stop_s)

    def _begin(self, turn: Turn, report: Report) -> asyncio.Task[Outcome]:
        key = (turn.tenant, turn.decision.id)
        task = asyncio.create_task(self._work(turn, report), name=turn.decision.name)
        self._working[key] = task
        task.add_done_callback(lambda _: self._working.pop(key, None))
        return task

    async def _work(self, turn: Turn, report: Report) -> Outcome:
        try:
            with self._budget.lend(self._limits.work_s):
                async with asyncio.timeout(self._limits.work_s):
                    return await self._answering.answer(turn, report)
        except TimeoutError:
            late = DeadlineExceeded(f"the question took longer than {self._limits.work_s:g} s")
            return self._answering.failed(turn, late)
        except FactoryError as error:
            return self._answering.failed(turn, error)

    def _patience(self, caller: Caller) -> float:
        if caller.seconds_left is None:
            return self._limits.answer_s
        return max(0.0, min(self._limits.answer_s, caller.seconds_left - self._limits.margin_s))

    async def _end(self, turn: Turn, task: asyncio.Task[Outcome], *, stored: bool) -> Decision:
        """Store how the work ended and say so."""
        if task.cancelled():
            return await self._called_off(turn)
        bug = task.exception()
        outcome = self._answering.failed(turn, Internal("our own bug")) if bug else task.result()
        error = outcome.decision.error
        try:
            decision = await self._keep(turn, outcome, stored=stored)
        except FactoryError as lost:
            if bug or error:
                log.warning("failed decision not stored", decision=turn.decision.name, error=str(lost))
                raise (bug or error or lost) from lost
            raise
        if bug is not None:
            raise bug
        if decision.state is State.FAILED and isinstance(error, TRANSIENT):
            raise replace(error, metadata={**error.metadata, "decision": decision.name})
        return decision

    async def _keep(self, turn: Turn, outcome: Outcome, *, stored: bool) -> Decision:
        if not stored:
            await self._store.add(turn.tenant, outcome.decision, outcome.conversation)
            return outcome.decision
        if await self._store.finish(turn.tenant, outcome.decision, outcome.conversation):
            return outcome.decision
        return await self._called_off(turn)

    async def _called_off(self, turn: Turn) -> Decision:
        """Return the decision as whoever ended it left it; a stop of this process ends it here."""
        if self._closing:
            raise Unavailable("the server is stopping", reason=Reason.SHUTTING_DOWN, retry_after=None)
        stored = await self._store.get(turn.tenant, turn.decision.id)
        return stored or replace(turn.decision, state=State.CANCELLED)

    async def _hand_over(self, turn: Turn, task: asyncio.Task[Outcome], *, stored: bool) -> Decision:
        """Let the work go on without its caller, who gets the decision as it stands."""
        if len(self._watching) >= self._limits.background:
            task.cancel()
            raise Overloaded("the answer takes long and too many do", metadata={"decision": turn.decision.name})
        running = turn.decision
        if not stored:
            try:
                await self._store.add(turn.tenant, running, None)
            except BaseException:
                task.cancel()
                raise
        self._watch(turn, task)
        return running

    def _watch(self, turn: Turn, task: asyncio.Task[Outcome]) -> bool:
        """See the work to its end in the background, if there is room."""
        if len(self._watching) >= self._limits.background:
            return False
        watcher = asyncio.create_task(self._see_through(turn, task), name=f"watch {turn.decision.name}")
        self._watching.add(watcher)
        watcher.add_done_callback(self._watching.discard)
        return True

    async def _see_through(self, turn: Turn, task: asyncio.Task[Outcome]) -> None:
        while not task.done():
            await asyncio.wait({task}, timeout=self._limits.look_s)
            if not task.done() and await self._ended_elsewhere(turn):
                task.cancel()
        if not task.cancelled():
            bug = task.exception()
            if bug is not None:
                log.error("question failed in the background", decision=turn.decision.name, exc_info=bug)
            outcome = self._answering.failed(turn, Internal("our own bug")) if bug else task.result()
        elif self._closing:
            outcome = self._answering.failed(turn, Unavailable("the server stopped", reason=Reason.SHUTTING_DOWN))
        else:
            return  # a person called it off, and that is stored
        for pause in _PATIENCE_S:
            await asyncio.sleep(pause)
            try:
                await self._store.finish(turn.tenant, outcome.decision, outcome.conversation)
            except TRANSIENT as lost:
                log.warning("end of a decision not stored yet", decision=turn.decision.name, error=str(lost))
            else:
                return

    async def _ended_elsewhere(self, turn: Turn) -> bool:
        try:
            stored = await self._store.get(turn.tenant, turn.decision.id)
        except TRANSIENT:
            return False
        return stored is not None and stored.state is not State.RUNNING
