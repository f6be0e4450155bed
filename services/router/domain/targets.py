"""Which things of the plant an utterance is about: single ones, lists, ranges, and ones that do not exist."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.router.domain.lexicon import Lexicon, Mention
from services.router.domain.names import Names
from services.router.domain.numbers import ENGLISH, SINO, UNCOUNTED, to_int

_KOREAN_NOUNS = {
    "라인": "line",
    "호기": "equipment",
    "설비": "equipment",
    "기계": "equipment",
    "장비": "equipment",
    "머신": "equipment",
    "공정": "process",
    "제품": "product",
    "품목": "product",
    "로트": "lot",
    "랏": "lot",
    "배치": "lot",
    "lot": "lot",
    "line": "line",
    "machine": "equipment",
}
_ENGLISH_NOUNS = {
    "line": "line",
    "machine": "equipment",
    "equipment": "equipment",
    "unit": "equipment",
    "process": "process",
    "product": "product",
    "lot": "lot",
    "batch": "lot",
    "asset": "equipment",
    "sku": "product",
    "station": "equipment",
}

_KO = "|".join(_KOREAN_NOUNS)
_EN = "|".join(_ENGLISH_NOUNS)
_ONE = rf"(?:\d{{1,9}}|{ENGLISH}\b)"
_JOIN = r"(?: ?(?:,|·|/|&|와|과|랑|이랑|하고|및|~|-|–) ?|번 ?(?:,|·|와|과|이랑|하고|및|~|-)? ?)"
# "1라인", "1, 2라인", "1~3라인", "3번 라인", "1번과 2번 라인", "삼라인"
_NUMBER_FIRST = re.compile(
    rf"(?<![\d.a-z가-힣])(?:#|제)?(?P<numbers>\d{{1,9}}(?:{_JOIN}\d{{1,9}}){{0,9}}|{SINO}(?=라인|호기"
    rf"|번|공정|설비)|{SINO}(?= (?:호기|라인)))"
    rf"(?: ?번째?|호)? ?(?P<noun>{_KO})(?!형)"
)
_ORDINAL = re.compile(
    r"(?<![가-힣a-z\d])(?P<number>첫|두|세|네|다섯)(?: ?번째) ?(?P<noun>라인|호기|설비|기계|장비|공정|제품)"
    r"|\b(?P<english>1st|2nd|3rd|[4-9]th|first|second|third|fourth|fifth) (?P<noun2>line|machine|process)\b"
)
# "라인 3", "설비 7번"; not "설비 3개", "제품 5위"
_NOUN_FIRST = re.compile(
    r"(?<![가-힣])(?P<noun>라인|설비|기계|장비|공정|제품|로트|배치|lot)[ #_-]?(?P<numbers>\d{1,9})(?:번|호기?)?"
    + UNCOUNTED.pattern
)
_ENGLISH = re.compile(
    rf"\b(?P<noun>{_EN})(?:e?s)?(?:[ #_-]+(?:no\.? ?|number |num )?#?|(?=\d))"
    rf"(?P<numbers>(?:{_ONE}|[a-z]\b)(?:(?: ?(?:,|&|/|-|–|~) ?(?:and )?| (?:and|to|through|thru|vs\.?"
    rf"|versus|or|against|than|with) )"
    rf"(?:(?:{_EN})s? ?#?)?(?:{_ONE}|[a-z]\b)){{0,9}})(?![\d%]|\.\d| ?(?:hours?|days?|weeks?|months?"
    rf"|minutes?|percent)\b)"
)
_LETTER_LINE = re.compile(
    r"(?<![a-z가-힣\d])(?P<letters>[a-z](?:(?: ?(?:,|·|/|와|과|랑|이랑|하고"
    r"|및) ?)[a-z])*) ?(?P<noun>라인|호기|설비|공정|제품)(?!형)"
)
_CODE = re.compile(r"(?<![a-z0-9])(?P<prefix>[a-z]{1,5})[-_ ]?(?P<number>\d{1,9})(?![a-z0-9]|\.\d)")
_LETTER_LAST = re.compile(r"(?<![가-힣\da-z])(?P<noun>라인|설비|공정|제품) ?(?P<letters>[a-z])(?![a-z\d_/-])")
_LINE_LETTER_CODE = re.compile(r"(?<![a-z0-9])line_(?P<letter>[a-z])(?![a-z0-9])")
_PARTS = re.compile(rf"\d{{1,9}}|\b{ENGLISH}\b|\b[a-z]\b|{SINO}|~|-|–|\bto\b|\bthrough\b|\bthru\b")
_RANGE_SIGNS = frozenset({"~", "-", "–", "to", "through", "thru"})
_BETWEEN = re.compile(r"(?: ?(?:부터|에서|~|-|–) ?| (?:to|through|thru) )")
# Bare words for shifts stand for hours of any day, too; only side by side do they surely mean shifts.
_SHIFTS_PAIRED = re.compile(
    r"\b(?P<a>day|night|evening)s? ?(?:and|vs\.?|versus|or|to|with|against|/|&) ?(?:the )?(?P<b>day|night|evening)s?\b"
)
_NO_LETTERS = frozenset("ai")  # "line a" may be the start of "line a bit"; only a catalogue's letter is believed
_COUNT_BEFORE = re.compile(r"(?:상위|하위|톱|탑|top|bottom|best|worst|first|last|베스트|워스트) ?$")
# "고장 났어" is a verb and a "breakdown of downtime" a table; "고장" and "breakdown" alone are reasons.
_BREAKS = re.compile(r"(?<=고장) ?[나났난날내]|(?<=breakdown) (?:of|by)\b")
_MOST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A target at `start:end` of the reading. `known` is False for one that the plant lacks."""

    name: str
    start: int
    end: int
    known: bool = True
    sure: bool = True  # False: a guess, because the plant has no such kind or no catalogue is at hand

    @property
    def kind(self) -> str:
        """Return `line` of `line:L03`."""
        return self.name.partition(":")[0]


def find_targets(text: str, lexicon: Lexicon, mentions: Iterable[Mention]) -> list[Found]:
    """Return the targets of a reading from left to right, ranges unfolded, each once."""
    names = lexicon.names
    found = [*_by_alias(text, mentions, names), *_by_pattern(text, names)]
    # Leftmost, then longest; of two of the same place the catalogue's own alias, which stands first in the list.
    found.sort(key=lambda f: (f.start, f.start - f.end))
    taken: list[Found] = []
    for each in found:
        clash = [t for t in taken if each.start < t.end and t.start < each.end]
        if all((t.start, t.end) == (each.start, each.end) and t.kind == each.kind for t in clash):
            taken.append(each)
    taken.sort(key=lambda f: (f.start, f.end))
    unfolded = _between(text, taken, names)
    once: dict[str, Found] = {}
    for each in unfolded:
        once.setdefault(each.name, each)
    return list(once.values())[:_MOST]


def _by_alias(text: str, mentions: Iterable[Mention], names: Names) -> Iterator[Found]:
    for mention in mentions:
        if mention.kind == "target" and not _BREAKS.match(text, mention.end) and not _only_looks(text, mention.start):
            yield Found(mention.value, mention.start, mention.end)
        elif mention.kind == "shift":
            name = f"shift:{mention.value}"
            has = name in names.entries
            yield Found(name, mention.start, mention.end, has or "shift" not in names.kinds, has)


def _by_pattern(text: str, names: Names) -> Iterator[Found]:
    for found in _SHIFTS_PAIRED.finditer(text):
        yield from (Found(f"shift:{found[g]}", *found.span(g), f"shift:{found[g]}" in names.entries) for g in "ab")
    for found in _NUMBER_FIRST.finditer(text):
        if not _only_looks(text, found.start()):
            yield from _numbered(_KOREAN_NOUNS[found["noun"]], found["numbers"], found, names)
    for found in _ORDINAL.finditer(text):
        noun = found["noun"] or found["noun2"]
        number = found["number"] or found["english"]
        kind = _KOREAN_NOUNS.get(noun) or _ENGLISH_NOUNS[noun]
        yield from _numbered(kind, "1" if number == "첫" else str(to_int(number)), found, names)
    for found in _NOUN_FIRST.finditer(text):
        yield from _numbered(_KOREAN_NOUNS[found["noun"]], found["numbers"], found, names)
    for found in _ENGLISH.finditer(text):
        yield from _numbered(_ENGLISH_NOUNS[found["noun"]], found["numbers"], found, names)
    yield from _by_letter_or_code(text, names)


def _only_looks(text: str, start: int) -> bool:
    """Say whether what begins here only looks like a name: "이 라인" is this line, "상위 3 라인" are three of them."""
    return text.startswith("이 ", start) or bool(text[start].isdigit() and _COUNT_BEFORE.search(text, 0, start))


def _by_letter_or_code(text: str, names: Names) -> Iterator[Found]:
    for found in (*_LETTER_LINE.finditer(text), *_LETTER_LAST.finditer(text)):
        for letter in re.findall(r"[a-z]", found["letters"]):
            yield from _placed(names.lettered(_KOREAN_NOUNS[found["noun"]], letter), found, names)
    for found in _LINE_LETTER_CODE.finditer(text):
        yield from _placed(names.lettered("line", found["letter"]), found, names)
    for found in _CODE.finditer(text):
        yield from _placed(names.coded(found["prefix"], int(found["number"])), found, names)


def _numbered(kind: str, said: str, at: re.Match[str], names: Names) -> Iterator[Found]:
    parts = _PARTS.findall(said)
    previous = 0
    for i, part in enumerate(parts):
        if part in _RANGE_SIGNS:
            continue
        if part.isalpha() and len(part) == 1 and part.isascii():
            place = names.lettered(kind, part)
            if place is not None and not (part in _NO_LETTERS and not place[1]):
                yield from _placed(place, at, names)
            continue
        number = to_int(part)
        first = previous + 1 if i and parts[i - 1] in _RANGE_SIGNS and 0 < previous < number else number
        for each in range(max(first, number - _MOST), number + 1):
            yield from _placed(names.numbered(kind, each), at, names)
        previous = number


def _placed(place: tuple[str, bool] | None, at: re.Match[str], names: Names) -> Iterator[Found]:
    if place is not None:
        name, known = place
        yield Found(name, at.start(), at.end(), known, name in names.entries)


def _between(text: str, found: list[Found], names: Names) -> Iterator[Found]:
    """Unfold "1라인부터 3라인": two neighbours of one kind with a range sign between them."""
    for i, each in enumerate(found):
        if i and found[i - 1].kind == each.kind and _BETWEEN.fullmatch(text, found[i - 1].end, each.start):
            first, last = (_number(f.name) for f in (found[i - 1], each))
            for number in range(first + 1, min(last, first + _MOST)):
                name, known = names.numbered(each.kind, number)
                yield Found(name, each.start, each.end, known, name in names.entries)
        yield each


def _number(name: str) -> int:
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else 0
