"""Decisions and conversations in memory: for tests, and for a look at the product without a database."""

from dataclasses import replace
from datetime import datetime

from services.errors import AlreadyExists
from services.orchestrator.domain.decision import (
    CONVERSATION_DECISIONS,
    CONVERSATION_LIFE,
    Conversation,
    Decision,
    DecisionFilter,
    Feedback,
    State,
)
from services.orchestrator.domain.meaning import Intent

_MOST_ABANDONED = 100


class MemoryStore:
    """A `Store` of this process."""

    def __init__(self) -> None:
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._conversations: dict[tuple[str, str], Conversation] = {}

    async def add(self, tenant: str, decision: Decision, conversation: Conversation | None) -> None:
        """Insert a decision; see Store."""
        key = (tenant, decision.id)
        if key in self._decisions:
            raise AlreadyExists(f"{decision.name} is there", metadata={"resource": decision.name})
        self._decisions[key] = decision
        if conversation is not None:
            self._remember(tenant, conversation)

    async def finish(self, tenant: str, decision: Decision, conversation: Conversation | None) -> bool:
        """Replace a decision that is RUNNING; see Store."""
        known = self._decisions.get((tenant, decision.id))
        if known is None or known.state is not State.RUNNING:
            return False
        self._decisions[tenant, decision.id] = replace(decision, feedback=known.feedback)
        if conversation is not None:
            self._remember(tenant, conversation)
        return True

    async def get(self, tenant: str, decision_id: str) -> Decision | None:
        """Return the decision; see Store."""
        return self._decisions.get((tenant, decision_id))

    async def page(self, tenant: str, wanted: DecisionFilter, before: str, size: int) -> list[Decision]:
        """Return the newest decisions; see Store."""
        found = [
            decision
            for (owner, decision_id), decision in self._decisions.items()
            if owner == tenant and (not before or decision_id < before) and _holds(wanted, decision)
        ]
        return sorted(found, key=lambda decision: decision.id, reverse=True)[:size]

    async def abandoned(self, tenant: str, asked_before: datetime) -> list[Decision]:
        """Return decisions that have been RUNNING for too long; see Store."""
        found = [
            decision
            for (owner, _), decision in self._decisions.items()
            if owner == tenant and decision.state is State.RUNNING and decision.create_time < asked_before
        ]
        return sorted(found, key=lambda decision: decision.create_time)[:_MOST_ABANDONED]

    async def add_feedback(self, tenant: str, decision_id: str, feedback: Feedback) -> None:
        """Append feedback; see Store."""
        known = self._decisions[tenant, decision_id]
        self._decisions[tenant, decision_id] = replace(known, feedback=(*known.feedback, feedback))

    async def conversation(self, tenant: str, conversation_id: str) -> Conversation | None:
        """Return the conversation; see Store."""
        known = self._conversations.get((tenant, conversation_id))
        if known is None:
            return None
        newest = await self.page(tenant, DecisionFilter(conversation=conversation_id), "", CONVERSATION_DECISIONS)
        return replace(known, decisions=tuple(decision.id for decision in newest))

    def _remember(self, tenant: str, conversation: Conversation) -> None:
        until = conversation.update_time - CONVERSATION_LIFE
        for key, known in list(self._conversations.items()):
            if key[0] == tenant and known.update_time <= until and known.id != conversation.id:
                del self._conversations[key]
        known_turn = self._conversations.get((tenant, conversation.id))
        if known_turn is None or known_turn.update_time <= conversation.update_time:
            self._conversations[tenant, conversation.id] = replace(conversation, decisions=())


def _holds(wanted: DecisionFilter, decision: Decision) -> bool:
    return (
        wanted.plant in {"", decision.plant}
        and wanted.state in {State.UNSPECIFIED, decision.state}
        and wanted.intent in {Intent.UNSPECIFIED, decision.intent}
        and wanted.conversation in {"", decision.conversation}
        and (wanted.start is None or decision.create_time >= wanted.start)
        and (wanted.end is None or decision.create_time < wanted.end)
    )
