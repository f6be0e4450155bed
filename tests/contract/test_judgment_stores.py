"""Memory and PostgreSQL keep judgments alike."""

import importlib.resources
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import FixedClock, SystemClock
from services.chassis.ids import new_id
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.errors import NotFound
from services.judgment.domain.judge import judge
from services.judgment.domain.judgments import digest
from services.judgment.domain.model import (
    Column,
    Direction,
    Figures,
    Judgment,
    Kind,
    Method,
    Metric,
    RuleHit,
    RuleVerdict,
    RuleVerdicts,
    Severity,
    Source,
    Task,
    Window,
)
from services.judgment.domain.ports import JudgmentStore
from services.judgment.domain.rows import arrange
from services.judgment.store import migrations
from services.judgment.store.memory import MemoryJudgmentStore
from services.judgment.store.postgres import PostgresJudgmentStore
from services.wording import LocalizedText
from tests.support.server import until

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(
        postgres_url, "judgment", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
    )
    await database.start()
    await until(database.ready)
    yield database
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> JudgmentStore:
    if request.param == "memory":
        return MemoryJudgmentStore()
    return PostgresJudgmentStore(request.getfixturevalue("database"))


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


def made(value: float = 0.05, *, at: datetime = T0) -> Judgment:
    """Return a judgment with every part filled, texts in both languages included."""
    window = Window(T0 - timedelta(days=7), T0, "last_week", "지난주")
    task = Task(Kind.COMPARISON, "defect_rate", rule_set="quality", windows=(window,))
    metric = Metric("defect_rate", LocalizedText("불량률", "Defect rate"), "1", Direction.LOWER, target=0.03)
    figures = Figures(
        (
            Column("line", LocalizedText("라인", "Line"), "", ("L01", "L02")),
            Column("defect_rate", LocalizedText("불량률", "Defect rate"), "1", (value, 0.02)),
        ),
        2,
        (Source(metric, 120),),
    )
    hit = RuleHit("too_many", Severity.CRITICAL, LocalizedText("많음 '\"", "many"))
    verdicts = RuleVerdicts(
        (RuleVerdict(Severity.CRITICAL, (hit,)), RuleVerdict(Severity.NORMAL)), "ruleSets/quality@1:abc"
    )
    verdict = judge(task, figures, arrange(task, figures), verdicts)
    id_ = new_id(FixedClock(at))
    return Judgment(id_, "sample", task, Method.RULE_ONLY, verdict, at, digest("sample", task, figures))


async def test_what_is_kept_comes_back_whole(store: JudgmentStore, tenant: str) -> None:
    judgment = made()
    assert await store.add(tenant, judgment, "") == (judgment, True)
    assert await store.get(tenant, judgment.id) == judgment
    assert len(judgment.verdict.evidence) > 3


async def test_a_request_is_kept_once(store: JudgmentStore, tenant: str) -> None:
    first, second = made(), made(0.07)
    assert await store.add(tenant, first, "run-1") == (first, True)
    assert await store.add(tenant, second, "run-1") == (first, False)
    assert await store.add(tenant, second, "run-2") == (second, True)
    assert [each.id for each in await store.list(tenant, "", 10)] == [second.id, first.id]


async def test_judgments_without_a_request_are_all_kept(store: JudgmentStore, tenant: str) -> None:
    for _ in range(2):
        assert (await store.add(tenant, made(), ""))[1]
    assert len(await store.list(tenant, "", 10)) == 2


async def test_lists_newest_first_without_evidence(store: JudgmentStore, tenant: str) -> None:
    kept = [made(at=T0 + timedelta(minutes=minute)) for minute in range(5)]
    for each in (kept[3], kept[0], kept[4], kept[1], kept[2]):
        await store.add(tenant, each, "")
    page = await store.list(tenant, "", 2)
    assert [each.id for each in page] == [kept[4].id, kept[3].id]
    assert page[0] == replace(kept[4], verdict=replace(kept[4].verdict, evidence=()))
    assert [each.id for each in await store.list(tenant, kept[3].id, 10)] == [kept[2].id, kept[1].id, kept[0].id]


async def test_tenants_do_not_see_each_other(store: JudgmentStore, tenant: str) -> None:
    judgment = made()
    await store.add(tenant, judgment, "run-1")
    stranger = f"{tenant}-x"
    with pytest.raises(NotFound):
        await store.get(stranger, judgment.id)
    assert await store.list(stranger, "", 10) == []
    assert (await store.add(stranger, made(), "run-1"))[1]


@pytest.mark.parametrize("unknown", ["01a205a5-4a44-7000-801a-6af7e09fdcb7", "-" * 36, ""])
async def test_what_is_not_there_is_not_found(store: JudgmentStore, tenant: str, unknown: str) -> None:
    with pytest.raises(NotFound):
        await store.get(tenant, unknown)
