"""Rule sets in PostgreSQL."""

from datetime import datetime
from typing import Any

import asyncpg

from services import errors
from services.chassis.postgres import Database, Queries
from services.rule.domain import canonical
from services.rule.domain.model import RuleSet, RuleSetContent, RuleSetState
from services.rule.store.memory import not_found, not_publishable


class PostgresRuleSetStore:
    """A `RuleSetStore` over the service's own schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.rule.store")

    async def add(self, tenant: str, content: RuleSetContent, digest: str, now: datetime) -> RuleSet:
        """Keep the next version; see RuleSetStore."""
        text = canonical.write(content).decode()
        try:
            async with self._database.transaction(tenant) as connection:
                row = await connection.fetchrow(self._sql["add_version"], tenant, content.name, digest, text, now)
        except asyncpg.UniqueViolationError as taken:
            raise errors.Conflict("somebody else wrote this version", retry_after=0.05) from taken
        return _rule_set(row)

    async def publish(self, tenant: str, name: str, version: int, now: datetime) -> tuple[RuleSet, bool]:
        """Put a version in force; see RuleSetStore."""
        async with self._database.transaction(tenant) as connection:
            versions = await connection.fetch(self._sql["lock_versions"], tenant, name)
            wanted = next((row for row in versions if version in {0, row["version"]}), None)
            if wanted is None:
                raise not_found(name)
            found = _rule_set(wanted)
            if found.state is RuleSetState.ACTIVE:
                return found, False
            if found.state is RuleSetState.DEPRECATED:
                raise not_publishable(found)
            await connection.execute(self._sql["deprecate_active"], tenant, name)
            row = await connection.fetchrow(self._sql["activate"], tenant, name, found.version, now)
            return _rule_set(row), True

    async def get(self, tenant: str, name: str, version: int) -> RuleSet:
        """Return a version; see RuleSetStore."""
        if version:
            return await self._one(tenant, name, "get_version", version)
        return await self._one(tenant, name, "get_current")

    async def active(self, tenant: str, name: str) -> RuleSet:
        """Return the version in force; see RuleSetStore."""
        return await self._one(tenant, name, "get_active")

    async def list(self, tenant: str, after: str, limit: int) -> list[RuleSet]:
        """Return a page of newest versions; see RuleSetStore."""
        async with self._database.transaction(tenant) as connection:
            return [_rule_set(row) for row in await connection.fetch(self._sql["list_newest"], tenant, after, limit)]

    async def _one(self, tenant: str, name: str, query: str, *arguments: object) -> RuleSet:
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql[query], tenant, name, *arguments)
        if row is None:
            raise not_found(name)
        return _rule_set(row)


def _rule_set(row: Any) -> RuleSet:
    return RuleSet(
        canonical.read(row["content"]),
        row["version"],
        RuleSetState(row["state"]),
        row["digest"],
        row["created_at"],
        row["published_at"],
    )
