"""What a question means: asked of a small plant in memory, whose figures anybody can add up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.data.domain.answer import Answer
from services.data.domain.calendar import Grain
from services.data.domain.datasets import Row
from services.data.domain.imports import Batch
from services.data.domain.plant import Dimension, Tag, Text, Window
from services.data.domain.query import MAX_GROUPS, OrderBy, Query
from services.data.domain.reader import Reader
from services.data.domain.sample_state import SampleState
from services.data.store.memory import MemoryStore
from services.errors import FailedPrecondition, Invalid, NotFound, Reason
from tests.support import plants
from tests.support.plants import row

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEOUL = plants.plant(zone="Asia/Seoul")


def kst(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00").astimezone(UTC)


def day(text: str, days: int = 1) -> Window:
    start = kst(f"{text}T00:00")
    return Window(start, start + days * DAY)


D1, D2, D3 = day("2026-03-02"), day("2026-03-03"), day("2026-03-04")
NOW = kst("2026-03-05T09:00")


def made(key: str, at: str, line: str = "L01", **values: float | str) -> Row:
    start = kst(at)
    defaults: dict[str, float | str] = {"total_qty": 100.0, "defect_qty": 1.0, "runtime_min": 60.0, "downtime_min": 0.0}
    return row("production", key, start, start + HOUR, line=line, **(defaults | values))


def batch(**rows: list[Row]) -> Batch:
    names = ["line:L01", "line:L02", "line:L03", "reason:jam", "reason:other", "shift:day", "shift:night", "product:A"]
    return Batch(SEOUL, plants.targets(*names), rows)


async def reader(of: Batch) -> Reader:
    store = MemoryStore()
    state = SampleState(1, NOW, NOW)
    await store.extend_sample("t", of, state, None)
    return Reader(store, plants.known_metrics())


async def ask(of: Batch, query: Query, as_of: datetime = NOW) -> Answer:
    return await (await reader(of)).query("t", "mill", query, as_of)


def cells(answer: Answer) -> dict[str, list[object]]:
    return {column.id: list(column.cells) for column in answer.columns}


SIMPLE = batch(
    production=[
        made("1", "2026-03-02T08:00", total_qty=100.0, defect_qty=10.0),
        made("2", "2026-03-02T09:00", total_qty=300.0, defect_qty=0.0),
        made("3", "2026-03-03T08:00", "L02", total_qty=0.0, defect_qty=0.0),
        made("4", "2026-03-04T08:00", total_qty=50.0, defect_qty=5.0),
    ],
    downtime=[
        row("downtime", "1", kst("2026-03-02T08:10"), line="L01", reason="jam", minutes=12.0),
        row("downtime", "2", kst("2026-03-02T09:10"), line="L01", reason="other", minutes=8.0),
    ],
)


async def test_a_ratio_is_the_quotient_of_sums_and_not_the_mean_of_quotients() -> None:
    found = await ask(SIMPLE, Query(("defect_rate",), (D1,)))
    assert cells(found) == {"defect_rate": [10 / 400]}
    assert found.row_counts == (2,)


async def test_a_zero_denominator_gives_no_value() -> None:
    assert cells(await ask(SIMPLE, Query(("defect_rate", "production_qty"), (D2,)))) == {
        "defect_rate": [None],
        "production_qty": [0.0],
    }


async def test_several_windows_are_told_apart_by_their_index() -> None:
    found = await ask(SIMPLE, Query(("production_qty",), (D3, D1, day("2026-02-01"))))
    assert cells(found) == {"window": [0.0, 1.0, 2.0], "production_qty": [50.0, 400.0, None]}


async def test_no_row_in_the_data_means_unknown_and_no_event_means_none_happened() -> None:
    query = Query(("production_qty", "downtime", "stop_count", "mttr"), (D2, day("2026-01-01")), ("line:L01",))
    assert cells(await ask(SIMPLE, query)) == {
        "window": [0.0, 1.0],
        "production_qty": [None, None],
        "downtime": [0.0, None],
        "stop_count": [0.0, None],
        "mttr": [None, None],
    }


async def test_buckets_without_rows_are_left_out() -> None:
    found = await ask(SIMPLE, Query(("production_qty",), (day("2026-03-01", 30),), grain=Grain.DAY))
    assert cells(found) == {"time": [D1.start, D2.start, D3.start], "production_qty": [400.0, 0.0, 50.0]}


async def test_metrics_of_two_data_sets_stand_in_one_row() -> None:
    query = Query(("production_qty", "downtime"), (day("2026-03-02", 3),), group_by=(Dimension.LINE,))
    assert cells(await ask(SIMPLE, query)) == {
        "line": ["L01", "L02"],
        "production_qty": [450.0, 0.0],
        "downtime": [20.0, 0.0],
    }


async def test_alternatives_within_a_kind_and_all_kinds_together() -> None:
    query = Query(("downtime",), (D1,), ("reason:jam", "reason:other", "line:L01"))
    assert cells(await ask(SIMPLE, query)) == {"downtime": [20.0]}
    assert cells(await ask(SIMPLE, replace(query, targets=("reason:jam", "line:L01")))) == {"downtime": [12.0]}
    assert cells(await ask(SIMPLE, replace(query, targets=("reason:jam", "line:L02")))) == {"downtime": [0.0]}


@pytest.mark.parametrize(
    ("descending", "lines"), [(True, ["L01", "L03", "L02"]), (False, ["L03", "L01", "L02"])], ids=["desc", "asc"]
)
async def test_rows_without_a_value_come_last_either_way(descending: bool, lines: list[str]) -> None:  # noqa: FBT001
    rows = [
        made("1", "2026-03-02T08:00", "L01", defect_qty=5.0),
        made("2", "2026-03-02T08:00", "L02", total_qty=0.0),
        made("3", "2026-03-02T08:00", "L03", defect_qty=2.0),
    ]
    query = Query(("defect_rate",), (D1,), group_by=(Dimension.LINE,), order_by=OrderBy("defect_rate", descending))
    assert cells(await ask(batch(production=rows), query))["line"] == lines


async def test_equals_keep_the_order_of_their_names_whichever_way() -> None:
    rows = [made(line, "2026-03-02T08:00", line) for line in ("L03", "L01", "L02")]
    for descending in (True, False):
        query = Query(("defect_rate",), (D1,), group_by=(Dimension.LINE,), order_by=OrderBy("defect_rate", descending))
        assert cells(await ask(batch(production=rows), query))["line"] == ["L01", "L02", "L03"]


async def test_the_limit_says_that_it_cut() -> None:
    query = Query(("production_qty",), (day("2026-03-01", 9),), grain=Grain.DAY, limit=2)
    found = await ask(SIMPLE, query)
    assert (found.row_count, found.truncated, found.row_counts) == (2, True, (3,))
    assert not (await ask(SIMPLE, replace(query, limit=3))).truncated


async def test_a_row_without_a_name_is_a_row_and_comes_last() -> None:
    rows = [
        row("downtime", "1", kst("2026-03-02T08:00"), minutes=5.0),
        row("downtime", "2", kst("2026-03-02T08:00"), reason="other", minutes=1.0),
    ]
    found = await ask(batch(downtime=rows), Query(("downtime",), (D1,), group_by=(Dimension.REASON,)))
    assert cells(found) == {"reason": ["other", None], "downtime": [1.0, 5.0]}


async def test_nothing_at_or_after_as_of_is_read_unless_asked_for() -> None:
    as_of = kst("2026-03-02T09:00")
    query = Query(("production_qty",), (day("2026-03-02", 3),))
    assert cells(await ask(SIMPLE, query, as_of)) == {"production_qty": [100.0]}
    assert cells(await ask(SIMPLE, replace(query, include_future=True), as_of)) == {"production_qty": [450.0]}
    later = Query(("production_qty",), (D3,))
    assert cells(await ask(SIMPLE, later, as_of)) == {"production_qty": [None]}


async def test_the_second_source_answers_what_the_first_cannot_split() -> None:
    rows = batch(
        production=[made("1", "2026-03-02T08:00", defect_qty=5.0)],
        defect=[row("defect", "1", kst("2026-03-02T08:00"), line="L01", reason="other", defect_qty=4.0)],
    )
    assert cells(await ask(rows, Query(("defect_qty",), (D1,)))) == {"defect_qty": [5.0]}
    split = Query(("defect_qty",), (D1,), group_by=(Dimension.REASON,))
    assert cells(await ask(rows, split)) == {"reason": ["other"], "defect_qty": [4.0]}


async def test_stock_is_the_newest_of_each_series_in_each_bucket() -> None:
    def counted(key: str, at: str, product: str, stock: float) -> Row:
        return row("inventory", key, kst(at), product=product, stock_qty=stock, daily_use_qty=10.0)

    rows = [
        counted("1", "2026-03-02T00:00", "A", 100.0),
        counted("2", "2026-03-02T12:00", "A", 90.0),
        counted("3", "2026-03-02T00:00", "B", 50.0),
        counted("4", "2026-03-03T00:00", "A", 80.0),
    ]
    of = batch(inventory=rows)
    assert cells(await ask(of, Query(("inventory", "coverage_days"), (D1,)))) == {
        "inventory": [140.0],
        "coverage_days": [7.0],
    }
    # A product that was not counted again has the stock of its last count.
    assert cells(await ask(of, Query(("inventory",), (day("2026-03-02", 2),)))) == {"inventory": [130.0]}
    by_day = Query(("inventory",), (day("2026-03-02", 2),), grain=Grain.DAY)
    assert cells(await ask(of, by_day)) == {"time": [D1.start, D2.start], "inventory": [140.0, 80.0]}


def at_night(key: str, at: str, began: str, minutes: float) -> Row:
    return row("downtime", key, kst(at), minutes=minutes, shift="night", shift_started_at=kst(began))


NIGHTS = batch(
    downtime=[
        at_night("1", "2026-03-02T03:00", "2026-03-01T18:00", 1.0),
        at_night("2", "2026-03-02T23:00", "2026-03-02T18:00", 10.0),
        at_night("3", "2026-03-03T03:00", "2026-03-02T18:00", 100.0),
        at_night("4", "2026-03-03T23:00", "2026-03-03T18:00", 1000.0),
    ]
)


async def test_a_night_shift_counts_on_the_day_on_which_it_began() -> None:
    night = Query(("downtime",), (D1,), ("shift:night",))
    assert cells(await ask(NIGHTS, night)) == {"downtime": [110.0]}
    split = Query(("downtime",), (D1,), group_by=(Dimension.SHIFT,))
    assert cells(await ask(NIGHTS, split)) == {"shift": ["night"], "downtime": [110.0]}
    by_day = Query(("downtime",), (day("2026-03-01", 3),), ("shift:night",), grain=Grain.DAY)
    assert cells(await ask(NIGHTS, by_day))["downtime"] == [1.0, 110.0, 1000.0]


async def test_without_a_word_of_shifts_a_day_is_its_24_hours() -> None:
    assert cells(await ask(NIGHTS, Query(("downtime",), (D1,)))) == {"downtime": [11.0]}


async def test_hours_of_a_shift_mean_hours() -> None:
    window = Window(kst("2026-03-02T18:00"), kst("2026-03-03T06:00"))
    assert cells(await ask(NIGHTS, Query(("downtime",), (window,), ("shift:night",)))) == {"downtime": [110.0]}
    hours = Window(kst("2026-03-03T00:00"), kst("2026-03-03T06:00"))
    assert cells(await ask(NIGHTS, Query(("downtime",), (hours,), ("shift:night",)))) == {"downtime": [100.0]}


async def test_a_shift_under_way_is_read_up_to_as_of() -> None:
    rolling = Window(D1.start, kst("2026-03-03T01:00"))
    night = Query(("downtime",), (rolling,), ("shift:night",))
    assert cells(await ask(NIGHTS, night, as_of=rolling.end)) == {"downtime": [10.0]}


@pytest.mark.parametrize(
    ("changes", "error", "reason", "metadata"),
    [
        ({"metrics": ("colour",)}, Invalid, Reason.UNKNOWN_METRIC, {"metric": "colour"}),
        (
            {"metrics": ("energy",)},
            FailedPrecondition,
            Reason.DATA_NOT_AVAILABLE,
            {"metric": "energy", "dimension": ""},
        ),
        (
            {"group_by": (Dimension.OPERATOR,)},
            FailedPrecondition,
            Reason.DATA_NOT_AVAILABLE,
            {"metric": "defect_rate", "dimension": "operator"},
        ),
        ({"targets": ("line:L99",)}, Invalid, Reason.UNKNOWN_TARGET, {"target": "line:L99"}),
        (
            {"targets": ("reason:jam",)},
            FailedPrecondition,
            Reason.DATA_NOT_AVAILABLE,
            {"metric": "defect_rate", "dimension": "reason"},
        ),
        ({"order_by": OrderBy("line")}, Invalid, Reason.INVALID_ARGUMENT, {}),
        ({"order_by": OrderBy("time")}, Invalid, Reason.INVALID_ARGUMENT, {}),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
async def test_what_cannot_be_answered_says_why(
    changes: dict[str, object], error: type[Exception], reason: Reason, metadata: dict[str, str]
) -> None:
    query = replace(Query(("defect_rate",), (D1,)), **changes)  # type: ignore[arg-type]
    with pytest.raises(error) as refused:
        await ask(SIMPLE, query)
    assert isinstance(refused.value, Invalid | FailedPrecondition)
    assert refused.value.reason is reason
    assert metadata.items() <= refused.value.metadata.items()


async def test_more_buckets_than_anybody_reads_are_refused_before_they_are_drawn() -> None:
    rows = batch(production=[made("1", "2000-01-01T00:00"), made("2", "2026-01-01T00:00")])
    wide = Window(kst("2000-01-01T00:00"), kst("2026-02-01T00:00"))
    with pytest.raises(Invalid) as refused:
        await ask(rows, Query(("defect_rate",), (wide,), grain=Grain.QUARTER_HOUR))
    assert refused.value.violations[0].field == "query.grain"
    assert f"{MAX_GROUPS:,}" in refused.value.message


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
async def test_a_window_out_of_all_time_is_refused(zone: str) -> None:
    of = replace(NIGHTS, plant=plants.plant(zone=zone))
    for start, end in ((datetime.min, D1.end), (D1.start, datetime.max)):  # noqa: DTZ901 - a zone follows
        window = Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        with pytest.raises(Invalid) as refused:
            await ask(of, Query(("downtime",), (D1, window), ("shift:night",), grain=Grain.DAY, include_future=True))
        assert refused.value.violations[0].field == "query.windows[1]"


async def test_an_unknown_plant_is_not_found() -> None:
    with pytest.raises(NotFound) as missing:
        await (await reader(SIMPLE)).query("t", "nowhere", Query(("oee",), (D1,)), NOW)
    assert (missing.value.reason, missing.value.metadata) == (Reason.UNKNOWN_PLANT, {"plant": "nowhere"})


@pytest.mark.parametrize(
    ("window", "as_of", "stale"),
    [
        (D1, NOW, False),  # yesterday's figures are not stale today
        (D2, NOW, False),  # the plant rested, and spoke again later
        (D3, kst("2026-03-04T11:59"), False),  # last row 08:00-09:00, three hours are allowed
        (D3, kst("2026-03-04T12:01"), True),
        (day("2026-03-05"), NOW, True),
        (day("2026-02-01"), NOW, False),  # before the first row nothing is late
    ],
)
async def test_freshness_is_seen_from_the_end_of_what_was_asked(window: Window, as_of: datetime, stale: bool) -> None:  # noqa: FBT001
    assert (await ask(SIMPLE, Query(("production_qty",), (window,)), as_of)).stale is stale


async def test_a_sensor_that_fell_silent_is_stale_though_others_speak() -> None:
    rows = [
        row("reading", f"{line}{hour}", start, start + HOUR, line=line, tag="vibration", quality="good", value=1.0)
        for line, hours in (("L01", 24), ("L02", 12))
        for hour in range(hours)
        for start in [D1.start + hour * HOUR]
    ]
    for line, stale in (("L01", False), ("L02", True)):
        found = await ask(batch(reading=rows), Query(("vibration",), (D1,), (f"line:{line}",)))
        assert (line, found.stale) == (line, stale)
        assert found.latest == D1.start + (24 if line == "L01" else 12) * HOUR


async def test_bad_readings_are_never_read() -> None:
    rows = [
        row("reading", quality, D1.start, tag="vibration", quality=quality, value=value)
        for quality, value in (("good", 1.0), ("uncertain", 3.0), ("bad", 1000.0))
    ]
    assert cells(await ask(batch(reading=rows), Query(("vibration",), (D1,)))) == {"vibration": [2.0]}


async def test_a_tag_of_the_plants_own_is_a_metric() -> None:
    rows = [row("reading", "1", D1.start, tag="torque", quality="good", value=7.0)]
    of = replace(batch(reading=rows), plant=replace(SEOUL, tags=(Tag("torque", Text("토크", "Torque"), "N.m"),)))
    found = await ask(of, Query(("torque",), (D1,)))
    assert (found.columns[0].label.en, found.columns[0].unit, found.columns[0].cells) == ("Torque", "N.m", (7.0,))


async def test_what_an_import_brings_is_known_to_the_next_question() -> None:
    store = MemoryStore()
    asked = Reader(store, plants.known_metrics())
    state = SampleState(1, NOW, NOW)
    await store.extend_sample("t", SIMPLE, state, None)
    query = Query(("energy",), (D1,))
    with pytest.raises(FailedPrecondition):
        await asked.query("t", "mill", query, NOW)
    meter = [row("energy", "1", D1.start, D1.start + HOUR, energy_kwh=3.0)]
    await store.extend_sample("t", batch(energy=meter), state, state)
    assert cells(await asked.query("t", "mill", query, NOW)) == {"energy": [3.0]}
    # Coverage grew too: buckets are drawn only where there are rows.
    earlier = day("2026-02-20")
    early = [row("energy", "2", earlier.start, earlier.start + HOUR, energy_kwh=4.0)]
    await store.extend_sample("t", batch(energy=early), state, state)
    by_day = Query(("energy",), (day("2026-02-20", 12),), grain=Grain.DAY)
    assert cells(await asked.query("t", "mill", by_day, NOW)) == {
        "time": [earlier.start, D1.start],
        "energy": [4.0, 3.0],
    }


async def test_the_catalogue_says_what_can_be_asked() -> None:
    found = await (await reader(SIMPLE)).catalogue("t", "mill")
    assert {"production_qty", "defect_rate", "downtime", "mttr", "availability"} <= set(found.metrics)
    assert {"energy", "oee", "batch_count"} <= set(found.unavailable)
    assert set(found.metrics).isdisjoint(found.unavailable)
    assert found.metrics["downtime"].dimensions == (Dimension.LINE, Dimension.REASON)
    assert found.metrics["production_qty"].dimensions == (Dimension.LINE,)
    assert found.metrics["production_qty"].finest_grain is Grain.HOUR
    assert found.metrics["production_qty"].coverage == Window(kst("2026-03-02T08:00"), kst("2026-03-04T09:00"))
    assert found.coverage == found.metrics["production_qty"].coverage
    assert found.metrics["defect_rate"].goal is None


async def test_the_finest_grain_is_that_of_the_coarsest_row() -> None:
    rows = [
        row("production", "1", D1.start, D1.start + 90 * MINUTE, lot="1", batch_min=90.0),
        row("production", "2", D2.start, D2.start + 15 * MINUTE, lot="2", batch_min=15.0),
    ]
    stops = [row("downtime", "1", D1.start, minutes=3.0)]
    found = await (await reader(batch(production=rows, downtime=stops))).catalogue("t", "mill")
    assert found.metrics["batch_duration"].finest_grain is Grain.DAY
    # The time of a stop is known no better than that of the work that it interrupts.
    assert found.metrics["downtime"].finest_grain is Grain.DAY
    assert found.metrics["batch_count"].metric.formula == "count distinct(lot)"
