"""Judgments in PostgreSQL: one insert each."""

from dataclasses import replace
from typing import Any

import asyncpg
import orjson
from pydantic import TypeAdapter

from services import errors
from services.chassis.postgres import Database, Queries
from services.judgment.domain.model import Evidence, Judgment
from services.judgment.store.memory import not_found

_JUDGMENT = TypeAdapter(Judgment)
_EVIDENCE = TypeAdapter(tuple[Evidence, ...])


class PostgresJudgmentStore:
    """A `JudgmentStore` over the service's own schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.judgment.store")

    async def add(self, tenant: str, judgment: Judgment, request_id: str) -> tuple[Judgment, bool]:
        """Keep a judgment; see JudgmentStore."""
        content = orjson.dumps(replace(judgment, verdict=replace(judgment.verdict, evidence=()))).decode()
        evidence = orjson.dumps(judgment.verdict.evidence).decode()
        async with self._database.transaction(tenant) as connection:
            added = await connection.fetchval(
                self._sql["add_judgment"],
                tenant,
                judgment.id,
                judgment.plant,
                judgment.create_time,
                request_id or None,
                content,
                evidence,
            )
            if added is not None:
                return judgment, True
            row = await connection.fetchrow(self._sql["get_by_request"], tenant, request_id)
        return _judgment(row), False

    async def get(self, tenant: str, judgment: str) -> Judgment:
        """Return a judgment; see JudgmentStore."""
        try:
            async with self._database.transaction(tenant) as connection:
                row = await connection.fetchrow(self._sql["get_judgment"], tenant, judgment)
        except asyncpg.InvalidTextRepresentationError:  # 36 characters that are no UUID
            row = None
        if row is None:
            raise not_found(judgment)
        return _judgment(row)

    async def list(self, tenant: str, before: str, limit: int) -> list[Judgment]:
        """Return a page; see JudgmentStore."""
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(self._sql["list_judgments"], tenant, before or None, limit)
        return [_judgment(row) for row in rows]


def _judgment(row: Any) -> Judgment:
    if row is None:
        raise errors.Internal("a judgment was taken and is not there")
    judgment = _JUDGMENT.validate_json(row["content"])
    return replace(judgment, verdict=replace(judgment.verdict, evidence=_EVIDENCE.validate_json(row["evidence"])))
