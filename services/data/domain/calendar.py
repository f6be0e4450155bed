"""Time as a plant lives it: its zone, its shifts, and buckets by grain.

Everything is stored and compared in UTC; only what a bucket or a shift is, is decided in local time. Weeks start on
Monday. A shift that crosses midnight belongs to the day on which it starts.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.data.domain.plant import Shift, Window

_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Grain(StrEnum):
    """Width of a time bucket."""

    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


# About how long a bucket is: for estimates only, a month has no fixed length and a day not always 24 hours.
NOMINAL_WIDTH = {
    Grain.QUARTER_HOUR: _QUARTER,
    Grain.HOUR: _HOUR,
    Grain.DAY: _DAY,
    Grain.WEEK: 7 * _DAY,
    Grain.MONTH: 30 * _DAY,
}


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local wall time.

    Where the clocks are put back and the time comes twice, the first one counts; where they are put forward and it
    never comes, the instant of the change does.
    """
    local = datetime.combine(day, clock, tzinfo=zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    return _end_of_gap(found, zone)


def exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether a wall time (without a zone) ever comes in `zone`."""
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment


def _end_of_gap(inside: datetime, zone: ZoneInfo) -> datetime:
    # Inside a gap the first reading of the wall time (fold 0) lies at or after the change, by less than the gap.
    after = inside
    before = inside - _DAY
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day, in UTC."""
    return instant(day, time.min, zone)


def is_day_start(moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether an instant is the first of a local day."""
    return day_start(moment.astimezone(zone).date(), zone) == moment


def bucket_start(moment: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """Return the start of the bucket that an instant falls into, in UTC."""
    local = moment.astimezone(zone)
    match grain:
        case Grain.QUARTER_HOUR | Grain.HOUR:
            # By the distance from the full hour, not by the wall time: an hour that comes twice stays two buckets.
            width = _QUARTER if grain is Grain.QUARTER_HOUR else _HOUR
            since_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return moment.astimezone(UTC) - since_hour % width
        case Grain.DAY:
            return day_start(local.date(), zone)
        case Grain.WEEK:
            return day_start(local.date() - timedelta(days=local.weekday()), zone)
        case Grain.MONTH:
            return day_start(local.date().replace(day=1), zone)


def next_bucket(start: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """Return the start of the bucket after the one that starts at `start`."""
    match grain:
        case Grain.QUARTER_HOUR:
            return bucket_start(start + _QUARTER, grain, zone)
        case Grain.HOUR:
            return bucket_start(start + _HOUR, grain, zone)
        case Grain.DAY:
            day = start.astimezone(zone).date() + _DAY
        case Grain.WEEK:
            day = start.astimezone(zone).date() + 7 * _DAY
        case Grain.MONTH:
            first = start.astimezone(zone).date().replace(day=1)
            day = (first + timedelta(days=32)).replace(day=1)
    return day_start(day, zone)


def cuts(windows: Sequence[Window], grain: Grain, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of all buckets that the windows touch, ascending: what falls at or after one is its own."""
    found: set[datetime] = set()
    for window in windows:
        start = bucket_start(window.start, grain, zone)
        while start < window.end:
            found.add(start)
            start = next_bucket(start, grain, zone)
    return sorted(found)


def shift_at(moment: datetime, shifts: Sequence[Shift], zone: ZoneInfo) -> tuple[str, datetime] | None:
    """Return the shift that works at an instant and when that occurrence of it began, or None between shifts."""
    local = moment.astimezone(zone)
    for shift in shifts:
        for day in (local.date(), local.date() - _DAY) if shift.crosses_midnight else (local.date(),):
            start = instant(day, shift.start, zone)
            end = instant(day + _DAY if shift.crosses_midnight else day, shift.end, zone)
            if start <= moment < end:
                return shift.id, start
    return None
