"""Slots: what the utterance states, what the conversation brought, what the intent takes for granted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.router.domain import shifts as shift_windows
from services.router.domain.catalogue import Better, Shift
from services.router.domain.evidence import Evidence
from services.router.domain.lexicon import Mention
from services.router.domain.model import Intent, Origin, Slot
from services.router.domain.targets import Found
from services.router.domain.time.compose import Period
from services.router.domain.time.spans import Span, Unit, day_span, named, place

_LOWER_IS_BETTER_LIST = (
    "defect_qty defect_rate scrap_rate rework_rate downtime stop_count mttr cycle_time energy co2 batch_duration"
)
_LOWER_IS_BETTER = frozenset(_LOWER_IS_BETTER_LIST.split())
_CATALOGUED, _VOCABULARY, _GUESSED = 0.97, 0.9, 0.6
_ACTING = frozenset({Intent.NOTIFY, Intent.REPORT})
_DIRECTED = frozenset({Intent.TREND, Intent.FIND_CAUSE, Intent.DETECT_ANOMALY, Intent.PREDICT})
_PREFERRED_SPLITS = ("line", "equipment", "product", "operator", "reason", "category", "shift", "process", "lot")
_COUNTERPARTS = {
    "yesterday": "today",
    "day_before_yesterday": "yesterday",
    "last_week": "this_week",
    "week_before_last": "last_week",
    "last_month": "this_month",
    "month_before_last": "last_month",
    "last_quarter": "this_quarter",
    "last_year": "this_year",
    "same_month_last_year": "this_month",
}
_PLACES = frozenset({"line", "equipment", "process"})
_LENGTHS = re.compile(r"longest|shortest|제일 [긴짧]|가장 [긴짧]|오래 걸")
_WHOLE_DAY = timedelta(days=1)


# A week has one week and no month in it.
_SPANS_OF_GRAIN = {"week": "last_56d", "month": "last_12mo"}


def stated(evidence: Evidence, intent: Intent) -> list[Slot]:
    """Return the slots that the utterance states and the intent can use, in the order of the utterance."""
    found = [*_metrics(evidence, intent), *_targets_and_periods(evidence, intent), *_groupings(evidence, intent)]
    if intent is Intent.RANK or intent is Intent.CONTINUE:
        found += _ordering(evidence)
    if intent in _DIRECTED:
        found += _direction(evidence)
    found += _conditions(evidence, intent)
    if intent in _ACTING:
        found += [s for kind in ("action", "schedule") for s in _marked(evidence, kind, kind)][:4]
    if intent is Intent.REPORT:
        found += _report(evidence)
    found.sort(key=lambda slot: (slot.start, slot.end))
    return found


def _slot(evidence: Evidence, name: str, value: str, at: Mention | Period | Found, confidence: float) -> Slot:
    text, start, end = evidence.said(at.start, at.end)
    return Slot(name, value, text, start, end, confidence)


def _metrics(evidence: Evidence, intent: Intent) -> Iterator[Slot]:
    known = {metric.id: metric for metric in evidence.lexicon.catalogue.metrics}
    grouping = _grouping(evidence, intent)
    dimensions = {(m.start, m.end) for m in evidence.mentions if m.kind == "dimension"}
    for mention in evidence.metrics:
        value = mention.value
        if len(evidence.metrics) > 1 and (mention.start, mention.end) in dimensions:
            continue  # "다운타임 긴 배치": batches are what is split by, not what is counted
        if value == "planned_qty" and intent is Intent.PREDICT and "attain" in evidence.cues:
            continue  # the plan is the goal, what is forecast is production
        if value == "batch_count" and _LENGTHS.search(evidence.reading.text):
            value = "batch_duration"
        if value == "defect_rate" and grouping is not None and grouping.value == "reason":
            # A defect has a reason, a rate of defects has none.
            value = "defect_qty"
        yield _slot(evidence, "metric", value, mention, _CATALOGUED if value in known else _VOCABULARY)


def _targets_and_periods(evidence: Evidence, intent: Intent) -> Iterator[Slot]:
    shifts = {s.id: s for s in evidence.lexicon.catalogue.shifts}
    named_shifts = [shifts[t.name.partition(":")[2]] for t in evidence.targets if t.name.partition(":")[2] in shifts
                    and t.kind == "shift"]  # fmt: skip
    bound = len(evidence.periods) == 1 and evidence.periods[0].span.unit is Unit.DAY and bool(named_shifts)
    for target in evidence.targets:
        if bound and target.kind == "shift" and len(named_shifts) == 1:
            continue  # the window says it all, also for data that know no shifts
        if target.known:
            confidence = _CATALOGUED if target.sure else _GUESSED
            entry = evidence.lexicon.names.entries.get(target.name)
            yield replace(
                _slot(evidence, "target", target.name, target, confidence), display=entry.display if entry else None
            )
    for period in evidence.periods:
        span = period.span
        start, end = period.start, period.end
        if bound:
            span = shift_windows.on_day(span, named_shifts, evidence.now)
            if len(named_shifts) == 1:
                at = next(t for t in evidence.targets if t.kind == "shift")
                if _adjacent(evidence, period, at):
                    start, end = min(start, at.start), max(end, at.end)
        elif span.label == "last_night":
            span = shift_windows.last_night(span, evidence.lexicon.catalogue.shifts)
        yield _period(evidence, span, start, end)
    if evidence.weekly is not None and intent not in {Intent.REPORT, Intent.TREND} and not evidence.periods:
        yield _period(evidence, named("this_week", evidence.now), evidence.weekly.start, evidence.weekly.end)


def _adjacent(evidence: Evidence, period: Period, at: Found) -> bool:
    gap = evidence.reading.text[min(period.end, at.end) : max(period.start, at.start)]
    return not gap.strip(" 의,")


def _period(evidence: Evidence, span: Span, start: int, end: int) -> Slot:
    text, a, b = evidence.said(start, end)
    return Slot("period", span.label, text, a, b, _CATALOGUED, window=place(span, evidence.zone, text))


def _grouping(evidence: Evidence, intent: Intent) -> Mention | None:
    """Return the dimension to split by. A ranking or a comparison splits by whatever kind of thing it names."""
    if evidence.group_by is not None:
        return evidence.group_by
    if intent not in {Intent.RANK, Intent.COMPARE}:
        return None
    dimensions = [m for m in evidence.mentions if m.kind == "dimension"]
    kinds = {t.kind for t in evidence.targets}
    return next((m for m in dimensions if m.value not in kinds), None)


def _groupings(evidence: Evidence, intent: Intent) -> Iterator[Slot]:
    grouping = _grouping(evidence, intent)
    if grouping is not None:
        text = evidence.reading.text
        end = grouping.end + (1 if text.startswith("별", grouping.end) else 0)
        yield _slot(evidence, "group_by", grouping.value, replace(grouping, end=end), _CATALOGUED)
    grains = evidence.of("grain")
    if intent in {Intent.TREND, Intent.CHECK, Intent.COMPARE, Intent.CONTINUE, Intent.RANK} or (
        intent is Intent.REPORT and "trend" in evidence.cues
    ):
        if grains:
            yield _slot(evidence, "grain", grains[0].value, grains[0], _CATALOGUED)
        elif evidence.weekly is not None and intent is Intent.TREND:
            yield _slot(evidence, "grain", "week", evidence.weekly, _VOCABULARY)


def _ordering(evidence: Evidence) -> Iterator[Slot]:
    way = _order(evidence)
    if way is not None:
        yield _slot(evidence, "order", way[0], way[1], _CATALOGUED)
    if evidence.top_n is not None:
        number, start, end = evidence.top_n
        text, a, b = evidence.said(start, end)
        yield Slot("top_n", str(number), text, a, b, _CATALOGUED, number=number)
        return
    superlatives = [m for m in evidence.mentions if m.kind == "cue" and m.value == "superlative"]
    if superlatives and not _plural(evidence):
        yield replace(_slot(evidence, "top_n", "1", superlatives[0], _CATALOGUED), number=1)


def _plural(evidence: Evidence) -> bool:
    """Say whether the kind of thing asked for stands in the plural: "worst machines", "라인들"."""
    text = evidence.reading.text
    return any(
        m.kind == "dimension" and (text[m.start : m.end].endswith("s") or text.startswith("들", m.end))
        for m in evidence.mentions
    )


def _order(evidence: Evidence) -> tuple[str, Mention] | None:
    cues = {m.value: m for m in reversed(evidence.mentions) if m.kind == "cue"}
    better = _better(evidence)
    for cue in ("worst", "best"):
        if cue in cues and not (cue == "best" and "desc" in cues and better is Better.NEITHER):
            high = (cue == "best") == (better is not Better.LOWER)
            if better is Better.NEITHER:
                high = True
            return ("desc" if high else "asc"), cues[cue]
    for way in ("asc", "desc"):
        if way in cues:
            return way, cues[way]
    return None


def _better(evidence: Evidence) -> Better:
    ids = [m.value for m in evidence.metrics]
    if not ids:
        return Better.NEITHER
    found = [m.better for m in evidence.lexicon.catalogue.metrics if m.id == ids[0]]
    if found:
        return found[0]
    return Better.LOWER if ids[0] in _LOWER_IS_BETTER else Better.HIGHER


def _direction(evidence: Evidence) -> Iterator[Slot]:
    for way in ("increase", "decrease"):
        mention = next((m for m in evidence.mentions if m.kind == "cue" and m.value == way), None)
        if mention is not None:
            yield _slot(evidence, "direction", way, mention, _VOCABULARY)
            return


def _conditions(evidence: Evidence, intent: Intent) -> Iterator[Slot]:
    wanted = [c for c in evidence.conditions if c.threshold or intent is Intent.WHAT_IF]
    for found in wanted:
        text, start, end = evidence.said(found.start, found.end)
        yield Slot("condition", found.value, text, start, end, _VOCABULARY, condition=found.condition)
    if not wanted and evidence.clause is not None and intent in {Intent.NOTIFY, Intent.WHAT_IF}:
        # No figure in it: an event. Its words are its normal form.
        text, start, end = evidence.said(*evidence.clause)
        yield Slot("condition", text[:200].strip(), text, start, end, _GUESSED)


def _marked(evidence: Evidence, kind: str, name: str) -> Iterator[Slot]:
    for mention in evidence.of(kind)[:1]:
        yield _slot(evidence, name, mention.value, mention, _VOCABULARY)


def _report(evidence: Evidence) -> Iterator[Slot]:
    yield from _marked(evidence, "report", "report_type")
    charts = evidence.of("chart")
    exact = [m for m in charts if m.value != "graph"] or charts
    if exact:
        yield _slot(evidence, "chart_type", exact[0].value, exact[0], _VOCABULARY)
    elif "chart_word" in evidence.cues and "trend" in evidence.cues:
        yield Slot("chart_type", "line", confidence=_GUESSED, origin=Origin.DEFAULT)


def completed(evidence: Evidence, intent: Intent, slots: Sequence[Slot]) -> list[Slot]:
    """Return the slots with the intent's defaults behind them, marked as such."""
    have = {slot.name for slot in slots}
    extra: list[Slot] = []
    if intent is Intent.COMPARE:
        extra += _counterpart(evidence, slots)
    label = _default_period(intent, slots)
    if "period" not in have and label:
        extra.append(_default_window(evidence, intent, label))
    if intent is Intent.RANK:
        if "order" not in have:
            extra.append(Slot("order", "desc", origin=Origin.DEFAULT))
        if "top_n" not in have:
            extra.append(Slot("top_n", "5", origin=Origin.DEFAULT, number=5))
        if not have & {"group_by", "grain"}:
            extra += _default_split(evidence, slots)
    if intent is Intent.PREDICT and not have & {"metric", "target"} and "attain" in evidence.cues:
        extra.append(Slot("metric", "production_qty", origin=Origin.DEFAULT, confidence=_GUESSED))
    if intent is Intent.REPORT and "report_type" not in have:
        extra.append(Slot("report_type", "daily", origin=Origin.DEFAULT))
    if intent is Intent.NOTIFY and "action" not in have:
        extra.append(Slot("action", "slack", origin=Origin.DEFAULT))
    return [*slots, *extra]


def _default_period(intent: Intent, slots: Sequence[Slot]) -> str:
    grain = next((slot.value for slot in slots if slot.name == "grain"), "")
    if intent in {Intent.TREND, Intent.RANK} and grain in _SPANS_OF_GRAIN:
        return _SPANS_OF_GRAIN[grain]
    if intent is Intent.TREND:
        return "this_week"
    return {Intent.CHECK: "today", Intent.RANK: "recent", Intent.COMPARE: "recent", Intent.FIND_CAUSE: "recent"}.get(
        intent, ""
    )


def _default_window(evidence: Evidence, intent: Intent, label: str) -> Slot:
    span = named(label, evidence.now)
    named_shifts = [t.name.removeprefix("shift:") for t in evidence.targets if t.kind == "shift"]
    shift = next((s for s in evidence.lexicon.catalogue.shifts if [s.id] == named_shifts), None)
    if shift is not None and intent is Intent.CHECK:
        span = shift_windows.latest(shift, evidence.now)  # today's may not have begun
    return Slot("period", span.label, origin=Origin.DEFAULT, window=place(span, evidence.zone))


def _counterpart(evidence: Evidence, slots: Sequence[Slot]) -> list[Slot]:
    """Return the side left unsaid: "전주 대비 생산량" compares with this week."""
    periods = [slot for slot in slots if slot.name == "period"]
    single = evidence.periods[0] if len(evidence.periods) == 1 else None
    if len(periods) != 1 or single is None or not single.compared or single.span.label not in _COUNTERPARTS:
        return []
    if _sides(slots) > 1:
        return []
    label = _COUNTERPARTS[single.span.label]
    return [Slot("period", label, origin=Origin.DEFAULT, window=place(named(label, evidence.now), evidence.zone))]


def _default_split(evidence: Evidence, slots: Sequence[Slot]) -> list[Slot]:
    metric = next((slot.value for slot in slots if slot.name == "metric"), "")
    found = next((m.dimensions for m in evidence.lexicon.catalogue.metrics if m.id == metric), frozenset())
    targets = {slot.value.partition(":")[0] for slot in slots if slot.name == "target"}
    choices = [kind for kind in _PREFERRED_SPLITS if kind in found and kind not in targets]
    if not choices:
        return []
    return [Slot("group_by", choices[0], origin=Origin.DEFAULT)]


def _sides(slots: Sequence[Slot]) -> int:
    kinds = [slot.value.partition(":")[0] for slot in slots if slot.name == "target"]
    return max((kinds.count(kind) for kind in kinds), default=0)


def sides(slots: Sequence[Slot]) -> int:
    """Return how many things stand side by side: targets of one kind, or periods; a split counts as two."""
    periods = sum(slot.name == "period" for slot in slots)
    split = 2 if any(slot.name == "group_by" for slot in slots) else 0
    return max(_sides(slots), periods, split)


def continued(evidence: Evidence, new: Sequence[Slot], old: Sequence[Slot]) -> list[Slot]:
    """Return the new slots, and the old ones that they do not replace, as inherited."""
    new = _rebound(evidence, list(new), old)
    names = {slot.name for slot in new} - {"target"}
    kinds = {slot.value.partition(":")[0] for slot in new if slot.name == "target"}
    kinds |= _PLACES if kinds & _PLACES else set()
    kinds |= {slot.value for slot in new if slot.name == "group_by"}
    kept = [
        slot.inherited()
        for slot in old
        if slot.name not in names and not (slot.name == "target" and slot.value.partition(":")[0] in kinds)
        and slot.name != "condition"
    ]  # fmt: skip
    return [*new, *kept]


def _rebound(evidence: Evidence, new: list[Slot], old: Sequence[Slot]) -> list[Slot]:
    """Place a shift on the day that was talked about, or a new day under the shift that was talked about."""
    by_id = {s.id: s for s in evidence.lexicon.catalogue.shifts}
    last = next((slot for slot in old if slot.name == "period" and slot.window is not None), None)
    if last is None or last.window is None:
        return new
    said: list[Shift] = [by_id[i] for i in _shift_ids(new) if i in by_id]
    stated_period = next((slot for slot in new if slot.name == "period"), None)
    width = last.window.end - last.window.start
    if said and stated_period is None and width <= _WHOLE_DAY and re.search("day|night|/", last.value):
        start = last.window.start.astimezone(evidence.zone).replace(tzinfo=None)
        midnight = datetime.combine(start.date(), datetime.min.time())
        label = next((n for n in ("yesterday", "today", "day_before_yesterday") if last.value.startswith(n)), "")
        span = shift_windows.on_day(day_span(midnight, label), said, evidence.now)
        slot = Slot("period", span.label, origin=Origin.INHERITED, window=place(span, evidence.zone))
        kept = [s for s in new if not (len(said) == 1 and s.value == f"shift:{said[0].id}")]
        return [*kept, slot]
    shift = by_id.get(last.value.rpartition("_")[2])
    days = [p for p in evidence.periods if p.span.unit is Unit.DAY]
    if shift is not None and stated_period is not None and days and not said:
        span = shift_windows.on_day(days[0].span, [shift], evidence.now)
        window = place(span, evidence.zone, stated_period.text)
        return [replace(s, value=span.label, window=window) if s is stated_period else s for s in new]
    return new


def _shift_ids(slots: Sequence[Slot]) -> list[str]:
    return [slot.value.removeprefix("shift:") for slot in slots if slot.value.startswith("shift:")]


def leaning(intent: Intent, new: Sequence[Slot], old: Sequence[Slot]) -> list[Slot]:
    """Return the slots of a new question, with what it leaves unsaid taken from the last one."""
    have = {slot.name for slot in new}
    if "metric" in have and intent is not Intent.COMPARE:
        return list(new)
    wanted = {"metric"} - have
    if intent is Intent.NOTIFY:
        wanted |= {"condition", "schedule"} - have  # "메일로" changes how, not when
    if not have & {"target", "group_by"}:
        wanted.add("target")
    if "period" not in have:
        wanted.add("period")
    brought = [slot.inherited() for slot in old if slot.name in wanted]
    if intent is Intent.COMPARE and sides(new) == 1:
        brought += _other_side(new, old)
    return [*new, *brought]


def _other_side(new: Sequence[Slot], old: Sequence[Slot]) -> list[Slot]:
    said = {slot.value for slot in new}
    kinds = {slot.value.partition(":")[0] for slot in new if slot.name == "target"}
    if kinds:
        same = [s for s in old if s.name == "target" and s.value.partition(":")[0] in kinds and s.value not in said]
    else:
        same = [s for s in old if s.name == "period" and s.value not in said]
    return [slot.inherited() for slot in same[:1]]
