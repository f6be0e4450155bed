"""The use cases of the rule service: write, publish, read and evaluate rule sets."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from services import errors
from services.errors import FieldViolation
from services.rule.domain import canonical
from services.rule.domain.compiled import CompiledRuleSet, RuleSetFault, compile_rule_set, find_faults
from services.rule.domain.evaluator import check_values, evaluate
from services.rule.domain.model import Evaluation, RuleCase, RuleOutcome, RuleSet, RuleSetContent
from services.rule.domain.ports import RuleSetStore

_COMPILED_KEPT: Final = 256
# How long another process may go on with the version before, after a publish elsewhere.
_ACTIVE_TTL_S: Final = 1.0
# How long a batch may hold the event loop in one piece.
_SLICE_S: Final = 0.005


class RuleSets:
    """Rule sets of all tenants. `now` gives the wall time (aware), `monotonic` seconds for ages and slices."""

    def __init__(self, store: RuleSetStore, *, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._monotonic = monotonic
        self._compiled: OrderedDict[tuple[str, str, int, str], CompiledRuleSet] = OrderedDict()
        self._active: dict[tuple[str, str], tuple[RuleSet, float]] = {}

    async def create(self, tenant: str, content: RuleSetContent) -> RuleSet:
        """Keep a new draft. Raises Invalid (INVALID_RULE_SET) with every fault."""
        compile_rule_set(content)
        return await self._store.add(tenant, content, canonical.digest(content), self._now())

    def validate(self, content: RuleSetContent) -> tuple[RuleSetFault, ...]:
        """Return every fault; empty where the content may be published."""
        return find_faults(content)

    async def publish(self, tenant: str, name: str, version: int) -> tuple[RuleSet, bool]:
        """Put a version in force; see RuleSetStore.publish."""
        published, done = await self._store.publish(tenant, name, version, self._now())
        self._active.pop((tenant, name), None)
        return published, done

    async def get(self, tenant: str, name: str, version: int) -> RuleSet:
        """Return a version; see RuleSetStore.get."""
        return await self._store.get(tenant, name, version)

    async def list(self, tenant: str, after: str, limit: int) -> tuple[Sequence[RuleSet], str]:
        """Return a page of rule sets by name, and the name after which the next page begins; empty at the end."""
        found = await self._store.list(tenant, after, limit + 1)
        return found[:limit], found[limit - 1].content.name if len(found) > limit else ""

    async def evaluate(self, tenant: str, name: str, version: int, cases: Sequence[RuleCase]) -> Evaluation:
        """Evaluate a batch against a version (0: the one in force).

        A large batch lets other work in between, every few milliseconds. Raises NotFound, and Invalid when any value
        has another type than its input: then nothing is evaluated.
        """
        rule_set = await self._in_force(tenant, name) if version == 0 else await self._store.get(tenant, name, version)
        rules = self._ready(tenant, rule_set)
        checked = []
        violations: list[FieldViolation] = []
        for index, case in enumerate(cases):
            try:
                checked.append(check_values(rules, case, f"inputs[{index}]"))
            except errors.Invalid as refusal:
                violations += refusal.violations
        if violations:
            raise errors.Invalid(violations[0].description, violations=tuple(violations[:100]))
        outcomes: list[RuleOutcome] = []
        slice_ends = self._monotonic() + _SLICE_S
        for case, values in zip(cases, checked, strict=True):
            outcomes.append(evaluate(rules, case.key, values))
            if self._monotonic() > slice_ends:
                await asyncio.sleep(0)
                slice_ends = self._monotonic() + _SLICE_S
        return Evaluation(tuple(outcomes), rule_set.version, rule_set.digest)

    async def _in_force(self, tenant: str, name: str) -> RuleSet:
        known = self._active.get((tenant, name))
        if known is not None and known[1] > self._monotonic():
            return known[0]
        rule_set = await self._store.active(tenant, name)
        if len(self._active) >= _COMPILED_KEPT:
            self._active.clear()
        self._active[tenant, name] = (rule_set, self._monotonic() + _ACTIVE_TTL_S)
        return rule_set

    def _ready(self, tenant: str, rule_set: RuleSet) -> CompiledRuleSet:
        key = (tenant, rule_set.content.name, rule_set.version, rule_set.digest)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = compile_rule_set(rule_set.content)
            if len(self._compiled) > _COMPILED_KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return compiled
