"""The use cases of the judgment service: judge, read, list."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import orjson

from services import errors
from services.errors import Reason
from services.judgment.domain.judge import judge
from services.judgment.domain.model import Figures, Judgment, Method, Policy, RuleVerdicts, Task
from services.judgment.domain.ports import JudgmentStore, RuleEvaluator
from services.judgment.domain.rows import Arranged, arrange

_SERVED: Final = frozenset({Policy.UNSPECIFIED, Policy.RULE_ONLY})


class Judgments:
    """Judgments of all tenants. `now` gives the wall time (aware), `new_id` ids that sort by their birth."""

    def __init__(
        self,
        store: JudgmentStore,
        rules: RuleEvaluator,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._rules = rules
        self._now = now
        self._new_id = new_id

    async def judge(
        self, tenant: str, plant: str, task: Task, figures: Figures, request_id: str
    ) -> tuple[Judgment, bool]:
        """Judge figures and keep the judgment; returns it and whether this call made it.

        Raises Unimplemented (a policy that this release does not serve), Invalid (UNKNOWN_METRIC), NotFound (the rule
        set) and AlreadyExists (REQUEST_ID_REUSED).
        """
        if task.policy not in _SERVED:
            raise errors.Unimplemented(f"policy {task.policy} is not served by this release; use RULE_ONLY")
        arranged = arrange(task, figures)
        verdicts = await self._ask_rules(task, arranged)
        made = Judgment(
            self._new_id(),
            plant,
            task,
            Method.RULE_ONLY,
            judge(task, figures, arranged, verdicts),
            self._now(),
            digest(plant, task, figures),
        )
        kept, created = await self._store.add(tenant, made, request_id)
        if kept.input_digest != made.input_digest:
            raise errors.AlreadyExists(
                "this request_id came with another input before",
                reason=Reason.REQUEST_ID_REUSED,
                metadata={"request_id": request_id},
            )
        return kept, created

    async def get(self, tenant: str, judgment: str) -> Judgment:
        """Return a judgment; see JudgmentStore.get."""
        return await self._store.get(tenant, judgment)

    async def list(self, tenant: str, before: str, limit: int) -> tuple[Sequence[Judgment], str]:
        """Return a page, newest first, and the id before which the next page begins; empty at the end."""
        found = await self._store.list(tenant, before, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else ""

    async def _ask_rules(self, task: Task, arranged: Arranged) -> RuleVerdicts | None:
        if not task.rule_set or not arranged.rows:
            return None
        rows = [
            {name: cell for name, cell in row.cells.items() if isinstance(cell, float | str)} for row in arranged.rows
        ]
        return await self._rules.evaluate(task.rule_set, rows)


def digest(plant: str, task: Task, figures: Figures) -> str:
    """Return the SHA-256 of the canonical input: JSON with sorted keys, lower-case hex."""
    return hashlib.sha256(orjson.dumps([plant, task, figures], option=orjson.OPT_SORT_KEYS)).hexdigest()
