"""Thresholds and changes: "진동이 5를 넘으면", "above 3%", "2초 줄이면", "up by 10%"; and the clause they stand in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.router.domain.lexicon import Mention
from services.router.domain.model import Comparator, Condition
from services.router.domain.numbers import to_float

_NUMBER = r"(?P<value>\d{1,9}(?:,\d{3})*(?:\.\d{1,6})?)"
_UNIT = (
    r"(?P<unit>%p?|퍼센트|프로|percent|pct|도|℃|°c|degrees?(?: celsius| c)?|개|건|회|번|대|명|초|분|시간|배"
    r"|톤|kwh|kw|mwh|bar|kpa|mpa|pa|"
    r"mm/s|m/s|hz|rpm|kg|kwh|units?|pieces|pcs|seconds?|secs?|minutes?|mins?|hours?|hrs?|times|days?|일|s|ea|c|h)?"
)
_KO_ABOVE, _KO_BELOW = (
    "넘|초과|웃돌|올라가|올라서|올라오|치솟|커지|높아지|크면|높으면|위로|돌파|오르",
    "미만|밑돌|아래로|아래|밑으로|내려가|떨어지|낮아지|작아지|작으면|낮으면|적으면|줄어들",
)
_KOREAN = re.compile(
    rf"(?<![\d.]){_NUMBER} ?{_UNIT} ?(?:을|를|이|가|로|으로|보다|에서|까지|선을?)? ?"
    rf"(?:(?P<ge>이상)|(?P<le>이하)|(?P<gt>{_KO_ABOVE})|(?P<lt>{_KO_BELOW})|(?P<eq>도달|되면|같으면))"
)
_ENGLISH = re.compile(
    r"(?:(?P<ge>at least|no less than|>=|≥|reach(?:es)?|hits?)|(?P<le>at most|no more than|<=|≤|up to)"
    r"|(?P<gt>(?:is |goes |gets |rises |climbs )?(?:above|over|beyond|past)|greater than|more than"
    r"|higher than|exceed(?:s|ed|ing)?|>|longer than|bigger than|larger than)"
    r"|(?P<lt>(?:is |goes |drops |falls |dips )?(?:below|under|beneath)|less than|lower than|fewer than"
    r"|drops? to|falls? to|<|shorter than|smaller than)"
    rf"|(?P<eq>equals?|=)) ?{_NUMBER} ?{_UNIT}(?![a-z\d])"
)
_CHANGE_KO = re.compile(
    rf"(?<![\d.]){_NUMBER} ?{_UNIT} ?(?:씩|정도|만큼|만|로|으로|을|를|더|포인트)? ?(?:더 )?"
    r"(?:(?P<up>올리|올려|올린|높이|높여|높인|늘리|늘려|늘린|늘|추가|증가|상승|오르|빠르게|더 하|투입"
    r"|증설)|(?P<down>줄이|줄여|줄인|줄|낮추|낮춰|낮춘|내리|내려|내린|감소|단축|떨어뜨|떨어|빼|느리게"
    r"|하락))"
)
_CHANGE_EN = re.compile(
    rf"\bby {_NUMBER} ?{_UNIT}(?![a-z\d])|(?P<value2>\d{{1,9}}(?:\.\d{{1,6}})?) ?(?P<unit2>%"
    rf"|percent)? (?P<way>faster|slower|more|less|higher|lower|fewer)\b"
)
_DOWN_EN = re.compile(
    r"\b(?:fall\w*|fell|drop\w*|reduc\w*|cut\w*|lower\w*|decreas\w*|down|shorten\w*|declin\w*|slower|less"
    r"|fewer|shrink\w*|slow\w*)\b"
)

# What may end in 면 and supposes nothing: nouns (화면, 도면), set phrases (그러면), and "at this rate".
_NO_CONDITIONAL = "".join(
    f"(?<!{stem})"
    for stem in (
        *"화측표장반단전평정도수대국",
        *("그러", "아니", "려", "왜냐하", "어쩌", "비교하", "에 비하", "에비하"),
        *("페이스", "대로 가", "대로", "추세", "추세라", "추세로 가", "속도", "속도라", "식이", "속도로 가"),
    )
)
_CLAUSE_KO = re.compile(
    rf"[가-힣]{_NO_CONDITIONAL}면(?:은|요)?(?=[^가-힣]|$|알려|알림|알람|메일|슬랙|문자|바로|어떻"
    rf"|어케|얼마|보내|연락|생산|불량|수율|경고|노티|즉시|나한테)"
    r"|(?:될|할|을|를|날|릴|칠|갈|출|는|은|한|던) ?(?:때|경우)(?:마다|에|에는)?(?=[^가-힣]|$)"
    r"|[가-힣]다고 (?:하면|치면)|거든(?=[^가-힣]|$)"
)
_CLAUSE_EN = re.compile(
    r"\b(?:if|when(?! will| do| does| did| is| are| was| were| should| can)|whenever|once|suppos(?:e|ing)"
    r"|assum(?:e|ing)|what if|in case|imagine|as soon as|should)\b"
)
_CLAUSE_END_EN = re.compile(
    r",|\?|\bthen\b|\bwhat (?:happens|would|will|is|does)\b|\bhow (?:much|would|will|does|many)\b"
    r"|\b(?:please )?(?:tell|notify|send|alert|email|page|ping|text|warn|let)\b"
)
_PERCENT = frozenset({"%", "퍼센트", "프로", "percent", "pct"})
_SIGNS: Mapping[str, Comparator] = {"ge": Comparator.GE, "le": Comparator.LE, "gt": Comparator.GT, "lt": Comparator.LT,
                                    "eq": Comparator.EQ}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundCondition:
    """A condition at `start:end` of the reading; `value` is its normal form."""

    condition: Condition
    value: str
    start: int
    end: int

    @property
    def threshold(self) -> bool:
        """Say whether it compares with a level."""
        return self.condition.comparator is not Comparator.NONE


def find_conditions(text: str, taken: Sequence[tuple[int, int]]) -> list[FoundCondition]:
    """Return thresholds and changes outside of spans that are taken by times and targets. Metrics are still empty."""
    found: list[FoundCondition] = []
    for each in _candidates(text):
        at = (each.start, each.end)
        if not _overlaps(at, taken) and not _overlaps(at, [(f.start, f.end) for f in found]):
            found.append(each)
    return sorted(found, key=lambda f: f.start)


def _candidates(text: str) -> Iterator[FoundCondition]:
    # "10% 올라가면" is a change where a level would say "10%를 넘으면"; thresholds are looked for first all the same,
    # because their words are the more exact.
    for pattern in (_KOREAN, _ENGLISH):
        for at in pattern.finditer(text):
            sign = next(_SIGNS[name] for name in _SIGNS if at[name])
            number, unit = _scaled(at["value"], at["unit"] or "")
            yield FoundCondition(Condition("", sign, number, unit), "", *at.span())
    for at in _CHANGE_KO.finditer(text):
        number, unit = _scaled(at["value"], at["unit"] or "")
        yield FoundCondition(
            Condition("", value=-number if at["down"] else number, unit=unit, relative=True), "", *at.span()
        )
    for at in _CHANGE_EN.finditer(text):
        number, unit = _scaled(at["value"] or at["value2"], at["unit"] or at["unit2"] or "")
        down = _DOWN_EN.search(text, max(0, at.start() - 60), at.end())
        yield FoundCondition(Condition("", value=-number if down else number, unit=unit, relative=True), "", *at.span())


def with_metric(found: FoundCondition, metrics: Sequence[Mention]) -> FoundCondition:
    """Return the condition about the nearest metric, the one said before it first, in its normal form."""
    before = [m for m in metrics if m.end <= found.start]
    after = [m for m in metrics if m.start >= found.end]
    # A metric that follows a change is what it acts on, not what is changed.
    near = before[-1] if before else (after[0] if after and found.threshold else None)
    condition = replace(found.condition, metric=near.value if near else "")
    number = f"{condition.value:g}" if condition.value is not None else ""
    if condition.relative and condition.value is not None:
        number = f"{condition.value:+g}"
    value = " ".join(part for part in (condition.metric, condition.comparator.value, number) if part)
    return replace(found, condition=condition, value=value)


def find_clause(text: str) -> tuple[int, int] | None:
    """Return where the clause of a supposed event stands: "야간조를 없앤다면", "if line 1 stops"."""
    korean = _CLAUSE_KO.search(text)
    if korean:
        return 0, korean.end()
    english = _CLAUSE_EN.search(text)
    if english:
        stop = _CLAUSE_END_EN.search(text, english.end())
        return english.start(), stop.start() if stop and stop.start() > english.end() + 1 else len(text)
    return None


def _scaled(said: str, unit: str) -> tuple[float, str]:
    number = to_float(said)
    return (round(number / 100, 8), "%") if unit in _PERCENT else (number, unit)


def _overlaps(at: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    return any(at[0] < end and start < at[1] for start, end in taken)
