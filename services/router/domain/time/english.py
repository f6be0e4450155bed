"""English expressions of time, and the ones that are the same in any language: 2024-08-30, 8/30, 14:00."""

import re
from collections.abc import Iterator

from services.router.domain.numbers import ENGLISH_MORE, to_int
from services.router.domain.time.atoms import Atom, Clock, Part
from services.router.domain.time.korean import finds, within
from services.router.domain.time.spans import Calendar, Now, ago, rolling, weekday

_MONTH_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                "november", "december")  # fmt: skip
_MONTHS = {name[:3]: i for i, name in enumerate(_MONTH_NAMES, 1)}
_MONTH = (
    r"(?P<month>" + "|".join(f"{n[:3]}(?:{n[3:]})?" if n != "may" else "may" for n in _MONTH_NAMES) + r"|sept)\b\.?"
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_FORMS = "|".join((*_WEEKDAYS, "mon", "tues?", "wed", "thurs?", "thu", "fri", "sat", "sun"))
_WEEKDAY_STEMS = tuple(name[:3] for name in _WEEKDAYS)
_COUNT = rf"(?:\d{{1,5}}|{ENGLISH_MORE})"
_UNIT = r"(?P<unit>minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|mos?|quarters?|years?|yrs?)\b"
_UNITS = {"mi": "min", "h": "h", "hr": "h", "ho": "h", "d": "d", "da": "d", "w": "w", "we": "w", "wk": "w", "mo": "mo",
          "q": "q", "qu": "q", "y": "y", "ye": "y", "yr": "y"}  # fmt: skip
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (20, 30)}
_YEAR = r"(?P<year>(?:19|20)\d{2})"

_ISO = re.compile(
    r"(?<![\d.-])(?P<year>(?:19|20)\d{2})[-./](?P<month>1[0-2]|0?[1-9])(?:[-./](?P<day>3[01]|[12]\d"
    r"|0?[1-9]))?(?![\d-])\.?"
)
_COMPACT = re.compile(r"(?<!\d)(?P<year>20\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)")
_SLASHED = re.compile(r"(?<![\d/.])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>(?:20)?\d{2}))?(?![\d/]|라인|호기| 라인)")
_DAY_MONTH = re.compile(rf"\b(?:the )?(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? {_YEAR}\b)?")
_MONTH_DAY = re.compile(
    rf"\b{_MONTH} (?:the )?(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b(?!:| ?[ap]m)(?:,? {_YEAR}\b)?"
)
_MONTH_YEAR = re.compile(
    rf"\b(?:(?P<third>early|mid|late|beginning of|end of)[- ])?(?P<last>last |this "
    rf"|next )?{_MONTH}(?:,? (?:of )?{_YEAR}\b)?"
)
_ORDINAL = re.compile(
    r"\bthe (?P<day>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)\b(?! (?:line|machine|quarter|shift|place|process|product))"
)
_QUARTER = re.compile(
    rf"\b(?:(?P<word>first|second|third|fourth|1st|2nd|3rd|4th) quarter|q(?P<quarter>[1-4])|(?P<half>h[12]"
    rf"|first half|second half))\b(?:,? ?(?:of )?(?:{_YEAR}|(?P<rel>last year|this year))\b)?"
    rf"|\b(?P<year2>(?:19|20)\d{{2}})[ -]?(?:q(?P<quarter2>[1-4])|(?P<half2>h[12]))\b"
)
_YEAR_ONLY = re.compile(
    r"(?<![\d.,:/#-])(?<!lot )(?<!batch )(?<!above )(?<!below )(?<!over )(?<!than )(?<!under )(?P<year>(?:19|20)\d{2})"
    r"(?![\d:/%]|[.,]\d| ?(?:units?|pcs|pieces|kwh|개|대|원|ea|rpm|minutes?|hours?|분|kg|도|번)|년|-\d)"
)
_ROLLING = re.compile(
    rf"\b(?:(?:over|in|for|during|within) )?(?:the )?(?P<which>last|past|previous|prior|trailing|preceding"
    rf"|next|coming|following) (?:(?P<count>{_COUNT})[ -]?)?{_UNIT}"
)
_FOR = re.compile(rf"\bnext (?P<count>{_COUNT}) {_UNIT}")
_AGO = re.compile(rf"\b(?P<count>{_COUNT}) {_UNIT} (?:ago|back|before now)\b")
_AHEAD = re.compile(rf"\bin (?P<count>{_COUNT}) {_UNIT}(?! ago)")
_WEEKDAY = re.compile(
    rf"\b(?:(?P<which>last week|this week|next week|last|this|next|past|previous"
    rf"|on) )?(?P<day>{_WEEKDAY_FORMS})(?:'s|s)?\b(?P<after> (?:of )?(?P<week>last week|this week"
    rf"|next week))?"
)
_PART = re.compile(
    r"\b(?<!good )(?:in the )?(?P<this>this )?(?P<part>morning|afternoon|evening|night)\b(?! shift| crew"
    r"| team)|\b(?P<tonight>tonight)\b"
)
_CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>2[0-4]|1\d|0?\d):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?: ?(?P<half>[ap])\.?m\b\.?)?(?!\d)"
    r"|\b(?P<hour2>1[0-2]|0?[1-9]) ?(?P<half2>[ap])\.?m\b\.?|\b(?P<noon>noon|midday|midnight)\b"
    r"|\b(?P<hour3>1[0-2]|[1-9]) o'?clock\b"
)
_PREPOSED = re.compile(
    r"(?:\b(?:in|of|since|from|last|this|to|until|till|for|during|and|vs|versus|between|through|by)\.? )$"
)
_AMBIGUOUS_MONTHS = frozenset({"may", "mar", "march", "sep", "dec", "jun", "jan"})
_AMBIGUOUS_DAYS = frozenset({"sun", "sat", "mon", "wed"})


def english_atoms(text: str, now: Now) -> Iterator[Atom]:
    """Find the English and the language-neutral pieces of time in a reading. Pieces may overlap."""
    yield from _numeric(text)
    yield from _named_months(text, now)
    for found in finds(_ORDINAL, text, "the "):
        yield Atom(*found.span(), Calendar(day=int(found["day"])))
    for found in finds(_QUARTER, text, "quarter", "half", "q", "h1", "h2"):
        yield Atom(*found.span(), _quarter(found, now))
    for found in finds(_YEAR_ONLY, text, "19", "20"):
        yield Atom(*found.span(), Calendar(int(found["year"])))
    yield from _counted(text, now)
    for found in finds(_WEEKDAY, text, *_WEEKDAY_STEMS):
        which = found["week"] or found["which"] or ""
        if found["day"] in _AMBIGUOUS_DAYS and not which:
            continue
        week = {"last week": -1, "this week": 0, "next week": 1, "next": None, "this": 0}.get(which)
        index = next(i for i, name in enumerate(_WEEKDAYS) if name.startswith(found["day"][:3]))
        ahead = Now(now.local, future=True) if which == "next" else now
        yield Atom(*found.span(), weekday(index, week, ahead, strict=which in {"last", "past", "previous"}))
    for found in finds(_PART, text, *_PARTS, "tonight"):
        yield Atom(*found.span(), Part(18, 30) if found["tonight"] else Part(*_PARTS[found["part"]]))
    for found in finds(_CLOCK, text, ":", "am", "pm", "a.m", "p.m", "noon", "midday", "midnight", "clock", " a", " p"):
        yield Atom(*found.span(), _clock(found))


def _numeric(text: str) -> Iterator[Atom]:
    for pattern in (_ISO, _COMPACT):
        for found in finds(pattern, text, "19", "20"):
            day = int(found["day"]) if found["day"] else None
            yield Atom(*found.span(), Calendar(int(found["year"]), int(found["month"]), day))
    for found in finds(_SLASHED, text, "/"):
        a, b = int(found["a"]), int(found["b"])
        month, day = (a, b) if a <= 12 else (b, a)  # noqa: PLR2004
        year = None if found["year"] is None else int(found["year"]) % 2000 + 2000
        if 1 <= month <= 12 and 1 <= day <= 31:  # noqa: PLR2004
            yield Atom(*found.span(), Calendar(year, month, day))


def _named_months(text: str, now: Now) -> Iterator[Atom]:
    if not any(stem in text for stem in _MONTHS):
        return
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for found in pattern.finditer(text):
            yield Atom(*found.span(), Calendar(_int(found["year"]), _month(found), int(found["day"])))
    for found in _MONTH_YEAR.finditer(text):
        clear = found["year"] or found["last"] or found["third"] or found["month"] not in _AMBIGUOUS_MONTHS
        if not clear and not _PREPOSED.search(text, max(0, found.start() - 12), found.start()):
            continue
        year = _int(found["year"])
        if found["last"] and found["last"].startswith("last") and _month(found) >= now.local.month:
            year = now.local.year - 1
        third = {"e": 1, "b": 1, "m": 2, "l": 3}.get((found["third"] or " ")[0])
        if found["third"] == "end of":
            third = 3
        yield Atom(*found.span(), Calendar(year, _month(found), third=third))


def _counted(text: str, now: Now) -> Iterator[Atom]:
    for found in finds(
        _ROLLING, text, "last", "past", "previous", "prior", "trailing", "preceding", "next", "coming", "following"
    ):
        ahead = found["which"] in {"next", "coming", "following"}
        unit = _unit(found["unit"])
        # "last week" is the calendar's, found by its name; "the past week" and "the last hour" roll.
        if found["count"] is None and (
            ahead or (found["which"] not in {"past", "trailing"} and unit not in {"h", "min"})
        ):
            continue
        count = to_int(found["count"] or "1")
        count, unit = {"w": (7 * count, "d"), "q": (3 * count, "mo")}.get(unit, (count, unit))
        if found["count"] is None and unit == "d" and count == 1:
            count, unit = 24, "h"
        if count > 0 and within(count, unit):
            yield Atom(*found.span(), rolling(count, unit, now, ahead=ahead))
    for pattern, sign, needles in ((_AGO, 1, ("ago", "back", "before now")), (_AHEAD, -1, ("in ",))):
        for found in finds(pattern, text, *needles):
            count, unit = to_int(found["count"]), _unit(found["unit"])
            count, unit = (3 * count, "mo") if unit == "q" else (count, unit)
            if within(count, unit) and (sign > 0 or now.future):
                yield Atom(*found.span(), ago(sign * count, unit, now))


def _unit(said: str) -> str:
    return _UNITS.get(said[:2]) or _UNITS[said[0]]


def _quarter(found: re.Match[str], now: Now) -> Calendar:
    year = _int(found["year"] or found["year2"])
    if found["rel"]:
        year = now.local.year - (found["rel"] == "last year")
    half = found["half"] or found["half2"]
    if half:
        return Calendar(year, half=2 if half.startswith("second") or half == "h2" else 1)
    return Calendar(year, quarter=to_int(found["quarter"] or found["quarter2"] or found["word"]))


def _month(found: re.Match[str]) -> int:
    return _MONTHS[found["month"][:3]]


def _int(said: str | None) -> int | None:
    return None if said is None else int(said)


def _clock(found: re.Match[str]) -> Clock:
    if found["noon"]:
        return Clock(0 if found["noon"] == "midnight" else 12)
    hour = int(found["hour"] or found["hour2"] or found["hour3"]) % 24
    half = found["half"] or found["half2"]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Clock(hour, int(found["minute"] or 0), bool(half or found["minute"]), found["minute"] is None)
