"""Memory and PostgreSQL keep rule sets alike."""

import asyncio
import importlib.resources
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.errors import Conflict, FailedPrecondition, NotFound, Reason
from services.rule.adapters.shipped import provision, shipped
from services.rule.domain import canonical
from services.rule.domain.model import RuleSetContent, RuleSetState
from services.rule.domain.ports import RuleSetStore
from services.rule.domain.registry import RuleSets
from services.rule.store import migrations
from services.rule.store.memory import MemoryRuleSetStore
from services.rule.store.postgres import PostgresRuleSetStore
from tests.support.server import until

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CONTENT = shipped()[0]


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(
        postgres_url, "rule", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
    )
    await database.start()
    await until(database.ready)
    yield database
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> RuleSetStore:
    if request.param == "memory":
        return MemoryRuleSetStore()
    return PostgresRuleSetStore(request.getfixturevalue("database"))


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


async def add(store: RuleSetStore, tenant: str, name: str = "quality", minutes: int = 0) -> int:
    content = replace(CONTENT, name=name)
    kept = await store.add(tenant, content, canonical.digest(content), T0 + timedelta(minutes=minutes))
    return kept.version


async def test_versions_count_from_one_and_keep_their_content(store: RuleSetStore, tenant: str) -> None:
    assert [await add(store, tenant, minutes=minute) for minute in range(3)] == [1, 2, 3]
    kept = await store.get(tenant, "quality", 2)
    assert kept.content == replace(CONTENT, name="quality")
    assert (kept.version, kept.state, kept.publish_time) == (2, RuleSetState.DRAFT, None)
    assert kept.create_time == T0 + timedelta(minutes=1)
    assert kept.digest == canonical.digest(kept.content)


async def test_publishing_deprecates_the_one_before(store: RuleSetStore, tenant: str) -> None:
    for _ in range(3):
        await add(store, tenant)
    first, done = await store.publish(tenant, "quality", 1, T0)
    assert (first.version, first.state, first.publish_time, done) == (1, RuleSetState.ACTIVE, T0, True)
    newest, done = await store.publish(tenant, "quality", 0, T0 + timedelta(hours=1))
    assert (newest.version, done) == (3, True)
    assert (await store.get(tenant, "quality", 1)).state is RuleSetState.DEPRECATED
    assert (await store.get(tenant, "quality", 1)).publish_time == T0
    assert (await store.active(tenant, "quality")).version == 3
    again, done = await store.publish(tenant, "quality", 3, T0 + timedelta(hours=2))
    assert (again.publish_time, done) == (T0 + timedelta(hours=1), False)


async def test_a_deprecated_version_stays_so(store: RuleSetStore, tenant: str) -> None:
    for version in (await add(store, tenant), await add(store, tenant)):
        await store.publish(tenant, "quality", version, T0)
    with pytest.raises(FailedPrecondition) as refusal:
        await store.publish(tenant, "quality", 1, T0)
    assert refusal.value.reason is Reason.INVALID_STATE
    assert refusal.value.metadata == {"resource": "ruleSets/quality", "state": "RULE_SET_STATE_DEPRECATED"}
    assert (await store.active(tenant, "quality")).version == 2


async def test_version_zero_reads_the_one_in_force_else_the_newest(store: RuleSetStore, tenant: str) -> None:
    for _ in range(2):
        await add(store, tenant)
    assert (await store.get(tenant, "quality", 0)).version == 2
    with pytest.raises(NotFound):
        await store.active(tenant, "quality")
    await store.publish(tenant, "quality", 1, T0)
    assert (await store.get(tenant, "quality", 0)).version == 1


async def test_what_is_not_there_is_not_found(store: RuleSetStore, tenant: str) -> None:
    await add(store, tenant)
    for attempt in (
        store.get(tenant, "other", 0),
        store.get(tenant, "quality", 2),
        store.active(tenant, "other"),
        store.publish(tenant, "other", 0, T0),
        store.publish(tenant, "quality", 9, T0),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_tenants_do_not_see_each_other(store: RuleSetStore, tenant: str) -> None:
    await add(store, tenant)
    stranger = f"{tenant}-x"
    with pytest.raises(NotFound):
        await store.get(stranger, "quality", 1)
    with pytest.raises(NotFound):
        await store.publish(stranger, "quality", 1, T0)
    assert await store.list(stranger, "", 10) == []
    assert await add(store, stranger) == 1


async def test_lists_by_name_in_the_newest_version(store: RuleSetStore, tenant: str) -> None:
    for name in ("b-two", "a", "b", "b-two", "c"):
        await add(store, tenant, name)
    found = await store.list(tenant, "", 3)
    assert [(each.content.name, each.version) for each in found] == [("a", 1), ("b", 1), ("b-two", 2)]
    assert [each.content.name for each in await store.list(tenant, "b-two", 3)] == ["c"]


async def test_two_who_publish_at_once_leave_one_in_force(store: RuleSetStore, tenant: str) -> None:
    for _ in range(4):
        await add(store, tenant)
    await asyncio.gather(
        *(store.publish(tenant, "quality", version, T0) for version in (1, 2, 3, 4)), return_exceptions=True
    )
    states = [(await store.get(tenant, "quality", version)).state for version in (1, 2, 3, 4)]
    assert states.count(RuleSetState.ACTIVE) == 1


async def test_two_who_write_at_once_get_different_versions(store: RuleSetStore, tenant: str) -> None:
    results = await asyncio.gather(*(add(store, tenant) for _ in range(6)), return_exceptions=True)
    versions = [each for each in results if isinstance(each, int)]
    assert len(set(versions)) == len(versions) >= 1
    assert all(isinstance(each, int | Conflict) for each in results)


async def test_shipped_rule_sets_are_provisioned_once_and_left_alone(store: RuleSetStore, tenant: str) -> None:
    clock = SystemClock()
    rule_sets = RuleSets(store, now=clock.now, monotonic=clock.monotonic)
    own: RuleSetContent = replace(shipped()[1], hit_policy=CONTENT.hit_policy)
    await rule_sets.create(tenant, own)
    assert await provision(rule_sets, tenant) == ("sample-quality",)
    assert await provision(rule_sets, tenant) == ()
    assert (await store.active(tenant, "sample-quality")).version == 1
    assert (await store.get(tenant, "sample-safety", 0)).content == own
