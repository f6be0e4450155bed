"""How people say when: "어제", "over the last 7 days", "11월 20일 14시", in the plant's own zone."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.orchestrator.domain.language import Language
from services.orchestrator.domain.meaning import Window
from services.orchestrator.domain.periods import calendar_months
from services.orchestrator.domain.plant import Catalog, Grain
from services.wording import format_period

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
_HANGUL: Final = re.compile(r"[가-힣]")
_PREPOSITION: Final = re.compile(r"^(over|on|in|from|since) ")
_SAME: Final = frozenset({"today", "yesterday"})  # labels that are English already
_LONGEST_QUOTE: Final = 24
_QUARTER_MONTHS: Final = 3
_YEAR_MONTHS: Final = 12
# The period before a named one: whole, and as far as the named one has come.
_BEFORE: Final = {
    "today": ("전날", "the day before", "어제 같은 시각까지", "yesterday up to the same time"),
    "yesterday": ("그제", "the day before", "그제 같은 시각까지", "the day before up to the same time"),
    "this_week": ("지난주", "last week", "지난주 같은 시점까지", "last week up to the same point"),
    "last_week": ("그 전주", "the week before", "그 전주 같은 시점까지", "the week before up to the same point"),
    "this_month": ("지난달", "last month", "지난달 같은 시점까지", "last month up to the same point"),
    "last_month": ("그 전달", "the month before", "그 전달 같은 시점까지", "the month before up to the same point"),
}


_BEFORE_MONTHS: Final = {
    1: ("그 전달", "the month before"),
    3: ("그 전 분기", "the quarter before"),
    12: ("그 전해", "the year before"),
}


@dataclass(frozen=True, slots=True)
class Times:
    """Says times in one language, seen from one instant in one plant."""

    catalog: Catalog
    as_of: datetime
    language: Language

    def day(self, instant: datetime) -> str:
        """Say a local date, with its year where it is not the year of the question."""
        local = self.catalog.local(instant)
        same_year = local.year == self.catalog.local(self.as_of).year
        if self.language == "ko":
            return f"{local.month}월 {local.day}일" if same_year else f"{local.year}년 {local.month}월 {local.day}일"
        return f"{_MONTHS[local.month - 1]} {local.day}" + ("" if same_year else f", {local.year}")

    def days(self, start: datetime, last: datetime) -> tuple[str, str]:
        """Say two local dates of one range, a year that both have only once."""
        first_day, last_day = self.day(start), self.day(last)
        year = self.catalog.local(start).year
        if year != self.catalog.local(last).year or year == self.catalog.local(self.as_of).year:
            return first_day, last_day
        if self.language == "ko":
            return first_day, last_day.removeprefix(f"{year}년 ")
        return first_day.removesuffix(f", {year}"), last_day

    def moment(self, instant: datetime) -> str:
        """Say a local time of day with its date."""
        local = self.catalog.local(instant)
        clock = f"{local:%H:%M}"
        if local.date() == self.catalog.local(self.as_of).date():
            return f"오늘 {clock}" if self.language == "ko" else f"{clock} today"
        date = self.day(instant)
        return f"{date} {clock}" if self.language == "ko" else f"{clock} on {date}"

    def bucket(self, instant: datetime, grain: Grain, window: Window) -> str:
        """Say which bucket begins at the instant: an hour of the day, a day, a week, a month."""
        local = self.catalog.local(instant)
        korean = self.language == "ko"
        if grain in {Grain.HOUR, Grain.QUARTER_HOUR}:
            clock = f"{local.hour}시" if korean and grain is Grain.HOUR else f"{local:%H:%M}"
            if window.end - window.start <= _DAY:
                return clock if korean else f"at {clock}"
            return f"{self.day(instant)} {clock}" if korean else f"at {clock} on {self.day(instant)}"
        if grain is Grain.MONTH:
            return self._month(local)
        if grain is Grain.WEEK:
            return f"{self.day(instant)} 주" if korean else f"in the week of {self.day(instant)}"
        return self.day(instant) if korean else f"on {self.day(instant)}"

    def when(self, window: Window) -> str:
        """Say a period so that it stands in a sentence by itself: `어제`, `over the last 7 days`, `on August 30`."""
        named = format_period(window.label, self.language) if window.label and "/" not in window.label else ""
        if named and (named != window.label or named in _SAME):
            return f"over {named}" if named.startswith("the last") else named
        said = window.text.strip()
        if said and len(said) <= _LONGEST_QUOTE and self.language == "ko" and _HANGUL.search(said):
            return said
        return self._calendar(window) or self._dates(window)

    def noun(self, window: Window) -> str:
        """Say a period as a thing: `the last 7 days`, `August 30`."""
        said = self.when(window)
        return _PREPOSITION.sub("", said) if self.language == "en" else said

    def span(self, window: Window) -> str:
        """Say from which day to which, both included."""
        if self.day(window.start) == self.day(window.end - _INSTANT):
            return self.day(window.start)
        first, last = self.days(window.start, window.end - _INSTANT)
        return f"{first}부터 {last}까지" if self.language == "ko" else f"{first} to {last}"

    def before(self, window: Window, earlier: Window) -> str:
        """Say which period came before the one that was asked about."""
        korean = self.language == "ko"
        known = _BEFORE.get(window.label)
        if known is not None:
            ko, en, ko_so_far, en_so_far = known
            if window.start < self.as_of < window.end:
                return ko_so_far if korean else en_so_far
            return ko if korean else en
        start, end = self.catalog.local(window.start), self.catalog.local(window.end)
        if calendar_months(start, end) in _BEFORE_MONTHS:
            ko, en = _BEFORE_MONTHS[calendar_months(start, end)]
            return ko if korean else en
        if end - start == _DAY and not (start.hour or start.minute):
            return "전날" if korean else "the day before"
        if end - start < _DAY and self.catalog.local(earlier.start) == start - _DAY:
            return "하루 전 같은 시간대" if korean else "the same hours a day earlier"
        return "바로 앞 같은 기간" if korean else "the equally long period before"

    def _calendar(self, window: Window) -> str:
        """Say a whole month, quarter or year; empty for any other period."""
        start, end = self.catalog.local(window.start), self.catalog.local(window.end)
        months = calendar_months(start, end)
        korean = self.language == "ko"
        if months == 1:
            return self._month(start)
        if months == _QUARTER_MONTHS and start.month % _QUARTER_MONTHS == 1:
            quarter = (start.month + 2) // _QUARTER_MONTHS
            return f"{start.year}년 {quarter}분기" if korean else f"in Q{quarter} {start.year}"
        if months == _YEAR_MONTHS and start.month == 1:
            return f"{start.year}년" if korean else f"in {start.year}"
        return ""

    def _dates(self, window: Window) -> str:
        start, end = self.catalog.local(window.start), self.catalog.local(window.end)
        korean = self.language == "ko"
        first = self.day(start)
        if not (start.hour or start.minute or end.hour or end.minute):
            if end - start == _DAY:
                return first if korean else f"on {first}"
            first, last = self.days(start, end - _DAY)
            return f"{first}~{last}" if korean else f"from {first} to {last}"
        if window.end == self.as_of and not (start.hour or start.minute):
            return f"{first}부터 지금까지" if korean else f"since {first}"
        clock = f"{end:%H:%M}"
        if end.date() != start.date():
            clock = f"{self.day(end)} {clock}" if korean else f"{clock} on {self.day(end)}"
        return f"{first} {start:%H:%M}~{clock}" if korean else f"from {start:%H:%M} on {first} to {clock}"

    def _month(self, local: datetime) -> str:
        same_year = local.year == self.catalog.local(self.as_of).year
        if self.language == "ko":
            return f"{local.month}월" if same_year else f"{local.year}년 {local.month}월"
        return f"in {_MONTHS[local.month - 1]}" + ("" if same_year else f" {local.year}")
