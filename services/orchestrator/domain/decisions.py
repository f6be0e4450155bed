"""Reading decisions, calling them off, and saying what one thinks of them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.errors import DeadlineExceeded, FailedPrecondition, NotFound, Reason
from services.orchestrator.domain.asking import Asking
from services.orchestrator.domain.decision import Conversation, Decision, DecisionFilter, Feedback, State
from services.orchestrator.domain.ports import Clock, Store
from services.paging import DEFAULT_PAGE_SIZE, decode_token, encode_token

# Work ends itself long before: a decision that is RUNNING after this has lost its process.
_ABANDONED: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Page:
    """Decisions, newest first, and the token of the next page, empty at the end."""

    decisions: tuple[Decision, ...]
    next_token: str


class Decisions:
    """The decisions of all tenants, one tenant a call. `tenant` comes first everywhere; ids are bare."""

    def __init__(self, store: Store, asking: Asking, clock: Clock) -> None:
        self._store = store
        self._asking = asking
        self._clock = clock

    async def get(self, tenant: str, decision_id: str) -> Decision:
        """Return a decision. Raises NotFound."""
        decision = await self._store.get(tenant, decision_id)
        if decision is None:
            name = f"decisions/{decision_id}"
            raise NotFound(f"there is no {name}", metadata={"resource": name})
        if decision.state is State.RUNNING and decision.create_time < self._clock.now() - _ABANDONED:
            await self._give_up(tenant, decision)
            return await self._store.get(tenant, decision_id) or decision
        return decision

    async def page(self, tenant: str, wanted: DecisionFilter, size: int, token: str) -> Page:
        """Return a page of what the filter holds for. Raises Invalid(INVALID_PAGE_TOKEN)."""
        before = decode_token(_query(wanted), token)
        for lost in await self._store.abandoned(tenant, self._clock.now() - _ABANDONED):
            await self._give_up(tenant, lost)
        size = size or DEFAULT_PAGE_SIZE
        found = await self._store.page(tenant, wanted, before, size + 1)
        shown = found[:size]
        return Page(tuple(shown), encode_token(_query(wanted), shown[-1].id) if len(found) > size else "")

    async def cancel(self, tenant: str, decision_id: str) -> tuple[Decision, bool]:
        """Call off a decision that is RUNNING, and say whether this call did it.

        Raises NotFound, FailedPrecondition(INVALID_STATE) where it has ended otherwise.
        """
        decision = await self.get(tenant, decision_id)
        if decision.state is State.RUNNING:
            cancelled = replace(decision, state=State.CANCELLED, end_time=self._clock.now())
            if await self._store.finish(tenant, cancelled, None):
                self._asking.cancel(tenant, decision_id)
                return cancelled, True
            decision = await self.get(tenant, decision_id)  # it ended while we looked
        if decision.state is not State.CANCELLED:
            raise _wrong_state(decision, "it has ended")
        return decision, False

    async def add_feedback(self, tenant: str, decision_id: str, feedback: Feedback) -> Decision:
        """Keep what a person thought of an answer. Raises NotFound; FailedPrecondition(INVALID_STATE) without one."""
        decision = await self.get(tenant, decision_id)
        if decision.answer is None:
            raise _wrong_state(decision, "it has no answer")
        await self._store.add_feedback(tenant, decision_id, feedback)
        return await self.get(tenant, decision_id)

    async def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        """Return what is remembered of a conversation. Raises NotFound, also 24 h after its last turn."""
        found = await self._store.conversation(tenant, conversation_id)
        if found is None or found.expired(self._clock.now()):
            name = f"conversations/{conversation_id}"
            raise NotFound(f"there is no {name}", metadata={"resource": name})
        return found

    async def _give_up(self, tenant: str, decision: Decision) -> None:
        lost = DeadlineExceeded("the process that worked on it is gone")
        ended = replace(decision, state=State.FAILED, error=lost, end_time=self._clock.now())
        await self._store.finish(tenant, ended, None)


def _wrong_state(decision: Decision, why: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"{decision.name} is {decision.state}: {why}",
        reason=Reason.INVALID_STATE,
        metadata={"resource": decision.name, "state": decision.state.value},
    )


def _query(wanted: DecisionFilter) -> str:
    return f"decisions {wanted!r}"
