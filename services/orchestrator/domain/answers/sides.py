"""Text of a COMPARE and of a RANK: things or periods side by side, or in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.orchestrator.domain.answers import check
from services.orchestrator.domain.answers.voice import Voice
from services.orchestrator.domain.figures import JudgedItem, JudgmentResult, Severity
from services.orchestrator.domain.meaning import Intent, Target
from services.orchestrator.domain.plant import ADDS_UP, Direction, Metric

_ALARMING = frozenset({Severity.WARNING, Severity.CRITICAL})
_MOST_NAMED = 5
_TWO = 2
_TELLING_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Side:
    """One thing among those compared or ranked: what it is called beside its figure, and as a thing of its own."""

    name: str
    noun: str
    item: JudgedItem
    value: float


def compare(voice: Voice, judgment: JudgmentResult) -> list[str]:
    """Say what is higher and by how much."""
    metric = voice.scope.metric
    sides, missing = _sides(voice, judgment)
    if not sides:
        return [voice.say("check.none", when=voice.when(), **_words(voice))]
    quoted = [_quote(voice, side) for side in sides]
    words = _words(voice) | {"lead": _lead(voice), "of": _of(voice), "be": voice.be(metric, past=not voice.going_on())}
    if len(sides) == 1:
        sentences = [voice.say("sides.only", name=sides[0].name, value=quoted[0], **words)]
    elif len(sides) == _TWO:
        sentences = _pair(voice, sides, quoted, words)
    else:
        sentences = _many(voice, sides, words)
    if missing and len(sides) > 1:
        sentences.append(voice.say("sides.missing", names=voice.listed(missing), of=_of(voice)))
    sentences += _against_target(voice, sides)
    sentences += [
        voice.say("sides.open", period=voice.period(window))
        for window in voice.scope.windows
        if len(voice.scope.windows) > 1 and voice.going_on(window)
    ]
    return sentences


def rank(voice: Voice, judgment: JudgmentResult) -> list[str]:
    """Say who comes first, then the next ones, then who is past the target."""
    scope, metric = voice.scope, voice.scope.metric
    sides, _ = _sides(voice, judgment)
    if not sides:
        return [voice.say("check.none", when=voice.when(), **_words(voice))]
    quoted = [_quote(voice, side) for side in sides]
    first = [side.name for side in sides if side.value == sides[0].value]
    words = _words(voice) | {
        "when": voice.when(),
        "most": voice.word(metric, "most" if scope.descending else "least"),
        "dimension": voice.dimension(scope.group_by[0]),
        "value": quoted[0],
        "had": "has" if voice.going_on() else "had",
        "inside": voice.say("rank.inside", place=voice.targets(scope.targets)) if scope.targets else "",
    }
    if len(first) > 1:
        sentences = [voice.say("rank.shared", names=voice.listed(first[:_MOST_NAMED]), **words)]
    else:
        sentences = [voice.say("rank.first", name=first[0], **words)]
    following = [
        voice.say("rank.item", name=side.name, value=value)
        for side, value in zip(sides[len(first) :], quoted[len(first) :], strict=True)
    ]
    if following:
        key = "rank.next" if len(following) > 1 else "rank.next_one"
        sentences.append(voice.say(key, items=voice.listed(following[: _MOST_NAMED - 1])))
    share = sides[0].item.share
    if share is not None and share >= _TELLING_SHARE and metric.aggregation in ADDS_UP and len(first) == 1:
        shown = voice.quotes.ratio(metric, share, "share")
        sentences.append(voice.say("rank.share", name=sides[0].name, share=shown))
    return sentences + _against_target(voice, sides)


def _words(voice: Voice) -> dict[str, str]:
    metric = voice.scope.metric
    grouped = {dimension.value for dimension in voice.scope.group_by}
    filters = [target for target in voice.scope.targets if target.kind not in grouped]
    return {
        "whose": voice.whose(filters),
        "metric": voice.metric(metric),
        "subject": voice.subject(metric, filters),
    }


def _lead(voice: Voice) -> str:
    """Begin with the period, unless periods are what is compared, and with whose figure it is."""
    single = len(voice.scope.windows) == 1
    when = voice.when() if single else ""
    if voice.language == "ko":
        return "".join(f"{part} " for part in (when, _words(voice)["whose"].strip()) if part)
    return f"{when}, " if when else ""


def _of(voice: Voice) -> str:
    """Return what joins a figure to its side in English: `2.1% for line 1`, `2.1% this week`."""
    return "for " if voice.language == "en" and voice.scope.group_by else ""


def _sides(voice: Voice, judgment: JudgmentResult) -> tuple[list[Side], list[str]]:
    """Name the things judged; those without a figure come apart."""
    sides: list[Side] = []
    missing: list[str] = []
    for item in judgment.items:
        if item.value is None:
            missing.append(_name(voice, item, noun=True))
        else:
            sides.append(Side(_name(voice, item, noun=False), _name(voice, item, noun=True), item, item.value))
    return sides, missing


def _name(voice: Voice, item: JudgedItem, *, noun: bool) -> str:
    parts = []
    if item.target is not None:
        parts.append(voice.target(item.target))
    if item.window is not None and (item.target is None or len(voice.scope.windows) > 1):
        # The judgment carries the windows of the query, whose words the scope still knows.
        start = item.window.start
        window = next((each for each in voice.scope.windows if each.start == start), item.window)
        parts.append(voice.period(window) if noun or voice.language == "ko" else voice.when(window))
    return " ".join(parts)


def _quote(voice: Voice, side: Side) -> str:
    item = side.item
    window = item.window or (voice.scope.window if len(voice.scope.windows) == 1 else None)
    targets: tuple[Target, ...] = (item.target,) if item.target else voice.scope.targets
    return voice.quotes.value(voice.scope.metric, side.value, window, targets, item.severity)


def _pair(voice: Voice, sides: Sequence[Side], quoted: Sequence[str], words: dict[str, str]) -> list[str]:
    metric = voice.scope.metric
    one, other = sides
    words = words | {"first": one.name, "second": other.name}
    if one.value == other.value:
        return [voice.say("sides.same", value=quoted[0], **words)]
    # The newer period, or the side named first, is held against the other.
    ahead, behind = (one, other) if one.value > other.value else (other, one)
    lower = len(voice.scope.windows) > 1 and _newest(sides) is behind
    subject, base = (behind, ahead) if lower else (ahead, behind)
    return [
        voice.say(
            "sides.two",
            first_value=quoted[0],
            second_value=quoted[1],
            side=subject.noun,
            change=check.size(voice, metric, subject.value, base.value),
            compared=voice.word(metric, "less" if lower else "more"),
            **words,
        )
    ]


def _newest(sides: Sequence[Side]) -> Side:
    return max(sides, key=lambda side: side.item.window.start.timestamp() if side.item.window else 0.0)


def _many(voice: Voice, sides: Sequence[Side], words: dict[str, str]) -> list[str]:
    metric = voice.scope.metric
    ordered = sorted(sides, key=lambda side: -side.value)
    named = ordered if len(ordered) <= _MOST_NAMED else [*ordered[: _MOST_NAMED - 1], ordered[-1]]
    items = [voice.say("sides.item", name=side.name, value=_quote(voice, side)) for side in named]
    sentences = [voice.say("sides.many", items=", ".join(items), **words)]
    if ordered[0].value != ordered[-1].value:
        change = check.size(voice, metric, ordered[0].value, ordered[-1].value)
        compared = voice.word(metric, "more")
        ends = {"highest": ordered[0].noun, "lowest": ordered[-1].noun}
        sentences.append(voice.say("sides.gap", change=change, compared=compared, **ends))
    return sentences


def _against_target(voice: Voice, sides: Sequence[Side]) -> list[str]:
    metric = voice.scope.metric
    if metric.target is None or metric.direction is Direction.UNSPECIFIED:
        return [_better(voice, metric, sides)] if len(sides) == _TWO and voice.scope.template is Intent.COMPARE else []
    if len(sides) == 1:
        return [check.meaning(voice, metric, sides[0].item.severity)]
    target = voice.quotes.target(metric)
    past = [side.name for side in sides if side.item.severity in _ALARMING]
    if len(past) == len(sides):
        return [voice.say("target.all", target=target)]
    if not past:
        judged = any(side.item.severity is Severity.NORMAL for side in sides)
        return [voice.say(f"target.none.{metric.direction}", target=target)] if judged else []
    kind = voice.dimension(voice.scope.group_by[0]) if voice.scope.group_by else voice.say("dimension.period")
    return [voice.say("target.some", target=target, dimension=kind, names=voice.listed(past[:_MOST_NAMED]))]


def _better(voice: Voice, metric: Metric, sides: Sequence[Side]) -> str:
    """Say which of two is better, where that is no matter of size: not for sums, not for periods."""
    judged = metric.direction is not Direction.UNSPECIFIED and metric.aggregation not in ADDS_UP
    if not judged or not voice.scope.group_by or sides[0].value == sides[1].value:
        return ""
    ordered = sorted(sides, key=lambda side: side.value)
    best = ordered[0] if metric.direction is Direction.LOWER_IS_BETTER else ordered[-1]
    return voice.say("sides.better", name=best.name)
