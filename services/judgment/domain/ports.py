"""What the domain needs from outside, and what it may rely on."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.judgment.domain.model import Judgment, RuleVerdicts


class RuleEvaluator(Protocol):
    """The rule engine."""

    async def evaluate(self, rule_set: str, rows: Sequence[Mapping[str, float | str]]) -> RuleVerdicts:
        """Hold rows against the version in force, in one call; one verdict a row, in order.

        Raises NotFound where there is no such rule set in force, Unavailable where the engine is out of reach.
        """
        ...


class JudgmentStore(Protocol):
    """Keeps judgments, apart by tenant. Nothing is ever changed."""

    async def add(self, tenant: str, judgment: Judgment, request_id: str) -> tuple[Judgment, bool]:
        """Keep a judgment; with a request_id that is kept already, return that judgment and False instead."""
        ...

    async def get(self, tenant: str, judgment: str) -> Judgment:
        """Return a judgment by its id. Raises NotFound."""
        ...

    async def list(self, tenant: str, before: str, limit: int) -> list[Judgment]:
        """Return judgments without their evidence, newest first, those older than the id `before` ("": all)."""
        ...
