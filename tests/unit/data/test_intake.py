"""The life of an import, in memory."""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.data.domain.imports import MAX_PIECES, Counts, ImportFile, ImportState, Piece, arrived
from services.data.domain.intake import Intake
from services.data.domain.sampler import Sampler
from services.data.store.memory import MemoryStore
from services.errors import FactoryError, FailedPrecondition, Invalid, NotFound, Reason
from tests.support import plants

T0 = datetime(2026, 3, 2, tzinfo=UTC)
MAPPING = """
version: 1
plant: {id: mill, name: {ko: 제분소, en: Mill}, time_zone: Asia/Seoul}
files: [{name: meter.csv}]
ignored_files: [readme.txt]
loads:
  - dataset: energy
    file: meter.csv
    key: [started_at]
    fields:
      started_at: {columns: [date], formats: ["%Y-%m-%d %H:%M"]}
      energy_kwh: {column: kWh}
"""
GOOD = b"date,kWh\n2024-01-01 00:00,1\n2024-01-01 01:00,x\n"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def intake(store: MemoryStore) -> Intake:
    numbers = itertools.count(1)
    return Intake(store, plants.known_metrics(), now=lambda: T0, new_id=lambda: f"id-{next(numbers):04d}")


def announced(content: bytes = GOOD, name: str = "meter.csv") -> ImportFile:
    return ImportFile(name, len(content), hashlib.sha256(content).hexdigest())


async def begun(intake: Intake, content: bytes = GOOD) -> str:
    return (await intake.create("t", MAPPING, (announced(content),))).id


async def committed(intake: Intake, content: bytes) -> Counts:
    import_id = await begun(intake, content)
    await intake.upload("t", import_id, "meter.csv", 0, content)
    return (await intake.commit("t", import_id))[0].counts


async def refusal(call: Callable[[], object], error: type[FactoryError]) -> FactoryError:
    with pytest.raises(error) as refused:
        await call()  # type: ignore[misc] # every call here is a coroutine function
    return refused.value


async def test_the_good_rows_are_in_and_the_report_says_the_rest(intake: Intake) -> None:
    import_id = await begun(intake)
    assert await intake.upload("t", import_id, "meter.csv", 10, GOOD[10:]) == len(GOOD) - 10
    assert await intake.upload("t", import_id, "meter.csv", 0, GOOD[:10]) == len(GOOD)
    ended, mine = await intake.commit("t", import_id)
    assert (mine, ended.state, ended.plant, ended.ended_at) == (True, ImportState.SUCCEEDED, "mill", T0)
    assert (ended.report.read, ended.counts.inserted, ended.report.rejected) == (2, 1, 1)
    assert ended.report.rejected_rows[0].line == 3
    assert await intake.commit("t", import_id) == (ended, False)
    assert await intake.get("t", import_id) == ended


async def test_the_same_files_change_nothing_and_a_corrected_value_updates(intake: Intake) -> None:
    assert await committed(intake, GOOD) == Counts(inserted=1)
    assert await committed(intake, GOOD) == Counts(unchanged=1)
    assert await committed(intake, GOOD.replace(b"00:00,1", b"00:00,9")) == Counts(updated=1)


async def test_overlapping_pieces_are_counted_once(intake: Intake) -> None:
    import_id = await begun(intake)
    await intake.upload("t", import_id, "meter.csv", 0, GOOD[:20])
    await intake.upload("t", import_id, "meter.csv", 0, GOOD[:20])
    assert await intake.upload("t", import_id, "meter.csv", 10, GOOD[10:30]) == 30
    await intake.upload("t", import_id, "meter.csv", 30, GOOD[30:])
    assert (await intake.commit("t", import_id))[1]


@pytest.mark.parametrize(
    ("pieces", "covered"),
    [([], 0), ([(0, 5), (5, 5)], 10), ([(5, 5)], 5), ([(0, 10), (2, 3)], 10), ([(0, 4), (6, 4), (3, 4)], 10)],
)
def test_arrived(pieces: list[tuple[int, int]], covered: int) -> None:
    assert arrived([Piece(*each) for each in pieces]) == covered


async def test_missing_bytes_leave_the_import_open(intake: Intake) -> None:
    import_id = await begun(intake)
    await intake.upload("t", import_id, "meter.csv", 0, GOOD[:10])
    refused = await refusal(lambda: intake.commit("t", import_id), FailedPrecondition)
    assert refused.reason is Reason.INVALID_STATE
    assert "10 of" in refused.message
    await intake.upload("t", import_id, "meter.csv", 10, GOOD[10:])
    assert (await intake.commit("t", import_id))[1]


async def test_other_bytes_than_announced_fail_it(intake: Intake) -> None:
    import_id = await begun(intake)
    await intake.upload("t", import_id, "meter.csv", 0, GOOD.replace(b"00:00,1", b"00:00,2"))
    refused = await refusal(lambda: intake.commit("t", import_id), Invalid)
    assert refused.reason is Reason.IMPORT_REJECTED
    assert (await intake.get("t", import_id)).state is ImportState.FAILED
    again = await refusal(lambda: intake.commit("t", import_id), FailedPrecondition)
    assert again.metadata == {"resource": f"imports/{import_id}", "state": "FAILED"}
    late = await refusal(lambda: intake.upload("t", import_id, "meter.csv", 0, b"x"), FailedPrecondition)
    assert late.reason is Reason.INVALID_STATE


async def test_a_file_that_no_mapping_could_read_fails_it_and_says_why(intake: Intake, store: MemoryStore) -> None:
    import_id = await begun(intake, b"")
    refused = await refusal(lambda: intake.commit("t", import_id), Invalid)
    assert refused.reason is Reason.IMPORT_REJECTED
    failed = await intake.get("t", import_id)
    assert (failed.state, failed.failure) == (ImportState.FAILED, "meter.csv is empty")
    assert await store.plant("t", "mill") is None


async def test_pieces_stay_within_what_was_announced(intake: Intake) -> None:
    import_id = await begun(intake)
    beyond = await refusal(lambda: intake.upload("t", import_id, "meter.csv", len(GOOD), b"x"), Invalid)
    assert beyond.violations[0].field == "offset"
    other = await refusal(lambda: intake.upload("t", import_id, "other.csv", 0, b"x"), Invalid)
    assert other.violations[0].field == "file"
    await refusal(lambda: intake.upload("t", "nobody", "meter.csv", 0, b"x"), NotFound)


async def test_a_file_in_crumbs_is_refused(intake: Intake) -> None:
    content = b"x" * (MAX_PIECES + 1)
    import_id = await begun(intake, content)
    for at in range(MAX_PIECES):
        await intake.upload("t", import_id, "meter.csv", at, b"x")
    refused = await refusal(lambda: intake.upload("t", import_id, "meter.csv", MAX_PIECES, b"x"), Invalid)
    assert refused.violations[0].rule == "import.pieces"


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ((), "meter.csv, which the mapping reads, is missing"),
        ((announced(), announced()), "meter.csv is announced twice"),
        ((announced(), announced(name="other.csv")), "other.csv is not named in the mapping"),
        ((replace(announced(), size=300 * 1024 * 1024),), "larger than 256 MiB"),
    ],
)
async def test_files_that_do_not_fit_the_mapping(intake: Intake, files: tuple[ImportFile, ...], part: str) -> None:
    refused = await refusal(lambda: intake.create("t", MAPPING, files), Invalid)
    assert refused.reason is Reason.IMPORT_REJECTED
    assert part in refused.violations[0].description


async def test_an_ignored_file_may_come_along(intake: Intake) -> None:
    created = await intake.create("t", MAPPING, (announced(), announced(b"hello", "readme.txt")))
    await intake.upload("t", created.id, "meter.csv", 0, GOOD)
    assert (await intake.commit("t", created.id))[0].state is ImportState.SUCCEEDED


async def test_goals_are_of_known_metrics(intake: Intake) -> None:
    wrong = MAPPING.replace("time_zone:", "goals: {colour: 1, oee: 0.8}, time_zone:")
    refused = await refusal(lambda: intake.create("t", wrong, (announced(),)), Invalid)
    assert [each.field for each in refused.violations] == ["data_import.mapping.plant.goals.colour"]


async def test_a_plant_does_not_move_to_another_zone(intake: Intake) -> None:
    await committed(intake, GOOD)
    moved = MAPPING.replace("Asia/Seoul", "Europe/Berlin")
    refused = await refusal(lambda: intake.create("t", moved, (announced(),)), Invalid)
    assert refused.violations[0].field == "data_import.mapping.plant.time_zone"


async def test_nothing_real_is_mixed_into_the_generated_plant(intake: Intake, store: MemoryStore) -> None:
    await Sampler(store, plants.sample()).load("t", T0, 0)
    mixed = MAPPING.replace("id: mill", "id: sample")
    refused = await refusal(lambda: intake.create("t", mixed, (announced(),)), Invalid)
    assert refused.violations[0].field == "data_import.mapping.plant.id"


async def test_the_generated_plant_is_not_mixed_into_a_real_one(intake: Intake, store: MemoryStore) -> None:
    created = await intake.create("t", MAPPING.replace("id: mill", "id: sample"), (announced(),))
    await intake.upload("t", created.id, "meter.csv", 0, GOOD)
    await intake.commit("t", created.id)
    refused = await refusal(lambda: Sampler(store, plants.sample()).load("t", T0, 0), FailedPrecondition)
    assert refused.reason is Reason.INVALID_STATE


async def test_imports_are_listed_in_pages(intake: Intake) -> None:
    made = [await begun(intake) for _ in range(3)]
    page, last = await intake.imports("t", "", 2)
    assert ([each.id for each in page], last) == ([made[2], made[1]], made[1])
    page, last = await intake.imports("t", last, 2)
    assert ([each.id for each in page], last) == ([made[0]], "")
