"""Korean expressions of time. In the patterns `_` stands for a space that may be missing."""

import re
from collections.abc import Iterator

from services.router.domain.numbers import NATIVE, SINO, to_int
from services.router.domain.time.atoms import Atom, Clock, Part
from services.router.domain.time.spans import Calendar, Now, Span, ago, rolling, weekday

_COUNT = rf"(?:\d{{1,4}}|{NATIVE}|{SINO})"
_UNIT = "분기|분|시간|주일|주|일|개월|달|년|해"
_FIXED_DAYS = {
    "하루": 1,
    "이틀": 2,
    "사흘": 3,
    "나흘": 4,
    "닷새": 5,
    "열흘": 10,
    "보름": 15,
    "일주일": 7,
    "한주": 7,
    "한 주": 7,
    "반년": 0,
    "하루치": 1,
}
_FIXED = "|".join(sorted(_FIXED_DAYS, key=len, reverse=True))
_UNITS = {
    "분": "min",
    "시간": "h",
    "일": "d",
    "주일": "w",
    "주": "w",
    "개월": "mo",
    "달": "mo",
    "분기": "q",
    "년": "y",
    "해": "y",
}
_WEEKDAYS = "월화수목금토일"
_WEEKS = {
    "지지난주": -2,
    "지난주": -1,
    "저번주": -1,
    "전주": -1,
    "이번주": 0,
    "금주": 0,
    "이주": 0,
    "다음주": 1,
    "차주": 1,
    "담주": 1,
}
_PARTS = {
    "새벽": (0, 6),
    "이른 아침": (5, 9),
    "아침": (6, 12),
    "오전": (0, 12),
    "점심": (11, 14),
    "한낮": (11, 15),
    "낮": (9, 18),
    "오후": (12, 24),
    "저녁": (18, 24),
    "밤": (20, 30),
    "심야": (22, 30),
    "한밤": (22, 28),
}
_THIRDS = {"초": 1, "초순": 1, "상순": 1, "중순": 2, "중": 0, "말": 3, "하순": 3, "월말": 3}


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("_", " ?"))


_YEAR = r"(?P<year>(?:19|20)\d{2}|\d{2})년도?"
_DATE = _compile(
    rf"(?<!\d)(?:{_YEAR}_)?(?P<month>1[0-2]|0?[1-9])월_(?P<day>3[01]|[12]\d"
    rf"|0?[1-9])일(?!간)(?:_\(?[{_WEEKDAYS}](?:요일)?\))?"
)
_MONTH = _compile(
    rf"(?<!\d)(?P<last>작년_|지난해_|올해_|금년_|재작년_|내년_)?(?:{_YEAR}_)?(?P<month>1[0-2]|0?[1-9])월"
    r"(?:_(?P<third>초순|중순|하순|상순|초|말)(?![가-힣]{2}))?(?!_\d)"
)
_YEAR_PART = _compile(
    rf"(?<!\d)(?:(?P<last>작년_|지난해_|올해_|금년_)|{_YEAR}_)?(?:(?P<half>상|하)반기"
    rf"|(?P<quarter>[1-4일이삼사])_?/?_?4?분기)"
)
_YEAR_ONLY = _compile(r"(?<!\d)(?P<year>(?:19|20)\d{2}|[12]\d)년(?:도)?(?!_전|간|_동안|치)")
_DAY_OF_MONTH = _compile(
    r"(?<![\d.])(?:(?P<last>지난_?달|저번_?달|이번_?달|이달|전월|금월|당월)_)?(?P<day>3[01]|[12]\d"
    r"|[1-9])일(?!_?(?:간|동안|전|치|째|연속|후|뒤|마다|\d|[가-힣]?주))"
)
_ROLLING = _compile(
    rf"(?P<ahead>앞으로|향후|다음|오는|이후)?_?(?P<back>지난|최근|직전|과거|이전|요|지나간"
    rf"|근)?_(?:(?P<count>{_COUNT})_(?P<unit>{_UNIT})|(?P<fixed>{_FIXED}))"
    r"(?P<tail>_(?:간|동안|내|사이|치))?(?!_전|_후|_뒤|_단위|_마다|마다|별|조|요일)"
)
_AGO = _compile(rf"(?:(?P<count>{_COUNT})_(?P<unit>{_UNIT})|(?P<fixed>{_FIXED}))_전(?!체|력|부(?!터))")
_AHEAD = _compile(rf"(?:(?P<count>{_COUNT})_(?P<unit>{_UNIT})|(?P<fixed>{_FIXED}))_(?:후|뒤)")
_WEEKDAY = _compile(
    rf"(?P<week>지지난_주|지난_주|저번_주|전주|이번_주|금주|다음_주|차주|담주|지난|저번|이번"
    rf"|다음)?_?(?P<day>[{_WEEKDAYS}])요일(?!별|마다)"
)
_PART = _compile(
    rf"(?<![가-힣])(?<!좋은 )(?P<part>{'|'.join(sorted(_PARTS, key=len, reverse=True))})(?<!낮(?=[은을]))"
    r"(?!조|반|_근무|교대|_교대|작업|공정|시프트)(?=[^가-힣]|에|부터|까지|은|는|의|생|불|가|시|다|$)"
)
_CLOCK = _compile(
    r"(?<!\d)(?P<half>오전|오후|새벽|아침|저녁|밤|낮)?_(?P<hour>2[0-4]|1\d"
    r"|0?\d)시(?!간)(?:_(?P<minute>[0-5]?\d)분|_(?P<thirty>반))?"
)
_MONTH_POINT = _compile(
    r"(?P<month>이번_달|이달|지난_달|지난달|저번_달|금월|월|당월)_?(?P<third>초|말|중순|초순|하순)(?![가-힣]{2})"
)


_ROLLING_WORDS = (
    "앞으로",
    "향후",
    "다음",
    "오는",
    "이후",
    "지난",
    "최근",
    "직전",
    "과거",
    "이전",
    "요",
    "근",
    "간",
    "동안",
    "내",
    "사이",
    "치",
)


def finds(pattern: re.Pattern[str], text: str, *needles: str) -> Iterator[re.Match[str]]:
    """Return the matches of a pattern that cannot match without one of the needles; most texts hold none."""
    return pattern.finditer(text) if any(needle in text for needle in needles) else iter(())


def korean_atoms(text: str, now: Now) -> Iterator[Atom]:
    """Find the Korean pieces of time in a reading. Pieces may overlap; the longest is meant."""
    yield from _dates(text, now)
    yield from _counted(text, now)
    for found in finds(_WEEKDAY, text, "요일"):
        week = (found["week"] or "").replace(" ", "")
        stated = _WEEKS.get(week, {"이번": 0, "다음": 1}.get(week))
        day = weekday(_WEEKDAYS.index(found["day"]), stated, now, strict=week in {"지난", "저번"})
        yield Atom(*found.span(), day)
    for found in finds(_PART, text, *_PARTS):
        yield Atom(*found.span("part"), Part(*_PARTS[found["part"]]))
    for found in finds(_CLOCK, text, "시"):
        yield Atom(*found.span(), _clock(found))


def _dates(text: str, now: Now) -> Iterator[Atom]:
    for found in finds(_DATE, text, "월"):
        yield Atom(*found.span(), Calendar(_year(found["year"]), int(found["month"]), int(found["day"])))
    for found in finds(_MONTH, text, "월"):
        third = _THIRDS.get(found["third"] or "", 0) or None
        yield Atom(*found.span(), Calendar(_relative_year(found, now), int(found["month"]), third=third))
    for found in finds(_YEAR_PART, text, "분기", "반기"):
        year = _relative_year(found, now)
        quarter = to_int(found["quarter"]) if found["quarter"] else None
        half = {"상": 1, "하": 2}.get(found["half"] or "")
        yield Atom(*found.span(), Calendar(year, quarter=quarter, half=half))
    for found in finds(_YEAR_ONLY, text, "년"):
        yield Atom(*found.span(), Calendar(_year(found["year"])))
    for found in finds(_DAY_OF_MONTH, text, "일"):
        yield Atom(*found.span(), _day_of_month(found["last"], int(found["day"]), now))
    for found in finds(_MONTH_POINT, text, "월", "달"):
        index = _month_index(now, found["month"])
        yield Atom(*found.span(), Calendar(index // 12, index % 12 + 1, third=_THIRDS[found["third"]]))


def _month_index(now: Now, said: str) -> int:
    """Return the month, counted from year 0, that 이번 달 or 지난달 names."""
    return now.local.year * 12 + now.local.month - 1 - said.startswith(("지난", "저번", "전월"))


def _counted(text: str, now: Now) -> Iterator[Atom]:
    for found in finds(_ROLLING, text, *_ROLLING_WORDS):
        ahead = bool(found["ahead"]) and not found["back"]
        # "3일", "2주" alone are amounts or dates; "하루", "일주일" alone are amounts, too.
        if ahead or found["back"] or found["tail"]:
            count, unit = _amount(found)
            span = _rolling(count, unit, now, ahead=ahead)
            if span is not None:
                yield Atom(found.start() + len(found[0]) - len(found[0].lstrip()), found.end(), span)
    for found in finds(_AGO, text, "전"):
        count, unit = _amount(found)
        span = _ago(count, unit, now)
        if span is not None:
            yield Atom(*found.span(), span)
    for found in finds(_AHEAD, text, "후", "뒤"):
        count, unit = _amount(found)
        span = _ago(-count, unit, now)
        if span is not None:
            yield Atom(*found.span(), span)


def _amount(found: re.Match[str]) -> tuple[int, str]:
    fixed = found["fixed"]
    if fixed == "반년":
        return 6, "mo"
    if fixed:
        return (1, "w") if fixed in {"일주일", "한주", "한 주"} else (_FIXED_DAYS[fixed], "d")
    return to_int(found["count"]), _UNITS[found["unit"]]


def _rolling(count: int, unit: str, now: Now, *, ahead: bool) -> Span | None:
    count, unit = {"w": (7 * count, "d"), "q": (3 * count, "mo")}.get(unit, (count, unit))
    return rolling(count, unit, now, ahead=ahead) if count > 0 and within(count, unit) else None


def _ago(count: int, unit: str, now: Now) -> Span | None:
    count, unit = (3 * count, "mo") if unit == "q" else (count, unit)
    return ago(count, unit, now) if within(abs(count), unit) else None


def within(count: int, unit: str) -> bool:
    """Say whether so many units stay within the calendar that the grammar knows."""
    return count <= {"min": 100_000, "h": 20_000, "d": 4_000, "w": 500, "mo": 240, "y": 20}[unit]


def _year(said: str | None) -> int | None:
    if said is None:
        return None
    return int(said) if len(said) == 4 else 2000 + int(said)  # noqa: PLR2004


def _relative_year(found: re.Match[str], now: Now) -> int | None:
    back = {"작년": 1, "지난해": 1, "올해": 0, "금년": 0, "재작년": 2, "내년": -1}.get((found["last"] or "").strip())
    return _year(found["year"]) if back is None else now.local.year - back


def _day_of_month(month: str | None, day: int, now: Now) -> Calendar:
    if not month:
        return Calendar(day=day)
    index = _month_index(now, month)
    return Calendar(index // 12, index % 12 + 1, day)


def _clock(found: re.Match[str]) -> Clock:
    hour = int(found["hour"]) % 24
    half = found["half"]
    if half in {"오후", "저녁", "낮"} or (half == "밤" and hour >= 6):  # noqa: PLR2004
        hour = hour if hour >= 12 else hour + 12  # noqa: PLR2004
    elif half in {"오전", "새벽", "아침"} and hour == 12:  # noqa: PLR2004
        hour = 0
    minute = 30 if found["thirty"] else int(found["minute"] or 0)
    return Clock(hour, minute, bool(half) or hour > 12, not (found["thirty"] or found["minute"]))  # noqa: PLR2004
