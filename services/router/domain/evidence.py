"""Everything that stands in one utterance, found once and shared by the rules and the slots."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from services.router.domain.conditions import FoundCondition, find_clause, find_conditions, with_metric
from services.router.domain.lexicon import Lexicon, Mention
from services.router.domain.normalise import Utterance
from services.router.domain.numbers import ENGLISH, NATIVE, to_int
from services.router.domain.spelling import Reading
from services.router.domain.targets import Found, find_targets
from services.router.domain.time.compose import Period, find_periods
from services.router.domain.time.spans import Now, Unit

_FUTURE_CUES = frozenset({"predict", "future", "attain", "possible"})
_PAST_LABELS = ("last_", "yesterday", "day_before", "recent", "week_before", "month_before", "year_before")
# A Korean verb in -ㄹ까 wonders about what is not known yet.
_WONDERING = re.compile("(?P<verb>[" + "".join(chr(0xAC00 + 28 * i + 8) for i in range(399)) + "])까(?=[^가-힣]|요|$)")
_NOT_WONDERING = re.compile(r"(?:어떨|뭘|무엇일|얼마일|그럴|이럴|누굴|볼|알려줄|해줄|보여줄|몇일|왜일)까")
_TOP_N = re.compile(
    rf"(?:상위|하위|톱|탑|베스트|워스트|top|bottom|best|worst|first) ?-?(?P<n>\d{{1,3}}|{NATIVE}|{ENGLISH}\b)"
    rf"|(?<![\d가-힣])(?P<n2>\d{{1,3}}|{NATIVE}) ?(?:개|대|가지|군데|곳|명|위)(?![월시간로가-힣]{{2}}|월)"
    rf"|\b(?P<n3>\d{{1,3}}|{ENGLISH}) (?:worst|best|highest|lowest|longest|biggest|most|least|top|machines"
    rf"|lines|products|reasons|causes|operators|shifts|largest)\b"
)
_ATTRIBUTIVE = re.compile(r"(?:인|는|은|한|던|되는|된|지는|진|가는|간|[가-힣]{0,2}[는은한인]) ?")
_RELATIVE = re.compile(r" ?(?:with|whose|that|where|have|has|having|is|are|over|above|below|under)\b")
# "설비 가동률" is one metric; in a ranking its first word is what is ranked all the same.
# "Which day was worst?", "생산량이 가장 적은 날은?": an ordering of times, not of things.
_ASKED_TIME = re.compile(
    r"\b(?:which|what) (?P<en>day|date|week|month|hour|time)\b|\b(?P<when>when) (?:was|is|were|did|do|does)\b"
    r"|(?:어느|무슨|어떤|몇) ?(?P<ko>날|요일|달|월|주|시간대|시(?!간))"
    r"|(?P<end>날짜|날|요일|시간대|달|때)(?:은|이|가|는)?(?: ?(?:언제|어느|무슨|뭐).*)?[ ?.!]*$|(?P<at>언제)"
)
_ASKED_GRAINS = {
    **dict.fromkeys(("day", "date", "when", "날", "날짜", "요일", "때", "언제"), "day"),
    **dict.fromkeys(("week", "주"), "week"),
    **dict.fromkeys(("month", "달", "월"), "month"),
    **dict.fromkeys(("hour", "time", "시간대", "시"), "hour"),
}
_SIDES = 2
_LEADING_KIND = re.compile(r"(설비|라인|공정|제품|기계) ")
_KINDS = {"설비": "equipment", "기계": "equipment", "라인": "line", "공정": "process", "제품": "product"}
_REASONED = ((re.compile(r"불량|defect|결함"), "defect_qty"), (re.compile(r"정지|비가동|다운|down|stop"), "downtime"))
_WEEKLY = re.compile(r"(?<![\d가-힣])(?<!\d )(?:주간)(?! ?(?:조|반|근무|별|시프트|교대))")
_WEEKLY_REPORT = re.compile(r" ?(?:[가-힣]{1,4} )?(?:보고|리포트|레포트|업무|회의|계획|일정|품질|생산 보고|실적 보고)")


@dataclass(frozen=True)
class Evidence:
    """What was found. Offsets are those of the reading; `reading.span` leads back to the utterance."""

    utterance: Utterance
    reading: Reading
    lexicon: Lexicon
    now: Now
    zone: ZoneInfo
    mentions: tuple[Mention, ...]
    targets: tuple[Found, ...]
    periods: tuple[Period, ...]
    conditions: tuple[FoundCondition, ...]
    clause: tuple[int, int] | None
    top_n: tuple[int, int, int] | None  # number, start, end
    weekly: Mention | None  # "주간" where it means the week

    @cached_property
    def cues(self) -> frozenset[str]:
        """Names of the cues that occur."""
        return frozenset(m.value for m in self.mentions if m.kind == "cue")

    def of(self, kind: str) -> list[Mention]:
        """Return the mentions of a kind, from left to right, each value once."""
        once: dict[str, Mention] = {}
        for mention in self.mentions:
            if mention.kind == kind:
                once.setdefault(mention.value, mention)
        return list(once.values())

    @cached_property
    def metrics(self) -> list[Mention]:
        """Return the metrics, each once."""
        return self.of("metric")

    @cached_property
    def filtered(self) -> Mention | None:
        """Return the kind of thing that a threshold picks from: "3% 넘는 라인", "lines with OEE below 85%"."""
        for condition in self.conditions:
            for mention in self.mentions:
                if mention.kind != "dimension" or not condition.threshold:
                    continue
                between = self.reading.text[condition.end : mention.start] if mention.start >= condition.end else None
                if between is not None and _ATTRIBUTIVE.fullmatch(between):
                    return mention
                lead = self.reading.text[mention.end : condition.start] if mention.end <= condition.start else None
                if lead is not None and _RELATIVE.match(lead):
                    return mention
        return None

    @cached_property
    def group_by(self) -> Mention | None:
        """Return the dimension that is asked for as such: 라인별, which product, 설비 in a ranking; not 3라인."""
        dimensions = [m for m in self.mentions if m.kind == "dimension"]
        named = [m for m in dimensions if self._split(m)]
        return named[0] if named else self.filtered

    def _split(self, mention: Mention) -> bool:
        after = self.reading.text[mention.end : mention.end + 2]
        before = self.reading.text[max(0, mention.start - 24) : mention.start]
        return bool(
            after.startswith(("별", " 별"))
            or re.search(
                r"(?:어느|어떤|무슨|다른|나머지|각|모든|전체|전|매|which|what|other|each|every|per|by|all|across"
                r"|all the|by the|between|among) ?$",
                before,
            )
            or (
                mention.value == "operator"
                and self.reading.text[mention.start : mention.end] in {"누가", "누구", "who"}
            )
        )

    @cached_property
    def wondering(self) -> bool:
        """Say whether a Korean verb wonders: 될까, 바닥날까."""
        text = self.reading.text
        return any(not _NOT_WONDERING.search(text, max(0, m.start() - 3), m.end()) for m in _WONDERING.finditer(text))

    @cached_property
    def ahead(self) -> bool:
        """Say whether a period lies at least partly after now, and not only because today is not over."""
        return any(
            p.span.end > self.now.local
            and not p.span.label.startswith(("today", "this_"))
            and p.span.unit not in {Unit.PART, Unit.CLOCK}
            and (p.span.start >= self.now.local or p.span.unit in {Unit.RANGE, Unit.ROLLING})
            for p in self.periods
        )

    def said(self, start: int, end: int) -> tuple[str, int, int]:
        """Return the words of the utterance that were read at `start:end`, and where they stand."""
        a, b = self.reading.span(start, end)
        return self.utterance.text[a:b], a, b


def gather(utterance: Utterance, lexicon: Lexicon, as_of: datetime) -> Evidence:
    """Read the utterance with the plant's words, at the plant's hour."""
    zone = ZoneInfo(lexicon.catalogue.time_zone)
    reading = lexicon.speller.read(utterance.lower)
    text = reading.text
    mentions = lexicon.scan(text)
    cues = {m.value for m in mentions if m.kind == "cue"}
    now = Now(as_of.astimezone(zone).replace(tzinfo=None), future=_looks_ahead(text, mentions, cues))
    periods = find_periods(text, mentions, now, lexicon.catalogue.shifts)
    targets = [t for t in find_targets(text, lexicon, mentions) if not _clash(t, periods)]
    weekly, mentions, targets = _weekly(text, mentions, targets, periods)
    taken = [*((p.start, p.end) for p in periods), *((t.start, t.end) for t in targets)]
    conditions = find_conditions(text, taken)
    taken += [(c.start, c.end) for c in conditions]
    mentions = [m for m in mentions if not _inside(m, taken) or m.kind in {"grain", "schedule"}]
    mentions += _implied(text, mentions, cues)
    if len(periods) < _SIDES:  # "which of this month and last month" names its times
        mentions += _asked_time(text, mentions, cues, taken)
    metrics = [m for m in mentions if m.kind == "metric"]
    return Evidence(
        utterance,
        reading,
        lexicon,
        now,
        zone,
        tuple(mentions),
        tuple(targets),
        tuple(periods),
        tuple(with_metric(c, metrics) for c in conditions),
        find_clause(text),
        _top_n(text, taken),
        weekly,
    )


def _implied(text: str, mentions: Sequence[Mention], cues: set[str]) -> list[Mention]:
    """Return what longer words hide: "불량 유형" means defects, "stopped most" stops, "설비 가동률" machines."""
    hidden: list[Mention] = []
    metrics = [m for m in mentions if m.kind == "metric"]
    for mention in metrics:
        kind = _LEADING_KIND.match(text, mention.start, mention.end)
        if kind:
            hidden.append(Mention("dimension", _KINDS[kind[1]], mention.start, mention.start + len(kind[1])))
    if metrics:
        return hidden
    for mention in mentions:
        if mention.kind == "dimension" and mention.value == "reason":
            said = text[mention.start : mention.end]
            hidden += [replace(mention, kind="metric", value=m) for pattern, m in _REASONED if pattern.search(said)][:1]
    stops = [m for m in mentions if m.kind == "cue" and m.value == "broke"]
    if stops and not hidden and cues & {"superlative", "desc"}:
        hidden.append(replace(stops[0], kind="metric", value="stop_count"))
    return hidden


def _asked_time(
    text: str, mentions: Sequence[Mention], cues: set[str], taken: Iterable[tuple[int, int]]
) -> list[Mention]:
    """Return the grain that an ordering of times asks for; nothing where the word belongs to a period ("지난달은?")."""
    if not cues & {"superlative", "desc", "asc", "best", "worst"} or any(m.kind == "grain" for m in mentions):
        return []
    for found in _ASKED_TIME.finditer(text):
        word = next(each for each in found.groups() if each)
        asked = Mention("grain", _ASKED_GRAINS[word], *found.span(found.lastgroup or 0))
        if not _inside(asked, taken):
            return [asked]
    return []


def _looks_ahead(text: str, mentions: Iterable[Mention], cues: set[str]) -> bool:
    past = any(m.kind == "period" and m.value.startswith(_PAST_LABELS) for m in mentions)
    return not past and (bool(_FUTURE_CUES & cues - {"attain"}) or ("attain" in cues and bool(_WONDERING.search(text))))


def _inside(mention: Mention, taken: Iterable[tuple[int, int]]) -> bool:
    return any(mention.start < end and start < mention.end for start, end in taken)


def _clash(target: Found, periods: Iterable[Period]) -> bool:
    """Say whether a date was taken for a number of something: "2024-08-30 배치"."""
    return any(target.start < p.end and p.start < target.end for p in periods)


def _top_n(text: str, taken: list[tuple[int, int]]) -> tuple[int, int, int] | None:
    for found in _TOP_N.finditer(text):
        if not any(found.start() < end and start < found.end() for start, end in taken):
            number = to_int(found["n"] or found["n2"] or found["n3"])
            if number > 0:
                return number, *found.span()
    return None


def _weekly(
    text: str, mentions: list[Mention], targets: list[Found], periods: list[Period]
) -> tuple[Mention | None, list[Mention], list[Found]]:
    """Decide what 주간 means: the day shift beside another shift or on one day, else the week."""
    found = _WEEKLY.search(text)
    if found is None or any(m.kind == "grain" and m.start <= found.start() < m.end for m in mentions):
        return None, mentions, targets
    start, end = found.span()
    report = bool(_WEEKLY_REPORT.match(text, end))
    other_shift = any(t.kind == "shift" and not t.start <= start < t.end for t in targets)
    one_day = any(p.span.unit is Unit.DAY for p in periods)
    at_day = next((t for t in targets if t.kind == "shift" and t.start <= start < t.end), None)
    if not report and (other_shift or one_day):
        day = at_day or Found("shift:day", start, end)
        kept = [t for t in targets if t is not at_day]
        kept.append(day)
        kept = [replace(t) for t in sorted(kept, key=lambda t: t.start)]
        return None, [m for m in mentions if not (m.kind == "report" and m.start == start)], kept
    targets = [t for t in targets if t is not at_day or t.end > end]
    if any(t.kind == "shift" and t.start <= start < t.end for t in targets):
        return None, mentions, targets
    return Mention("weekly", "week", start, end), mentions, targets
