"""Memory and PostgreSQL keep plants, rows and imports alike, and add them up to the same figures."""

import asyncio
import importlib.resources
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.data.domain.answer import Answer
from services.data.domain.calendar import Grain
from services.data.domain.datasets import DATASETS
from services.data.domain.imports import Batch, Counts, DataImport, ImportFile, ImportState, Piece, RejectedRow, Report
from services.data.domain.plant import Dimension, Plant, Tag, Target, TargetEntry, Text, Window
from services.data.domain.ports import Store
from services.data.domain.query import OrderBy, Query
from services.data.domain.reader import Reader
from services.data.domain.sample_state import SampleState
from services.data.store import migrations
from services.data.store.memory import MemoryStore
from services.data.store.postgres import PostgresStore
from services.errors import Conflict, FailedPrecondition, Invalid, NotFound, Reason
from tests.support import plants
from tests.support.plants import row
from tests.support.server import until

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(
        postgres_url, "data", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
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


def batch(*made: tuple[str, datetime, float], of: Plant | None = None) -> Batch:
    rows = [row("production", key, start, start + HOUR, line="L01", total_qty=qty) for key, start, qty in made]
    return Batch(of or plants.plant(), plants.targets("line:L01"), {"production": rows})


def started(import_id: str = "", plant: str = "mill") -> DataImport:
    files = (ImportFile("a.csv", 10, "0" * 64),)
    return DataImport(import_id or new_id(SystemClock()), "mapping", files, plant, ImportState.UPLOADING, T0)


async def take(store: Store, tenant: str, rows: Batch) -> Counts:
    new = started(plant=rows.plant.id)
    await store.create_import(tenant, new)
    ended, mine = await store.commit_import(
        tenant,
        new.id,
        rows,
        lambda counts: replace(new, state=ImportState.SUCCEEDED, ended_at=T0 + HOUR, counts=counts),
    )
    assert mine
    return ended.counts


async def version(store: Store, tenant: str) -> str:
    record = await store.plant(tenant, "mill")
    assert record is not None
    return record.version


async def test_taking_rows_again_changes_nothing_and_a_corrected_value_updates(store: Store, tenant: str) -> None:
    first = batch(("a", T0, 1.0), ("b", T0 + HOUR, 2.0))
    assert await take(store, tenant, first) == Counts(inserted=2)
    before = await version(store, tenant)
    assert await take(store, tenant, first) == Counts(unchanged=2)
    assert await version(store, tenant) == before
    corrected = batch(("a", T0, 1.0), ("b", T0 + HOUR, 3.0), ("c", T0 + 2 * HOUR, 4.0))
    assert await take(store, tenant, corrected) == Counts(inserted=1, unchanged=1, updated=1)
    assert await version(store, tenant) != before


async def test_the_same_content_has_the_same_version_everywhere(store: Store, tenant: str) -> None:
    rows = plants.random_batch(1, plants.plant(), 30)
    await take(store, tenant, rows)
    memory = MemoryStore()
    await take(memory, tenant, rows)
    assert await store.plant(tenant, "mill") == await memory.plant(tenant, "mill")
    assert await store.targets(tenant, "mill") == await memory.targets(tenant, "mill")


async def test_a_plant_comes_back_as_it_went_in(store: Store, tenant: str) -> None:
    full = replace(
        plants.plant(),
        attribution="somebody",
        tags=(Tag("torque", Text("토크", "Torque"), "N.m", ("회전력",)),),
        shifts=(replace(plants.SHIFTS[0], aliases=("주간조",)), plants.SHIFTS[1]),
    )
    await take(store, tenant, batch(of=full))
    record = await store.plant(tenant, "mill")
    assert record is not None
    assert (record.plant, record.facts) == (full, ())
    await take(store, tenant, batch(of=replace(full, name=Text("새 이름", "New name"))))
    assert [each.name.en for each in await store.plants(tenant, "", 10)] == ["New name"]


async def test_facts_say_what_the_rows_hold(store: Store, tenant: str) -> None:
    rows = [
        row("reading", "1", T0, T0 + HOUR, tag="temperature", quality="good", value=1.0),
        row("reading", "2", T0 + HOUR, tag="vibration", quality="good", equipment="E001"),
    ]
    await take(store, tenant, Batch(plants.plant(), (), {"reading": rows}))
    record = await store.plant(tenant, "mill")
    assert record is not None
    temperature, vibration = sorted(record.facts, key=lambda each: each.tag)
    assert (temperature.first, temperature.last, temperature.longest) == (T0, T0 + HOUR, HOUR)
    assert {"value", "tag"} <= temperature.filled
    assert "equipment" not in temperature.filled
    # A row without an end lasts a second, so that coverage is never empty.
    assert (vibration.last, vibration.row_count) == (T0 + HOUR + timedelta(seconds=1), 1)
    assert "value" not in vibration.filled


async def test_a_named_target_is_not_unnamed_by_the_rows_of_a_later_import(store: Store, tenant: str) -> None:
    line = Target(Dimension.LINE, "L01")
    named = TargetEntry(line, Text("1라인", "Line 1"), ("A라인",), "")
    await take(store, tenant, replace(batch(), targets=(named,)))
    await take(store, tenant, batch())
    assert (await store.targets(tenant, "mill"))[1] == [named]
    renamed = replace(named, name=Text("첫째 라인", "First line"))
    await take(store, tenant, replace(batch(), targets=(renamed,)))
    assert (await store.targets(tenant, "mill"))[1] == [renamed]


async def test_plants_are_listed_by_id(store: Store, tenant: str) -> None:
    for name in ("c", "a", "b"):
        await take(store, tenant, batch(of=plants.plant(name)))
    assert [each.id for each in await store.plants(tenant, "", 2)] == ["a", "b"]
    assert [each.id for each in await store.plants(tenant, "b", 2)] == ["c"]


async def test_a_tenant_sees_nothing_of_another(store: Store, tenant: str) -> None:
    other = f"{tenant}-other"
    await take(store, tenant, batch(("a", T0, 1.0)))
    new = started()
    await store.create_import(tenant, new)
    assert await store.plants(other, "", 10) == []
    assert await store.plant(other, "mill") is None
    assert await store.get_import(other, new.id) is None
    assert await store.list_imports(other, "", 10) == []
    assert await store.sample(other, "mill") is None
    with pytest.raises(NotFound):
        await store.targets(other, "mill")
    # The same ids are free for it, and its rows stay its own.
    assert await take(store, other, batch(("a", T0, 5.0))) == Counts(inserted=1)
    for owner, total in ((tenant, 1.0), (other, 5.0)):
        found = await ask(store, owner, Query(("production_qty",), (Window(T0, T0 + HOUR),)))
        assert found.columns[0].cells == (total,)


async def ask(store: Store, tenant: str, query: Query, as_of: datetime = T0 + timedelta(days=1)) -> Answer:
    return await Reader(store, plants.known_metrics()).query(tenant, "mill", query, as_of)


async def test_an_import_is_uploaded_in_pieces(store: Store, tenant: str) -> None:
    new = started()
    await store.create_import(tenant, new)
    assert await store.get_import(tenant, new.id) == new
    uploading = ImportState.UPLOADING
    assert await store.put_piece(tenant, new.id, "a.csv", 4, b"efgh") == (uploading, [Piece(4, 4)])
    assert await store.put_piece(tenant, new.id, "a.csv", 0, b"abcd") == (uploading, [Piece(0, 4), Piece(4, 4)])
    assert await store.put_piece(tenant, new.id, "a.csv", 4, b"EF") == (uploading, [Piece(0, 4), Piece(4, 2)])
    assert await store.content(tenant, new.id, "a.csv") == [(0, b"abcd"), (4, b"EF")]
    assert await store.content(tenant, new.id, "b.csv") == []


async def test_an_import_ends_once(store: Store, tenant: str) -> None:
    new = started()
    await store.create_import(tenant, new)
    await store.put_piece(tenant, new.id, "a.csv", 0, b"abcd")
    report = Report(3, 1, 1, (RejectedRow("a.csv", 2, "kWh", "'x' is no number"),))

    def outcome(counts: Counts) -> DataImport:
        return replace(new, state=ImportState.SUCCEEDED, ended_at=T0, report=report, counts=counts)

    attempts = (store.commit_import(tenant, new.id, batch(("a", T0, 1.0)), outcome) for _ in range(3))
    ended = await asyncio.gather(*attempts)
    assert sorted(mine for _, mine in ended) == [False, False, True]
    assert {each for each, _ in ended} == {outcome(Counts(inserted=1))}
    assert await store.get_import(tenant, new.id) == outcome(Counts(inserted=1))
    assert await store.content(tenant, new.id, "a.csv") == []
    assert (await store.put_piece(tenant, new.id, "a.csv", 0, b"x"))[0] is ImportState.SUCCEEDED
    await store.fail_import(tenant, replace(new, state=ImportState.FAILED, failure="late"))
    assert await store.get_import(tenant, new.id) == outcome(Counts(inserted=1))


async def test_a_failed_import_says_why_and_takes_nothing(store: Store, tenant: str) -> None:
    new = started()
    await store.create_import(tenant, new)
    await store.put_piece(tenant, new.id, "a.csv", 0, b"abcd")
    failed = replace(new, state=ImportState.FAILED, ended_at=T0, failure="a.csv is empty")
    await store.fail_import(tenant, failed)
    assert await store.get_import(tenant, new.id) == failed
    assert await store.content(tenant, new.id, "a.csv") == []
    assert await store.plant(tenant, "mill") is None


async def test_imports_are_listed_newest_first_without_their_bulk(store: Store, tenant: str) -> None:
    made = [started() for _ in range(3)]
    for each in made:
        await store.create_import(tenant, each)
    newest = await store.list_imports(tenant, "", 2)
    assert [each.id for each in newest] == [made[2].id, made[1].id]
    assert {each.mapping for each in newest} == {""}
    assert [each.id for each in await store.list_imports(tenant, newest[-1].id, 2)] == [made[0].id]


async def test_a_generated_plant_is_extended_by_one_caller_at_a_time(store: Store, tenant: str) -> None:
    first = SampleState(42, T0, T0)
    assert await store.sample(tenant, "mill") is None
    assert await store.extend_sample(tenant, batch(("a", T0, 1.0)), first, None) == Counts(inserted=1)
    assert await store.sample(tenant, "mill") == first
    with pytest.raises(Conflict):
        await store.extend_sample(tenant, batch(("b", T0, 1.0)), first, None)
    later = replace(first, end=T0 + HOUR)
    assert await store.extend_sample(tenant, batch(("b", T0, 1.0)), later, first) == Counts(inserted=1)
    assert await store.sample(tenant, "mill") == later


async def test_a_plant_that_somebody_imported_is_no_generated_one(store: Store, tenant: str) -> None:
    await take(store, tenant, batch())
    assert await store.sample(tenant, "mill") is None


async def test_what_fails_in_the_middle_leaves_nothing_behind(database: Database, tenant: str) -> None:
    store = PostgresStore(database)
    rows = batch(("a", T0, 1.0))
    broken = replace(rows, rows={**rows.rows, "downtime": [row("downtime", "x", T0, reason="zero\0byte", minutes=1.0)]})
    new = started()
    await store.create_import(tenant, new)
    with pytest.raises(Invalid, match="zero byte"):
        await store.commit_import(tenant, new.id, broken, lambda counts: replace(new, counts=counts))
    assert await store.plant(tenant, "mill") is None
    assert await store.get_import(tenant, new.id) == new


# The oracle: random questions to random rows, answered by both.

METRICS = sorted(plants.known_metrics())
PLANTS = {
    "new-york": plants.plant("new-york"),
    "seoul": plants.plant("seoul", "Asia/Seoul"),
    "lord-howe": plants.plant("lord-howe", "Australia/Lord_Howe"),
    "no-shifts": plants.plant("no-shifts", "Asia/Kathmandu", ()),
}
END = plants.START + timedelta(days=plants.DAYS)
quarters = st.integers(-96, plants.DAYS * 96 + 96).map(lambda each: plants.START + timedelta(minutes=15 * each))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = sorted([draw(quarters), draw(quarters)])
    if draw(st.booleans()):  # whole local days, where shifts count on the day of their start
        zone = draw(st.sampled_from([plant.zone for plant in PLANTS.values()]))
        days = (start.astimezone(zone), end.astimezone(zone) + timedelta(days=1))
        start, end = (each.replace(hour=0, minute=0, fold=0).astimezone(UTC) for each in days)
    assume(start < end)
    return Window(start, end)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    metrics = draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=4, unique=True))
    group_by = draw(st.lists(st.sampled_from(Dimension), max_size=2, unique=True))
    named = [f"{kind}:{each}" for kind, ids in plants.IDS.items() for each in ids] + ["shift:day", "shift:night"]
    grain = draw(st.none() | st.sampled_from(Grain))
    spans = draw(st.lists(windows(), min_size=1, max_size=4))
    columns = [*metrics, *(each.value for each in group_by), *(["time"] if grain else [])]
    order = draw(st.none() | st.builds(OrderBy, st.sampled_from(columns), st.booleans()))
    return Query(
        metrics=tuple(metrics),
        windows=tuple(spans),
        targets=tuple(draw(st.lists(st.sampled_from(named), max_size=2, unique=True))),
        group_by=tuple(group_by),
        grain=grain,
        order_by=order,
        limit=draw(st.sampled_from([0, 1, 7, 10_000])),
        include_future=draw(st.booleans()),
    )


@pytest.fixture(scope="module")
async def readers(database: Database) -> tuple[Reader, Reader, str]:
    tenant = f"t-{new_id(SystemClock())}"
    memory, postgres = MemoryStore(), PostgresStore(database)
    for seed, plant in enumerate(PLANTS.values()):
        for each in (memory, postgres):
            await take(each, tenant, plants.random_batch(seed, plant))
    return Reader(memory, plants.known_metrics()), Reader(postgres, plants.known_metrics()), tenant


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(query=queries(), plant=st.sampled_from(sorted(PLANTS)), as_of=quarters)
async def test_memory_and_postgres_give_the_same_answers(
    readers: tuple[Reader, Reader, str], query: Query, plant: str, as_of: datetime
) -> None:
    memory, postgres, tenant = readers
    wanted = await outcome(memory, tenant, plant, query, as_of)
    assert await outcome(postgres, tenant, plant, query, as_of) == wanted
    # A plant that lacks the split refuses alike, which is worth little: draw another question.
    assume(wanted != Reason.DATA_NOT_AVAILABLE)


async def outcome(reader: Reader, tenant: str, plant: str, query: Query, as_of: datetime) -> Answer | Reason:
    try:
        return await reader.query(tenant, plant, query, as_of)
    except (Invalid, FailedPrecondition) as refused:
        return refused.reason


async def test_tags_of_one_table_are_told_apart(readers: tuple[Reader, Reader, str]) -> None:
    memory, postgres, tenant = readers
    tags = ("temperature", "vibration", "level")
    whole = (Window(plants.START, END),)
    for reader in (memory, postgres):
        together = await reader.query(tenant, "seoul", Query(tags, whole, group_by=(Dimension.LINE,)), END)
        for tag in tags:
            alone = await reader.query(tenant, "seoul", Query((tag,), whole, group_by=(Dimension.LINE,)), END)
            assert alone.columns[1] in together.columns
        assert len({column.cells for column in together.columns}) == len(together.columns)


async def test_the_tables_have_the_columns_of_the_data_sets(database: Database) -> None:
    statement = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'data' AND table_name = $1"
    for dataset in DATASETS.values():
        async with database.transaction("t") as connection:
            found = [row[0] for row in await connection.fetch(f"{statement} ORDER BY ordinal_position", dataset.name)]
        assert tuple(found) == ("tenant", "plant", *dataset.columns)


async def test_every_data_set_can_be_read_in_every_way(readers: tuple[Reader, Reader, str]) -> None:
    memory, postgres, tenant = readers
    whole = Window(plants.START, END)
    read = set()
    for metric in ("oee", "batch_count", "defect_qty", "mttr", "co2", "vibration", "coverage_days"):
        for grain in (None, *Grain):
            for dimension in (None, *Dimension):
                query = Query(
                    (metric,), (whole,), group_by=(dimension,) if dimension else (), grain=grain, limit=10_000
                )
                try:
                    wanted = await memory.query(tenant, "new-york", query, END)
                except FailedPrecondition:
                    continue
                assert await postgres.query(tenant, "new-york", query, END) == wanted
                read |= {source.source.dataset.name for each in wanted.metrics for source in each.sources}
    assert read == set(DATASETS)
