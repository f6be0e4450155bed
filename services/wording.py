"""Words around figures, for every service that speaks to people, in Korean (`ko`) and English (`en`). Pure.

One way of writing figures everywhere, so that the number in a sentence is found again in its evidence:
fractions as percent with one or two decimals, thousands separated, the unit behind.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["ko", "en"]
Particles = Literal["은/는", "이/가", "을/를", "과/와", "으로/로", "이라/라", "이에요/예요"]


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text in both languages of the product."""

    ko: str = ""
    en: str = ""


_HANGUL_FIRST: Final = 0xAC00
_HANGUL_LAST: Final = 0xD7A3
_FINALS: Final = 28  # ways a syllable may end, the open one first
_RIEUL: Final = 8  # ㄹ, after which it is 로, not 으로
_CLOSED: Final = 1  # some final consonant other than ㄹ

# How the last digit is read: 영 일 이 삼 사 오 육 칠 팔 구.
_DIGIT_FINALS: Final[Mapping[str, int]] = {
    **dict.fromkeys("036", _CLOSED),
    **dict.fromkeys("178", _RIEUL),
    **dict.fromkeys("2459", 0),
}
# How a letter is read on its own, as at the end of OEE or MTTR: 엘, 엠, 엔, 알; all others end open.
_LETTER_FINALS: Final[Mapping[str, int]] = {"l": _RIEUL, "r": _RIEUL, "m": _CLOSED, "n": _CLOSED}
# How units and signs are read where spelling misleads: 퍼센트, 도, 킬로와트시, 킬로그램, 밀리미터 ...
_SIGN_FINALS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("%", "%p", "℃", "°C", "kWh", "kW", "MWh", "mm", "cm", "m", "h", "s", "t", "mm/s", "m³/h"), 0),
    **dict.fromkeys(("kg", "g", "mg"), _CLOSED),
    **dict.fromkeys(("bar", "kPa", "Pa", "MPa"), 0),
}
# English endings that Korean writes with a final consonant (라인, 보틀, 샵, 블록); the rest end open (볼트, 시프트).
_CLOSED_WORD: Final = re.compile(r"([mn]e?|ng|[^aeiou][aeiou](ck|[pktcb]))$")
_RIEUL_WORD: Final = re.compile(r"(l|[aeiou]le|[^aeiou]le)$")
_NOT_READ: Final = re.compile(r"[\s)\]}>'\"”’」』.,!?~…*_-]+$")
_ASIDE: Final = re.compile(r"\s*\([^()]*\)\s*$")
_TAIL: Final = re.compile(r"(%p|[%℃]|°C|[A-Za-z][A-Za-z/³²]*|.)$", re.DOTALL)


def final_consonant(word: str) -> int:
    """Tell how the word ends when read aloud: 0 open, 8 with ㄹ, any other number closed.

    Trailing stops, quotes and what stands in brackets are not read. Digits are read by the last one (7 = 칠); a whole
    number ending in 0 is 십, 백, 천, 만: closed all the same.
    """
    read = _NOT_READ.sub("", _ASIDE.sub("", word)) or _NOT_READ.sub("", word)
    tail = _TAIL.search(read)
    if tail is None:
        return 0
    end = tail.group()
    behind_figure = not read[: tail.start()].rstrip() or read[: tail.start()].rstrip()[-1].isdigit()
    if end in _SIGN_FINALS and behind_figure:
        return _SIGN_FINALS[end]
    last = end[-1]
    if _HANGUL_FIRST <= ord(last) <= _HANGUL_LAST:
        return (ord(last) - _HANGUL_FIRST) % _FINALS
    if last.isascii() and last.isalpha():
        return _latin_final(end)
    return _DIGIT_FINALS.get(last, 0)


def _latin_final(word: str) -> int:
    if word.isupper() or len(word) == 1:
        return _LETTER_FINALS.get(word[-1].lower(), 0)
    if _RIEUL_WORD.search(word.lower()):
        return _RIEUL
    return _CLOSED if _CLOSED_WORD.search(word.lower()) else 0


def josa(word: str, pair: Particles) -> str:
    """Give the word the particle that fits: `josa("불량률", "은/는")` is 불량률은, `josa("OEE", "은/는")` OEE는."""
    closed, open_ = pair.split("/")
    final = final_consonant(word)
    takes_open = final == 0 or (pair == "으로/로" and final == _RIEUL)
    return word + (open_ if takes_open else closed)


# Particles as authors leave them open in a text with gaps: `{defect_rate}이(가)`.
_OPEN_PARTICLE: Final = re.compile(r"(?<=\S)(은\(는\)|이\(가\)|을\(를\)|과\(와\)|와\(과\)|\(으\)로)")
_OPEN_PAIRS: Final[Mapping[str, Particles]] = {
    "은(는)": "은/는",
    "이(가)": "이/가",
    "을(를)": "을/를",
    "과(와)": "과/와",
    "와(과)": "과/와",
    "(으)로": "으로/로",
}


def settle_particles(text: str) -> str:
    """Settle particles that were left open: `3.1%이(가) 목표를` becomes `3.1%가 목표를`."""
    parts: list[str] = []
    end = 0
    for particle in _OPEN_PARTICLE.finditer(text):
        before = text[end : particle.start()]
        word = before.rpartition(" ")[2]
        parts.append(before[: len(before) - len(word)] + josa(word, _OPEN_PAIRS[particle.group()]))
        end = particle.end()
    return "".join(parts) + text[end:]


# What people write for a unit: UCUM -> (Korean, English, a space before it). Others stand as they are.
_UNITS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "s": ("초", "s", False),
    "min": ("분", "min", False),
    "h": ("시간", "h", False),
    "d": ("일", "days", False),
    "kW.h": ("kWh", "kWh", True),
    "MW.h": ("MWh", "MWh", True),
    "kvar.h": ("kvarh", "kvarh", True),
    "Cel": ("°C", "°C", False),
    "m3": ("m³", "m³", True),
    "m3/h": ("m³/h", "m³/h", True),
    "m/s2": ("m/s²", "m/s²", True),
    "[ppm]": ("ppm", "ppm", True),
}
_FRACTION: Final = "1"
_ANNOTATION: Final = re.compile(r"\{([^{}]*)\}")  # UCUM's braces name what is counted: `{piece}`
_HUNDRED: Final = 100


def format_number(value: float) -> str:
    """Write a plain number: thousands separated, at most two decimals (below 0.1 two significant digits).

    Not-a-number and infinity read `-`: no figure, whatever the language.
    """
    if not math.isfinite(value):
        return "-"
    decimals = 2
    if value and abs(value) < 0.1:  # noqa: PLR2004 - two decimals would leave fewer than two digits
        decimals = min(12, 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def format_percent(fraction: float) -> str:
    """Write a fraction as percent with one or two decimals: 0.031 is `3.1%`, 0.0312 is `3.12%`, 1 is `100.0%`."""
    if not math.isfinite(fraction):
        return "-"
    return _points(fraction) + "%"


def format_value(value: float, unit: str, language: Language) -> str:
    """Write a figure with its unit (UCUM as in `Column.unit`; `1` is a fraction, empty a bare count).

    `format_value(0.031, "1", "ko")` is 3.1%, `(93, "min", "ko")` 93분, `(1240.5, "kW.h", "en")` 1,240.5 kWh.
    """
    if unit == _FRACTION:
        return format_percent(value)
    return format_number(value) + _unit(unit, language)


def format_change(difference: float, unit: str, language: Language) -> str:
    """Write a difference without its sign: of fractions in percentage points (0.012 is `1.2%p`, `1.2 pp`)."""
    size = abs(difference)
    if unit == _FRACTION and math.isfinite(size):
        return _points(size) + ("%p" if language == "ko" else " pp")
    return format_value(size, unit, language)


def _points(fraction: float) -> str:
    percent = fraction * _HUNDRED
    if percent and abs(percent) < 0.01:  # noqa: PLR2004 - two decimals would show nothing
        return format_number(percent)
    text = f"{percent:,.2f}"
    text = text.removesuffix("0")
    return "0.0" if text in {"-0.0", "0.0"} else text


def _unit(unit: str, language: Language) -> str:
    unit = _ANNOTATION.sub("", unit).removeprefix("/")
    if not unit:
        return ""
    korean, english, space = _UNITS.get(unit, (unit, unit, True))
    if language == "ko":
        return f" {korean}" if space else korean
    return f" {english}"


_PERIODS: Final[Mapping[str, tuple[str, str]]] = {
    "today": ("오늘", "today"),
    "yesterday": ("어제", "yesterday"),
    "this_week": ("이번 주", "this week"),
    "last_week": ("지난주", "last week"),
    "this_month": ("이번 달", "this month"),
    "last_month": ("지난달", "last month"),
    "this_quarter": ("이번 분기", "this quarter"),
    "last_quarter": ("지난 분기", "last quarter"),
    "this_year": ("올해", "this year"),
    "last_year": ("지난해", "last year"),
    "recent": ("최근 7일", "the last 7 days"),
}
_LAST: Final = re.compile(r"last_(\d{1,4})(min|[hdwm])")
_SPANS: Final[Mapping[str, tuple[str, str]]] = {
    "min": ("분", "minutes"),
    "h": ("시간", "hours"),
    "d": ("일", "days"),
    "w": ("주", "weeks"),
    "m": ("개월", "months"),
}


def format_period(label: str, language: Language) -> str:
    """Name a window by its label: `last_week` is 지난주, `last_3d` the last 3 days; ISO dates stay."""
    choice = 0 if language == "ko" else 1
    if label in _PERIODS:
        return _PERIODS[label][choice]
    last = _LAST.fullmatch(label)
    if last is not None:
        span = _SPANS[last.group(2)][choice]
        count = last.group(1)
        return f"최근 {count}{span}" if language == "ko" else f"the last {count} {span}"
    return label.replace("/", " ~ " if language == "ko" else " to ")
