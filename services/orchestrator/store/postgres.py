"""Decisions and conversations in PostgreSQL: the message as bytes, what is searched for in columns beside it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
from factoryai.orchestrator.v1 import decision_pb2
from factoryai.router.v1 import intent_pb2

from services.chassis.postgres import Database, Queries
from services.errors import AlreadyExists
from services.orchestrator.codec import decisions, meaning
from services.orchestrator.domain.decision import (
    CONVERSATION_LIFE,
    Conversation,
    Decision,
    DecisionFilter,
    Feedback,
    State,
)
from services.orchestrator.domain.meaning import Intent


class PostgresStore:
    """A `Store` over the service's own schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.orchestrator.store")

    async def add(self, tenant: str, decision: Decision, conversation: Conversation | None) -> None:
        """Insert a decision; see Store."""
        row = (
            tenant,
            decision.id,
            decision.plant,
            decision.conversation,
            decision.state.value,
            decision.intent.value,
            decision.create_time,
            decision.catalog_version,
            _template(decision),
            _body(decision),
        )
        try:
            async with self._database.transaction(tenant) as connection:
                if conversation is None:
                    await connection.execute(self._sql["add_decision"], *row)
                else:
                    forget = conversation.update_time - CONVERSATION_LIFE
                    await connection.execute(
                        self._sql["add_turn"],
                        *row,
                        conversation.language,
                        conversation.update_time,
                        _context(conversation),
                        forget,
                    )
        except asyncpg.UniqueViolationError:
            raise AlreadyExists(f"{decision.name} is there", metadata={"resource": decision.name}) from None

    async def finish(self, tenant: str, decision: Decision, conversation: Conversation | None) -> bool:
        """Replace a decision that is RUNNING; see Store."""
        async with self._database.transaction(tenant) as connection:
            ended = await connection.fetchval(
                self._sql["finish_decision"],
                tenant,
                decision.id,
                decision.state.value,
                decision.intent.value,
                decision.catalog_version,
                _template(decision),
                _body(decision),
            )
            if ended and conversation is not None:
                await connection.execute(
                    self._sql["remember"],
                    tenant,
                    conversation.id,
                    conversation.plant,
                    conversation.language,
                    conversation.update_time,
                    _context(conversation),
                )
        return ended is not None

    async def get(self, tenant: str, decision_id: str) -> Decision | None:
        """Return the decision; see Store."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["get_decision"], tenant, decision_id)
        return None if row is None else _decision(row)

    async def page(self, tenant: str, wanted: DecisionFilter, before: str, size: int) -> list[Decision]:
        """Return the newest decisions; see Store."""
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(
                self._sql["page_decisions"],
                tenant,
                before,
                wanted.plant,
                "" if wanted.state is State.UNSPECIFIED else wanted.state.value,
                "" if wanted.intent is Intent.UNSPECIFIED else wanted.intent.value,
                wanted.conversation,
                wanted.start,
                wanted.end,
                size,
            )
        return _decisions(rows)

    async def abandoned(self, tenant: str, asked_before: datetime) -> list[Decision]:
        """Return decisions that have been RUNNING for too long; see Store."""
        async with self._database.transaction(tenant) as connection:
            return _decisions(await connection.fetch(self._sql["abandoned_decisions"], tenant, asked_before))

    async def add_feedback(self, tenant: str, decision_id: str, feedback: Feedback) -> None:
        """Append feedback; see Store."""
        body = decisions.encode_feedback(feedback).SerializeToString()
        async with self._database.transaction(tenant) as connection:
            await connection.execute(self._sql["add_feedback"], tenant, decision_id, body)

    async def conversation(self, tenant: str, conversation_id: str) -> Conversation | None:
        """Return the conversation; see Store."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["get_conversation"], tenant, conversation_id)
        if row is None:
            return None
        return Conversation(
            conversation_id,
            row["plant"],
            row["language"],
            meaning.context(intent_pb2.DialogueContext.FromString(row["context"])),
            row["update_time"],
            tuple(row["decisions"]),
        )


def _template(decision: Decision) -> str:
    return decision.plan.template if decision.plan else ""


def _body(decision: Decision) -> bytes:
    return decisions.encode_decision(replace(decision, feedback=())).SerializeToString()


def _context(conversation: Conversation) -> bytes:
    return meaning.encode_context(conversation.context).SerializeToString()


def _decisions(rows: Iterable[Any]) -> list[Decision]:
    return [_decision(row) for row in rows]


def _decision(row: Any) -> Decision:
    found = decisions.decision(decision_pb2.Decision.FromString(row["body"]), row["catalog_version"])
    given = tuple(decisions.feedback(decision_pb2.Feedback.FromString(each)) for each in row["feedback"])
    return replace(found, feedback=given)
