"""Shifts on the calendar: 어제 야간조 is one window, and it belongs to the day on which it starts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.router.domain.catalogue import Shift
from services.router.domain.time.spans import Now, Span, Unit, iso

_DAY = timedelta(days=1)


def on_day(day: Span, shifts: Sequence[Shift], now: Now) -> Span:
    """Return the window from the first start to the last end of these shifts of a day.

    Today's night shift, asked for at three in the morning, is the one that is running, which began yesterday.
    """
    windows = [_of(shift, day.start) for shift in shifts]
    if day.label == "today" and not now.future and all(start > now.local for start, _ in windows):
        earlier = [_of(shift, day.start - _DAY) for shift in shifts]
        windows = earlier if any(end > now.local for _, end in earlier) else windows
    start, end = min(s for s, _ in windows), max(e for _, e in windows)
    named = day.label.replace("/", "").isidentifier() and len(shifts) == 1
    label = f"{day.label}_{shifts[0].id}" if named else iso(start, end)
    return Span(start, end, label, Unit.PART)


def last_night(night: Span, shifts: Sequence[Shift]) -> Span:
    """Return "last night" as the shift that crosses midnight, where the plant has one."""
    crossing = [shift for shift in shifts if shift.end <= shift.start]
    if len(crossing) != 1:
        return night
    evening = datetime.combine(night.start.date(), datetime.min.time())
    start, end = _of(crossing[0], evening)
    return replace(night, start=start, end=end)


def around(label: str, shifts: Sequence[Shift], now: Now) -> Span | None:
    """Return the shift that runs now for `this_shift`, the one before it for `last_shift`; None for other labels."""
    if label not in {"this_shift", "last_shift"} or not shifts:
        return None
    days = [now.midnight + _DAY * i for i in (-2, -1, 0)]
    begun = sorted(window for day in days for window in (_of(s, day) for s in shifts) if window[0] <= now.local)
    start, end = begun[-1 if label == "this_shift" else -2]
    return Span(start, end, label, Unit.PART)


def latest(shift: Shift, now: Now) -> Span:
    """Return the shift's window that began last."""
    day = now.midnight if _of(shift, now.midnight)[0] <= now.local else now.midnight - _DAY
    start, end = _of(shift, day)
    return Span(start, end, f"{'today' if day == now.midnight else 'yesterday'}_{shift.id}", Unit.PART)


def _of(shift: Shift, midnight: datetime) -> tuple[datetime, datetime]:
    start = datetime.combine(midnight.date(), shift.start)
    end = datetime.combine(midnight.date(), shift.end)
    return start, end if end > start else end + _DAY
