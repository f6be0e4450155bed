"""Memory and PostgreSQL keep decisions and conversations alike."""

import importlib.resources
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.chassis.clock import FixedClock, SystemClock
from services.chassis.ids import new_id
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.errors import AlreadyExists, Unavailable
from services.orchestrator.domain.decision import (
    Answer,
    Conversation,
    Decision,
    DecisionFilter,
    Feedback,
    State,
    Thumb,
)
from services.orchestrator.domain.figures import Severity
from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.meaning import (
    AskBack,
    AskBackOption,
    Classification,
    DialogueContext,
    Intent,
    Slot,
    SlotOrigin,
    Target,
    Window,
)
from services.orchestrator.domain.ports import Store
from services.orchestrator.store import migrations
from services.orchestrator.store.memory import MemoryStore
from services.orchestrator.store.postgres import PostgresStore
from tests.support.server import until

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(
        postgres_url, "orchestrator", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
    )
    await database.start()
    await until(database.ready)
    yield database
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    return PostgresStore(request.getfixturevalue("database"))


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


def decision(minute: int = 0, **overrides: object) -> Decision:
    when = T0 + timedelta(minutes=minute)
    plain = Decision(
        id=new_id(FixedClock(when)),
        state=State.SUCCEEDED,
        question="3라인 불량률?",
        plant="sample",
        conversation="c1",
        language="ko",
        as_of=when,
        principal="dana",
        request_id="r1",
        create_time=when,
        classification=Classification(Intent.CHECK, slots=(Slot("metric", "defect_rate"),)),
        answer=Answer("3.1%입니다.", "ko", Severity.WARNING),
        end_time=when + timedelta(seconds=1),
        catalog_version="v1",
    )
    return replace(plain, **overrides)  # type: ignore[arg-type]


def conversation(minute: int = 0, **overrides: object) -> Conversation:
    window = Window(T0, T0 + timedelta(days=1), "today", "오늘")
    ask_back = AskBack("어느 지표요?", ("metric",), (AskBackOption("oee", Localized("효율", "OEE")),), Intent.RANK)
    context = DialogueContext(
        Intent.CHECK,
        (
            Slot("metric", "defect_rate", "불량률", 4, 7, 0.9),
            Slot("target", "line:L03", target=Target("line:L03", Localized("3라인", "Line 3"))),
            Slot("period", "today", origin=SlotOrigin.DEFAULT, window=window),
            Slot("top_n", "3", number=3),
        ),
        ask_back,
        (Slot("order", "desc", origin=SlotOrigin.INHERITED),),
    )
    plain = Conversation("c1", "sample", "ko", context, T0 + timedelta(minutes=minute))
    return replace(plain, **overrides)  # type: ignore[arg-type]


async def test_what_is_added_comes_back_whole(store: Store, tenant: str) -> None:
    kept = decision()
    await store.add(tenant, kept, conversation())
    assert await store.get(tenant, kept.id) == kept
    assert await store.conversation(tenant, "c1") == replace(conversation(), decisions=(kept.id,))


async def test_nothing_is_found_where_nothing_is(store: Store, tenant: str) -> None:
    assert await store.get(tenant, "nobody") is None
    assert await store.conversation(tenant, "nobody") is None


async def test_an_id_is_taken_once(store: Store, tenant: str) -> None:
    kept = decision()
    await store.add(tenant, kept, None)
    with pytest.raises(AlreadyExists):
        await store.add(tenant, kept, None)


async def test_only_a_running_decision_is_finished_and_only_once(store: Store, tenant: str) -> None:
    running = decision(state=State.RUNNING, answer=None, end_time=None)
    await store.add(tenant, running, None)
    done = replace(running, state=State.SUCCEEDED, answer=Answer("됐습니다.", "ko"), end_time=T0)
    assert await store.finish(tenant, done, conversation())
    assert not await store.finish(tenant, replace(done, state=State.CANCELLED), conversation(9, language="en"))
    assert await store.get(tenant, running.id) == done
    known = await store.conversation(tenant, "c1")
    assert known is not None
    assert known.language == "ko"
    assert not await store.finish(tenant, decision(), None)


async def test_pages_run_from_the_newest_and_filters_all_hold(store: Store, tenant: str) -> None:
    first = decision(0)
    second = decision(1, plant="steel", conversation="c2", state=State.FAILED)
    third = decision(2, classification=Classification(Intent.TREND))
    for each in (second, third, first):
        await store.add(tenant, each, None)

    async def ids(wanted: DecisionFilter, before: str = "", size: int = 10) -> list[str]:
        return [each.id for each in await store.page(tenant, wanted, before, size)]

    everything = DecisionFilter()
    assert await ids(everything) == [third.id, second.id, first.id]
    assert await ids(everything, size=2) == [third.id, second.id]
    assert await ids(everything, before=second.id) == [first.id]
    assert await ids(DecisionFilter(plant="steel")) == [second.id]
    assert await ids(DecisionFilter(state=State.FAILED)) == [second.id]
    assert await ids(DecisionFilter(intent=Intent.TREND)) == [third.id]
    assert await ids(DecisionFilter(conversation="c2")) == [second.id]
    assert await ids(DecisionFilter(start=second.create_time)) == [third.id, second.id]
    assert await ids(DecisionFilter(end=second.create_time)) == [first.id]
    assert await ids(DecisionFilter(plant="sample", intent=Intent.CHECK)) == [first.id]


async def test_feedback_is_appended(store: Store, tenant: str) -> None:
    kept = decision()
    await store.add(tenant, kept, None)
    up = Feedback(Thumb.UP, 0, "", Intent.UNSPECIFIED, "dana", T0)
    wrong = Feedback(Thumb.DOWN, 2, "추이를 물었어요", Intent.TREND, "kim", T0 + timedelta(minutes=1))
    await store.add_feedback(tenant, kept.id, up)
    await store.add_feedback(tenant, kept.id, wrong)
    found = await store.get(tenant, kept.id)
    assert found is not None
    assert found.feedback == (up, wrong)
    [listed] = await store.page(tenant, DecisionFilter(), "", 10)
    assert listed.feedback == (up, wrong)


async def test_a_turn_that_ended_later_keeps_its_word(store: Store, tenant: str) -> None:
    await store.add(tenant, decision(1), conversation(5, language="en"))
    await store.add(tenant, decision(0), conversation(3, language="ko"))
    known = await store.conversation(tenant, "c1")
    assert known is not None
    assert (known.language, len(known.decisions)) == ("en", 2)


async def test_old_conversations_are_forgotten_and_decisions_stay(store: Store, tenant: str) -> None:
    old = decision(0, conversation="old")
    await store.add(tenant, old, conversation(0, id="old"))
    await store.add(tenant, decision(1, conversation="young"), conversation(24 * 60 - 1, id="young"))
    assert await store.conversation(tenant, "old") is not None
    await store.add(tenant, decision(2), conversation(24 * 60))
    assert await store.conversation(tenant, "old") is None
    assert await store.conversation(tenant, "young") is not None
    assert await store.get(tenant, old.id) is not None


async def test_a_conversation_names_its_twenty_newest_decisions(store: Store, tenant: str) -> None:
    kept = [decision(minute) for minute in range(22)]
    for each in kept:
        await store.add(tenant, each, conversation())
    known = await store.conversation(tenant, "c1")
    assert known is not None
    assert known.decisions == tuple(each.id for each in reversed(kept[2:]))


async def test_what_runs_for_too_long_is_found(store: Store, tenant: str) -> None:
    lost = decision(0, state=State.RUNNING, answer=None, end_time=None)
    await store.add(tenant, lost, None)
    await store.add(tenant, decision(1), None)
    await store.add(tenant, decision(9, state=State.RUNNING, answer=None, end_time=None), None)
    assert [each.id for each in await store.abandoned(tenant, T0 + timedelta(minutes=5))] == [lost.id]


async def test_tenants_do_not_see_each_other(store: Store, tenant: str) -> None:
    kept = decision(state=State.RUNNING, answer=None, end_time=None)
    await store.add(tenant, kept, conversation())
    other = f"{tenant}-other"
    assert await store.get(other, kept.id) is None
    assert await store.page(other, DecisionFilter(), "", 10) == []
    assert await store.conversation(other, "c1") is None
    assert await store.abandoned(other, T0 + timedelta(days=1)) == []
    assert not await store.finish(other, replace(kept, state=State.CANCELLED), None)
    await store.add(other, kept, None)


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    database = Database(
        "postgresql://127.0.0.1:1/none",
        "orchestrator",
        importlib.resources.files(migrations),
        clock=SystemClock(),
        metrics=Metrics(),
    )
    with pytest.raises(Unavailable):
        await PostgresStore(database).get("default", "x")


async def test_the_database_itself_keeps_tenants_apart(database: Database, tenant: str) -> None:
    await PostgresStore(database).add(tenant, decision(), conversation())
    async with database.transaction(f"{tenant}-other") as connection:
        for table in ("decision", "conversation", "feedback"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names of this test
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(f"{tenant}-other") as connection:
            await connection.execute("INSERT INTO conversation VALUES ($1, 'x', 'sample', 'ko', now(), '')", tenant)
