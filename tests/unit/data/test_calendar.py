from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain import calendar
from services.data.domain.calendar import Grain
from services.data.domain.plant import Shift, Text, Window

CASES = sorted((Path(__file__).parents[2] / "cases" / "data" / "calendar").glob("*.yaml"))
# Half hours, three quarters, changes at midnight, a change of half an hour, a skipped day.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Seoul",
        "UTC",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Beirut",
        "Pacific/Apia",
    )
]
instants = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def shift(each: dict[str, str]) -> Shift:
    return Shift(each["id"], Text("", ""), time.fromisoformat(each["start"]), time.fromisoformat(each["end"]))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    zone = ZoneInfo(case["zone"])
    checked = 0
    for grain, moment, start in case.get("buckets", []):
        assert calendar.bucket_start(at(moment), Grain(grain), zone) == at(start), (grain, moment)
        checked += 1
    for each in case.get("cuts", []):
        window = Window(at(each["start"]), at(each["end"]))
        assert calendar.cuts([window], Grain(each["grain"]), zone) == [at(start) for start in each["starts"]]
        checked += 1
    shifts = [shift(each) for each in case.get("shifts", [])]
    for moment, name, began in case.get("shift_at", []):
        found = calendar.shift_at(at(moment), shifts, zone)
        assert found == (None if name is None else (name, at(began))), moment
        checked += 1
    assert checked


@given(instants, st.sampled_from(ZONES), st.sampled_from(Grain))
def test_every_instant_is_in_its_bucket_and_before_the_next(moment: datetime, zone: ZoneInfo, grain: Grain) -> None:
    start = calendar.bucket_start(moment, grain, zone)
    following = calendar.next_bucket(start, grain, zone)
    assert start <= moment < following
    assert calendar.bucket_start(start, grain, zone) == start
    assert calendar.bucket_start(following, grain, zone) == following


@given(instants, st.sampled_from(ZONES), st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]))
def test_buckets_of_days_begin_with_a_local_day(moment: datetime, zone: ZoneInfo, grain: Grain) -> None:
    start = calendar.bucket_start(moment, grain, zone)
    assert calendar.is_day_start(start, zone)
    local = start.astimezone(zone).date()
    assert (start - timedelta(microseconds=1)).astimezone(zone).date() < local
    assert grain is not Grain.WEEK or local.weekday() == 0
    assert grain is not Grain.MONTH or local.day == 1


@given(
    instants, st.timedeltas(timedelta(seconds=1), timedelta(days=40)), st.sampled_from(ZONES), st.sampled_from(Grain)
)
def test_cuts_hold_the_bucket_of_every_instant_of_a_window(
    start: datetime, length: timedelta, zone: ZoneInfo, grain: Grain
) -> None:
    window = Window(start, start + length)
    cuts = calendar.cuts([window], grain, zone)
    assert cuts == sorted(set(cuts))
    for moment in (start, start + length / 3, window.end - timedelta(microseconds=1)):
        assert calendar.bucket_start(moment, grain, zone) in cuts


THREE_SHIFTS = [
    Shift("day", Text("", ""), time(6), time(14)),
    Shift("evening", Text("", ""), time(14), time(22)),
    Shift("night", Text("", ""), time(22), time(6)),
]


@given(instants, st.sampled_from(ZONES))
def test_three_shifts_leave_no_hour_out(moment: datetime, zone: ZoneInfo) -> None:
    found = calendar.shift_at(moment, THREE_SHIFTS, zone)
    assert found is not None
    _, began = found
    assert began <= moment < began + timedelta(hours=10)  # a clock put back makes a shift of nine hours


@given(instants, st.sampled_from(ZONES))
def test_a_wall_time_of_an_instant_exists(moment: datetime, zone: ZoneInfo) -> None:
    assert calendar.exists(moment.astimezone(zone).replace(tzinfo=None, fold=0), zone)
