"""The sample plant: the same for everybody, only ever appended to, consistent, and wrong exactly where it says so."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from services.data.domain import sample
from services.data.domain.datasets import DATASETS
from services.data.domain.imports import Batch
from services.data.domain.plant import Dimension, Window
from services.data.domain.query import OrderBy, Query
from services.data.domain.reader import Reader
from services.data.domain.sample_state import SampleState
from services.data.domain.sampler import Sampler
from services.data.store.memory import MemoryStore
from services.errors import FailedPrecondition, Invalid
from tests.support import plants

END = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)  # a Wednesday afternoon in Seoul
ANCHOR = END.replace(minute=0)
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 3, 15, tzinfo=UTC)  # of the anchor's day


def generate(start: datetime, end: datetime, seed: int = 42) -> Batch:
    return sample.batch(plants.sample(), SampleState(seed, ANCHOR, end), start, end)


@cache
def whole() -> Batch:
    return generate(ANCHOR - sample.SPAN, ANCHOR)


def records(of: Batch, dataset: str) -> list[dict[str, Any]]:
    return [dict(zip(DATASETS[dataset].columns, row, strict=True)) for row in of.rows[dataset]]


def test_the_same_seed_gives_the_same_rows_and_another_gives_others() -> None:
    start = ANCHOR - 3 * DAY
    assert generate(start, ANCHOR) == generate(start, ANCHOR)
    assert generate(start, ANCHOR, seed=7).rows != generate(start, ANCHOR).rows


def test_an_hour_is_the_same_whether_it_comes_first_or_later() -> None:
    start, middle = ANCHOR - 4 * DAY, ANCHOR - 2 * DAY
    at_once = generate(start, ANCHOR).rows
    in_parts = [generate(start, middle).rows, generate(middle, ANCHOR).rows]
    assert {name: [row for part in in_parts for row in part[name]] for name in DATASETS} == at_once


def test_it_is_no_larger_than_a_laptop_likes() -> None:
    sizes = {name: len(rows) for name, rows in whole().rows.items()}
    assert all(0 < size < 100_000 for size in sizes.values()), sizes
    assert sizes["production"] == 90 * 24 * 10
    assert whole().plant.synthetic
    assert "ynthetic" in whole().plant.name.en


def test_what_the_tables_say_agrees_to_the_piece_and_minute() -> None:
    defects: dict[object, float] = defaultdict(float)
    stops: dict[object, list[float]] = defaultdict(list)
    for each in records(whole(), "defect"):
        defects[each["equipment"], each["started_at"]] += each["defect_qty"]
    for each in records(whole(), "downtime"):
        stops[each["equipment"], each["started_at"]].append(each["minutes"])
    for each in records(whole(), "production"):
        place = (each["equipment"], each["started_at"])
        assert each["defect_qty"] == defects.get(place, 0)
        assert each["downtime_min"] == sum(stops.get(place, []))
        assert each["stop_count"] == len(stops.get(place, []))
        assert each["good_qty"] == each["total_qty"] - each["defect_qty"] >= 0
        assert each["scrap_qty"] + each["rework_qty"] <= each["defect_qty"]
        assert each["runtime_min"] >= 0
        assert each["runtime_min"] + each["downtime_min"] + each["setup_min"] in {0, 60}


def test_no_key_comes_twice_and_every_name_is_known() -> None:
    known = {str(entry.target) for entry in whole().targets}
    for name, rows in whole().rows.items():
        assert len({row[0] for row in rows}) == len(rows), name
        used = {
            f"{dimension}:{each[dimension.value]}"
            for each in records(whole(), name)
            for dimension in DATASETS[name].dimensions
            if each[dimension.value] is not None
        }
        assert used <= known


@pytest.fixture(scope="module")
async def reader() -> Reader:
    store = MemoryStore()
    await Sampler(store, plants.sample()).load("t", END, 0)
    return Reader(store, plants.known_metrics())


def days_ago(first: int, last: int = 0) -> Window:
    return Window(MIDNIGHT - first * DAY, MIDNIGHT - last * DAY)


async def table(reader: Reader, metric: str, *windows: Window, split: Dimension | None = None, **kw: Any) -> Any:
    query = Query((metric,), windows, group_by=(split,) if split else (), **kw)
    found = await reader.query("t", "sample", query, END)
    cells = {column.id: column.cells for column in found.columns}
    return dict(zip(cells[split.value], cells[metric], strict=True)) if split else cells[metric]


async def test_the_worn_bearing_shows_in_vibration_before_defects(reader: Reader) -> None:
    before, after = days_ago(30, 9), days_ago(4)
    shaking = {
        window: await table(reader, "vibration", window, split=Dimension.EQUIPMENT) for window in (before, after)
    }
    assert shaking[after]["E007"] > 2 * shaking[before]["E007"]
    for other in ("E008", "E009", "E010"):
        assert shaking[after][other] == pytest.approx(shaking[before][other], rel=0.15)
    defects = [await table(reader, "defect_rate", window, split=Dimension.EQUIPMENT) for window in (before, after)]
    assert defects[1]["E007"] > 3 * defects[0]["E007"]
    assert defects[1]["E008"] == pytest.approx(defects[0]["E008"], rel=0.3)
    by_line = [await table(reader, "defect_rate", window, split=Dimension.LINE) for window in (before, after)]
    assert by_line[1]["L03"] > 1.5 * by_line[0]["L03"]
    assert by_line[1]["L01"] < 1.3 * by_line[0]["L01"]
    reasons = await table(reader, "defect_qty", after, split=Dimension.REASON, targets=("equipment:E007",))
    assert max(reasons, key=reasons.get) == "dimension"


async def test_the_night_shift_of_line_2_is_the_one_that_fails(reader: Reader) -> None:
    by_shift = await table(reader, "defect_rate", days_ago(20), split=Dimension.SHIFT, targets=("line:L02",))
    assert by_shift["night"] > 1.4 * max(by_shift["day"], by_shift["evening"])
    elsewhere = await table(reader, "defect_rate", days_ago(20), split=Dimension.SHIFT, targets=("line:L01",))
    assert elsewhere["night"] < 1.2 * elsewhere["day"]


async def test_one_lot_was_made_of_bad_material(reader: Reader) -> None:
    by_lot = await table(
        reader, "defect_rate", days_ago(40, 10), split=Dimension.LOT, order_by=OrderBy("defect_rate", descending=True)
    )
    worst, second = list(by_lot.values())[:2]
    assert worst > 1.5 * second
    reasons = await table(reader, "defect_qty", days_ago(34, 33), split=Dimension.REASON, targets=("line:L01",))
    assert max(reasons, key=reasons.get) == "contamination"


async def test_downtime_is_a_pareto_headed_by_one_machine(reader: Reader) -> None:
    by_reason = await table(
        reader, "downtime", days_ago(60), split=Dimension.REASON, order_by=OrderBy("downtime", descending=True)
    )
    minutes = list(by_reason.values())
    assert next(iter(by_reason)) == "conveyor_jam"
    assert sum(minutes[:2]) > 0.6 * sum(minutes)
    by_machine = await table(
        reader, "downtime", days_ago(60), split=Dimension.EQUIPMENT, order_by=OrderBy("downtime", descending=True)
    )
    assert next(iter(by_machine)) == "E002"


async def test_air_leaks_and_housings_run_out(reader: Reader) -> None:
    # The same weekdays, so that weekends weigh alike.
    before, after = await table(reader, "energy", days_ago(35, 21), days_ago(14), targets=("line:L01",))
    assert after > 1.05 * before
    stock = await table(reader, "coverage_days", days_ago(1), split=Dimension.PRODUCT)
    assert stock["PRD002"] < 3 < min(days for product, days in stock.items() if product != "PRD002")


async def test_weekends_dip_and_no_hour_is_missing(reader: Reader) -> None:
    sunday = MIDNIGHT - 3 * DAY  # 2026-03-01
    week = [await table(reader, "production_qty", Window(sunday + i * DAY, sunday + (i + 1) * DAY)) for i in (0, 1)]
    assert 0 < week[0][0] < 0.8 * week[1][0]


async def test_loading_again_adds_only_what_is_missing() -> None:
    store = MemoryStore()
    sampler = Sampler(store, plants.sample())
    _, first = await sampler.load("t", END, 0)
    assert first == sum(len(rows) for rows in whole().rows.values())
    assert (await sampler.load("t", END, 0))[1] == 0
    assert (await sampler.load("t", END - 5 * DAY, 0))[1] == 0
    _, later = await sampler.load("t", END + timedelta(hours=2), 0)
    assert later == sum(len(rows) for rows in generate(ANCHOR, ANCHOR + timedelta(hours=2)).rows.values())
    assert await store.sample("t", "sample") == SampleState(42, ANCHOR, ANCHOR + timedelta(hours=2))
    with pytest.raises(FailedPrecondition, match="seed 42"):
        await sampler.load("t", END, 7)


@pytest.mark.parametrize("end", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
async def test_an_end_out_of_all_time_is_refused(end: datetime) -> None:
    with pytest.raises(Invalid, match="between 2000 and 2100"):
        await Sampler(MemoryStore(), plants.sample()).load("t", end, 0)


async def test_a_plant_does_not_catch_up_with_the_far_future() -> None:
    store = MemoryStore()
    sampler = Sampler(store, plants.sample())
    start = ANCHOR - timedelta(hours=1)
    await store.extend_sample("t", generate(start, ANCHOR), SampleState(42, ANCHOR, ANCHOR), None)
    with pytest.raises(Invalid, match="at most 1098 days"):
        await sampler.load("t", END + 1200 * DAY, 0)
