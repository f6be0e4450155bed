"""Calendar arithmetic in a plant's local time. Everything here is naive local time; `place` puts it into the zone."""

import calendar
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.router.domain.model import Window

FIRST_YEAR, LAST_YEAR = 1970, 2199
_MIDNIGHT = datetime.min.time()


class Unit(StrEnum):
    """What a span is one of. ROLLING ends at the present, RANGE was put together from two ends."""

    CLOCK = "clock"
    PART = "part"
    DAY = "day"
    WEEK = "week"
    WEEKEND = "weekend"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ROLLING = "rolling"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open local period. `point` is where "since" starts when that is not the span's own start."""

    start: datetime
    end: datetime
    label: str
    unit: Unit
    point: datetime | None = None

    @property
    def day(self) -> date:
        """Return its first day."""
        return self.start.date()


@dataclass(frozen=True, slots=True)
class Now:
    """The instant from which "today" is reckoned, in local time, and whether a bare name means the past or not."""

    local: datetime
    future: bool = False

    @property
    def midnight(self) -> datetime:
        """Return the start of the local day."""
        return datetime.combine(self.local.date(), _MIDNIGHT)


def place(span: Span, zone: ZoneInfo, text: str = "") -> Window:
    """Return the span as a window of aware instants."""
    return Window(span.start.replace(tzinfo=zone), span.end.replace(tzinfo=zone), span.label, text)


def iso(start: datetime, end: datetime) -> str:
    """Return `2024-08-30/2024-08-31`, with minutes where an end is no midnight."""
    if start.time() == end.time() == _MIDNIGHT:
        return f"{start.date().isoformat()}/{end.date().isoformat()}"
    return f"{start:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}"


def months_from(day: datetime, months: int) -> datetime:
    """Return the same day some months later, or the last day of that month where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def day_span(start: datetime, label: str = "") -> Span:
    """Return the local day that begins at `start`."""
    end = start + timedelta(days=1)
    return Span(start, end, label or iso(start, end), Unit.DAY)


def week_span(anyday: datetime, label: str = "") -> Span:
    """Return the week, from Monday, that holds the day."""
    start = anyday - timedelta(days=anyday.weekday())
    end = start + timedelta(days=7)
    return Span(start, end, label or iso(start, end), Unit.WEEK)


def months_span(start: datetime, months: int, label: str = "") -> Span:
    """Return whole months: 1 is a month, 3 a quarter, 12 a year."""
    end = months_from(start, months)
    unit = {1: Unit.MONTH, 3: Unit.QUARTER, 12: Unit.YEAR}.get(months, Unit.RANGE)
    return Span(start, end, label or iso(start, end), unit)


_DAYS = {"day_before_yesterday": -2, "yesterday": -1, "today": 0, "tomorrow": 1, "day_after_tomorrow": 2}
_WEEKS = {"week_before_last": -2, "last_week": -1, "this_week": 0, "next_week": 1}
_MONTHS = {"same_month_last_year": -12, "month_before_last": -2, "last_month": -1, "this_month": 0, "next_month": 1}
_QUARTERS = {"last_quarter": -1, "this_quarter": 0, "next_quarter": 1}
_YEARS = {"year_before_last": -2, "last_year": -1, "this_year": 0, "next_year": 1}
_RECENT_DAYS = 7


def named(label: str, now: Now) -> Span:
    """Return the span of a short name: `last_week`, `recent`, `last_30d`, `next_14d`. Raises KeyError for others."""
    label = {"this_shift": "today", "last_shift": "today"}.get(label, label)  # a plant without shifts
    whole = _calendar_unit(label, now)
    if whole is not None:
        return whole
    if label in {"last_weekend", "this_weekend"}:
        return _weekend(label, now)
    if label == "recent":
        return replace(rolling(_RECENT_DAYS, "d", now), label="recent")
    if label == "last_night":
        evening = now.midnight - timedelta(hours=6)
        return Span(evening, now.midnight + timedelta(hours=6), label, Unit.PART)
    return _rolling_named(label, now)


def _calendar_unit(label: str, now: Now) -> Span | None:
    today = now.midnight
    month = today.replace(day=1)
    if label in _DAYS:
        return day_span(today + timedelta(days=_DAYS[label]), label)
    if label in _WEEKS:
        return week_span(today + timedelta(weeks=_WEEKS[label]), label)
    if label in _MONTHS:
        return months_span(months_from(month, _MONTHS[label]), 1, label)
    if label in _QUARTERS:
        quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
        return months_span(months_from(quarter, 3 * _QUARTERS[label]), 3, label)
    if label in _YEARS:
        return months_span(months_from(month.replace(month=1), 12 * _YEARS[label]), 12, label)
    return None


def _rolling_named(label: str, now: Now) -> Span:
    direction, _, rest = label.partition("_")
    digits = rest.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = rest[len(digits) :]
    if direction not in {"last", "next"} or not digits.isdecimal() or unit not in _ROLLING_UNITS:
        raise KeyError(label)
    return rolling(int(digits), unit, now, ahead=direction == "next")


def _weekend(label: str, now: Now) -> Span:
    saturday = now.midnight - timedelta(days=now.midnight.weekday()) + timedelta(days=5)
    # On a weekday "the weekend" is the one that was, unless the talk is of what will be.
    if label == "last_weekend" or (saturday > now.local and not now.future):
        saturday -= timedelta(days=7)
    return Span(saturday, saturday + timedelta(days=2), label, Unit.WEEKEND)


_ROLLING_UNITS = frozenset({"min", "h", "d", "mo", "y"})


def rolling(count: int, unit: str, now: Now, *, ahead: bool = False) -> Span:
    """Return the last (or next) so many minutes, hours, days, months or years.

    Days and longer units are whole local days, today counted as one of them.
    """
    label = f"{'next' if ahead else 'last'}_{count}{unit}"
    if unit in {"min", "h"}:
        width = timedelta(minutes=count) if unit == "min" else timedelta(hours=count)
        return _directed(now.local, width, label, ahead=ahead)
    if unit == "d":
        if ahead:
            return Span(now.local, now.midnight + timedelta(days=count + 1), label, Unit.ROLLING)
        return Span(now.midnight - timedelta(days=count - 1), now.local, label, Unit.ROLLING)
    months = count * (12 if unit == "y" else 1)
    if ahead:
        return Span(now.local, months_from(now.midnight, months) + timedelta(days=1), label, Unit.ROLLING)
    return Span(months_from(now.midnight, -months) + timedelta(days=1), now.local, label, Unit.ROLLING)


def _directed(local: datetime, width: timedelta, label: str, *, ahead: bool) -> Span:
    start, end = (local, local + width) if ahead else (local - width, local)
    return Span(start, end, label, Unit.ROLLING)


def ago(count: int, unit: str, now: Now) -> Span:
    """Return the day, week, month or hour so many units back; "since" starts at that very day or instant."""
    today = now.midnight
    if unit in {"min", "h"}:
        width = timedelta(minutes=1) if unit == "min" else timedelta(hours=1)
        start = now.local - count * width
        return Span(start, start + width, iso(start, start + width), Unit.CLOCK)
    if unit == "d":
        return day_span(today - timedelta(days=count), {1: "yesterday", 2: "day_before_yesterday"}.get(count, ""))
    if unit == "w":
        point = today - timedelta(weeks=count)
        label = {1: "last_week", 2: "week_before_last"}.get(count, "")
        return replace(week_span(point, label), point=point)
    if unit == "mo":
        label = {1: "last_month", 2: "month_before_last"}.get(count, "")
        return replace(
            months_span(months_from(today.replace(day=1), -count), 1, label), point=months_from(today, -count)
        )
    first = today.replace(month=1, day=1)
    label = {1: "last_year", 2: "year_before_last"}.get(count, "")
    return replace(months_span(months_from(first, -12 * count), 12, label), point=months_from(today, -12 * count))


@dataclass(frozen=True, slots=True)
class Calendar:
    """A date as said, with what was left out: `8월`, `30일`, `2018년 3월 5일`, `2018년 2분기`, `3월 초`.

    `third` is 1, 2 or 3 for the early, middle and late part of a month.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    quarter: int | None = None
    half: int | None = None
    third: int | None = None

    def resolve(self, now: Now) -> Span:
        """Return the span nearest to now that fits, in the past unless `now.future`. Raises ValueError if none does."""
        year = now.local.year if self.year is None else self.year
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError("out of the calendar")
        span = self._in(year, now)
        if self.year is not None:
            return span
        step = 12 if self.month or self.quarter or self.half else 1
        if not now.future and span.start > now.local:
            return self._moved(year, now, -step)
        if now.future and span.end <= now.local:
            return self._moved(year, now, step)
        return span

    def _moved(self, year: int, now: Now, months: int) -> Span:
        if months in {12, -12}:
            return self._in(year + months // 12, now)
        start = months_from(now.midnight.replace(day=1), months)
        return day_span(start.replace(day=self.day or 1))

    def _in(self, year: int, now: Now) -> Span:
        if self.quarter:
            return months_span(datetime(year, 3 * self.quarter - 2, 1), 3)  # noqa: DTZ001 - local time is naive here
        if self.half:
            return months_span(datetime(year, 6 * self.half - 5, 1), 6)  # noqa: DTZ001
        if self.month is None and self.day is None:
            return months_span(datetime(year, 1, 1), 12)  # noqa: DTZ001
        month = now.local.month if self.month is None else self.month
        start = datetime(year, month, self.day or 1)  # noqa: DTZ001
        if self.day:
            return day_span(start)
        if self.third:
            begin = start + timedelta(days=10 * (self.third - 1))
            end = months_from(start, 1) if self.third == 3 else begin + timedelta(days=10)  # noqa: PLR2004
            return Span(begin, end, iso(begin, end), Unit.RANGE)
        return months_span(start, 1)


def weekday(index: int, week: int | None, now: Now, *, strict: bool = False) -> Span:
    """Return a day of the week: of a stated week (0 this, -1 last), else the nearest in the direction of `now`.

    `strict` leaves out today, as "last Monday" said on a Monday does.
    """
    monday = now.midnight - timedelta(days=now.midnight.weekday())
    if week is not None:
        return day_span(monday + timedelta(days=index + 7 * week))
    day = monday + timedelta(days=index)
    if now.future:
        return day_span(day if day >= now.midnight else day + timedelta(days=7))
    late = day >= now.midnight if strict else day > now.midnight
    return day_span(day - timedelta(days=7) if late else day)
