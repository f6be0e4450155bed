"""Windows of time in the plant's own zone: defaults, the window before, moves to where data are, buckets."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.orchestrator.domain.meaning import Intent, Window
from services.orchestrator.domain.plant import GRAIN_SECONDS, GRAINS, Catalog, Grain

_DAY = timedelta(days=1)
_WEEK_DAYS = 7
_YEAR_MONTHS = 12
_INSTANT = timedelta(microseconds=1)
# Which default period each intent has where the router names none.
_DEFAULTS = {Intent.CHECK: "today", Intent.TREND: "this_week"}
# A trend over less than this is no trend yet: an early Monday morning's "this week".
_SHORTEST_TREND = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Settled:
    """A window that data exist for. `moved`: it is not the one that was meant; `partial`: data cover a part of it."""

    window: Window
    moved: bool = False
    partial: bool = False


def midnight(catalog: Catalog, instant: datetime) -> datetime:
    """Return the local midnight at or before the instant."""
    return datetime.combine(catalog.local(instant).date(), time(), catalog.zone)


def default_window(intent: Intent, catalog: Catalog, as_of: datetime) -> Window:
    """Return the intent's default period: today, this week, or the last 7 days."""
    start = midnight(catalog, as_of)
    match _DEFAULTS.get(intent, "recent"):
        case "today":
            return Window(start, start + _DAY, "today")
        case "this_week":
            monday = start - timedelta(days=start.weekday())
            return Window(monday, monday + timedelta(days=_WEEK_DAYS), "this_week")
        case _:
            return Window(start - timedelta(days=_WEEK_DAYS - 1), as_of, "recent")


def settle(
    wanted: Window, intent: Intent, catalog: Catalog, coverage: Window, as_of: datetime, *, movable: bool
) -> Settled | None:
    """Hold a window against the data there are.

    None: no data in it. A `movable` one (nobody said it) moves to the last days with data instead: one day for a day,
    a week for anything up to that, its own length for anything longer ("by month" of a plant that has closed).
    """
    last = min(coverage.end, as_of)
    if coverage.start >= last:
        return None
    overlap = min(wanted.end, last) - max(wanted.start, coverage.start)
    if overlap > timedelta():
        if movable and intent is Intent.TREND and min(wanted.end, last) - wanted.start < _SHORTEST_TREND:
            return Settled(last_days(catalog, last, _WEEK_DAYS), moved=True)
        begins_late = coverage.start - wanted.start >= _DAY
        ends_early = min(wanted.end, as_of) - coverage.end >= _DAY
        return Settled(wanted, partial=begins_late or ends_early)
    if not movable:
        return None
    span = wanted.end - wanted.start
    days = 1 if span <= _DAY else max(_WEEK_DAYS, -(-span // _DAY))
    moved = last_days(catalog, last, days)
    if days > _WEEK_DAYS and moved.start < coverage.start:
        first = midnight(catalog, coverage.start)
        moved = Window(first, moved.end, f"{first.date().isoformat()}/{moved.end.date().isoformat()}")
    return Settled(moved, moved=True)


def last_days(catalog: Catalog, last: datetime, days: int) -> Window:
    """Return the local days that end with the one in which data end."""
    end = midnight(catalog, last - _INSTANT) + _DAY
    start = end - timedelta(days=days)
    return Window(start, end, f"{start.date().isoformat()}/{end.date().isoformat()}")


def elapsed(window: Window, coverage: Window | None, as_of: datetime) -> Window:
    """Return the part of a window that lies behind us; the window itself once it has passed.

    In a window that is still going on, data end with the newest row and not with the clock.
    """
    if not window.start < as_of < window.end:
        return window
    end = as_of
    if coverage is not None and window.start < coverage.end < as_of:
        end = coverage.end
    return Window(window.start, end, window.label, window.text)


def previous(window: Window, catalog: Catalog, coverage: Window | None, as_of: datetime) -> Window:
    """Return the window before, as long as the part of this one that has passed: "yesterday up to now".

    Calendar months step by month, the last hours by their length, everything else by whole days, so that the same
    hours of the day and the same shift are held against each other.
    """
    passed = elapsed(window, coverage, as_of)
    start, stop = catalog.local(window.start), catalog.local(window.end)
    months = calendar_months(start, stop)
    if months:
        before = _months_earlier(start, months)
        end = start if passed.end == window.end else min(before + (passed.end - window.start), start)
        return Window(before, end, _dates(before, end))
    whole = stop - start
    rolling = window.label.startswith("last_") or (window.end == as_of and start.time() != time())
    step = whole if rolling and whole < _DAY else _DAY * -(-whole // _DAY)
    before = start - step
    end = before + (passed.end - window.start)
    return Window(before, end, _dates(before, end))


def calendar_months(start: datetime, end: datetime) -> int:
    """How many whole calendar months lie between two local times; 0 where they are no first days of months."""
    if not (start.day == end.day == 1 and start.time() == end.time() == time()):
        return 0
    return (end.year - start.year) * _YEAR_MONTHS + end.month - start.month


def _months_earlier(start: datetime, months: int) -> datetime:
    total = start.year * _YEAR_MONTHS + start.month - 1 - months
    return start.replace(year=total // _YEAR_MONTHS, month=total % _YEAR_MONTHS + 1)


def _dates(start: datetime, end: datetime) -> str:
    return f"{start.isoformat(timespec='minutes')}/{end.isoformat(timespec='minutes')}"


def choose_grain(window: Window, coverage: Window | None, as_of: datetime, finest: Grain) -> Grain:
    """Choose buckets for a trend by the length that has passed: hours up to 2 days, days to 31, weeks to 26, months."""
    length = elapsed(window, coverage, as_of)
    span = length.end - length.start
    if span <= timedelta(days=2):
        chosen = Grain.HOUR
    elif span <= timedelta(days=31):
        chosen = Grain.DAY
    elif span <= timedelta(weeks=26):
        chosen = Grain.WEEK
    else:
        chosen = Grain.MONTH
    return coarser(chosen, finest)


def coarser(one: Grain, other: Grain) -> Grain:
    """Return the coarser of two grains; UNSPECIFIED is finer than any."""
    ranked = {grain: place for place, grain in enumerate(GRAINS)}
    return max(one, other, key=lambda grain: ranked.get(grain, -1))


def buckets(windows: tuple[Window, ...], grain: Grain) -> int:
    """How many buckets the windows have at most."""
    if grain is Grain.UNSPECIFIED:
        return len(windows)
    width = GRAIN_SECONDS[grain]
    return sum(int(-(-(window.end - window.start).total_seconds() // width)) + 1 for window in windows)
