"""Holds a question against what its plant has: a scope that can be planned, or what is lacking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.orchestrator.domain import periods
from services.orchestrator.domain.meaning import Intent, Slot, SlotOrigin, Target, Window, first_value, slots_named
from services.orchestrator.domain.plant import GRAINS, Catalog, Dimension, Grain, Metric

MOST_CELLS: Final = 10_000
_MOST_METRICS: Final = 8
_MOST_WINDOWS: Final = 8
_DEFAULT_TOP_N: Final = 5
_OVERVIEW_METRICS: Final = 5
_WIDER_DAYS: Final = 7
# What an ordering is over where nobody says so: the first of these that the metric has and that has a choice.
_NATURAL_SPLITS: Final = (
    Dimension.LINE,
    Dimension.EQUIPMENT,
    Dimension.PRODUCT,
    Dimension.REASON,
    Dimension.CATEGORY,
    Dimension.OPERATOR,
    Dimension.SHIFT,
    Dimension.LOT,
)


_KINDS: Final = frozenset(each.value for each in Dimension if each.value)


class Want(StrEnum):
    """What a plant may lack."""

    METRIC = "metric"
    DIMENSION = "dimension"
    TARGET = "target"
    PERIOD = "period"
    SIDES = "sides"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a question cannot be planned, with what it asked for and what there is instead."""

    want: Want
    word: str = ""
    metric: Metric | None = None
    dimension: Dimension = Dimension.UNSPECIFIED
    window: Window | None = None
    coverage: Window | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question is about, in terms of its plant.

    `template` is the intent whose template answers it: a CHECK by line is a COMPARE. `movable`: nobody said the period.
    `moved`: it is not the usual one, because that has no data. `partial`: data cover a part of it. `coarsened`: buckets
    are wider than asked for. `peak`: the extreme of a trend that was asked for, "asc" or "desc". `missing`: words for
    metrics that were asked for too and are not there.
    """

    template: Intent
    catalog: Catalog
    as_of: datetime
    metrics: tuple[Metric, ...]
    windows: tuple[Window, ...]
    coverage: Window
    targets: tuple[Target, ...] = ()
    previous: Window | None = None
    grain: Grain = Grain.UNSPECIFIED
    group_by: tuple[Dimension, ...] = ()
    descending: bool = True
    top_n: int = 0
    overview: bool = False
    movable: bool = False
    moved: bool = False
    partial: bool = False
    coarsened: bool = False
    peak: str = ""
    missing: tuple[str, ...] = ()

    @property
    def metric(self) -> Metric:
        """Return the metric that decides."""
        return self.metrics[0]

    @property
    def window(self) -> Window:
        """Return the period that was asked about, the first of several."""
        return self.windows[0]


class _LackingError(Exception):
    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.want)
        self.lack = lack


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question in terms of the catalogue, before its split and its periods are settled."""

    intent: Intent
    template: Intent
    catalog: Catalog
    as_of: datetime
    slots: tuple[Slot, ...]
    metrics: tuple[Metric, ...]
    targets: tuple[Target, ...]
    group_by: tuple[Dimension, ...]
    periods: tuple[Slot, ...]

    @property
    def kinds(self) -> list[str]:
        return [target.kind for target in self.targets]


def ground(
    intent: Intent, slots: tuple[Slot, ...], catalog: Catalog, as_of: datetime, main_metrics: Sequence[str]
) -> Scope | Lack:
    """Hold what was asked against the catalogue. `main_metrics` are what an overview shows, as far as they exist."""
    try:
        return _ground(intent, slots, catalog, as_of, main_metrics)
    except _LackingError as lacking:
        return lacking.lack


def _ground(
    intent: Intent, slots: tuple[Slot, ...], catalog: Catalog, as_of: datetime, main_metrics: Sequence[str]
) -> Scope:
    targets = _targets(slots, catalog)
    group_by = _dimensions(slots)
    grain = _grain(slots)
    period_slots = tuple(slot for slot in slots_named(slots, "period") if slot.window is not None)
    template = _template(intent, targets, group_by, grain, len(period_slots))
    metrics, missing = _metrics(slots, catalog)
    overview = not metrics and not missing
    if overview:
        metrics = _main(catalog, main_metrics, {Dimension(target.kind) for target in targets} | set(group_by))
    if missing and not metrics:
        raise _LackingError(Lack(Want.METRIC, word=", ".join(missing), coverage=catalog.coverage))
    if not metrics:
        raise _LackingError(Lack(Want.DATA, coverage=catalog.coverage))
    metrics = metrics if template is Intent.CHECK else metrics[:1]
    asked = _Asked(intent, template, catalog, as_of, slots, metrics, targets, group_by, period_slots)
    group_by, targets = _split(asked)
    _require_dimensions(metrics, targets, group_by)
    scope = replace(_settle(asked), targets=targets, group_by=group_by, overview=overview, missing=missing)
    if template is Intent.TREND:
        peak = first_value(slots, "order") or "desc"
        return _with_grain(replace(scope, peak=peak if intent is Intent.RANK else ""), grain)
    if template is Intent.RANK:
        return replace(scope, descending=first_value(slots, "order") != "asc", top_n=_top_n(slots))
    return scope


def _targets(slots: tuple[Slot, ...], catalog: Catalog) -> tuple[Target, ...]:
    found: dict[str, Target] = {}
    for slot in slots_named(slots, "target"):
        if slot.value in {"", "all"}:
            continue
        known = catalog.target_of.get(slot.value)
        if known is None:
            raise _LackingError(Lack(Want.TARGET, word=slot.text or slot.value, coverage=catalog.coverage))
        found[known.name] = known
    return tuple(found.values())


def _dimensions(slots: tuple[Slot, ...]) -> tuple[Dimension, ...]:
    values = dict.fromkeys(slot.value for slot in slots_named(slots, "group_by"))
    return tuple(Dimension(value) for value in values if value in _KINDS)[:2]


def _grain(slots: tuple[Slot, ...]) -> Grain:
    value = first_value(slots, "grain")
    return Grain(value) if value in GRAINS else Grain.UNSPECIFIED


def _template(
    intent: Intent, targets: tuple[Target, ...], group_by: tuple[Dimension, ...], grain: Grain, periods_named: int
) -> Intent:
    """Choose the template by what is asked for, which the wording of the question does not always say."""
    sides = len(targets) > len({target.kind for target in targets})
    if intent is Intent.CHECK:
        if grain is not Grain.UNSPECIFIED:
            return Intent.TREND
        return Intent.COMPARE if sides or group_by or periods_named > 1 else Intent.CHECK
    if intent is Intent.RANK and grain is not Grain.UNSPECIFIED and not group_by:
        return Intent.TREND  # "which day was worst" is told by the highest and lowest point
    return intent


def _metrics(slots: tuple[Slot, ...], catalog: Catalog) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    found: dict[str, Metric] = {}
    missing: dict[str, str] = {}
    for slot in slots_named(slots, "metric"):
        metric = catalog.metric_of.get(slot.value)
        if metric is not None:
            found[metric.id] = metric
        else:
            missing[slot.value] = slot.text or slot.value
    return tuple(found.values())[:_MOST_METRICS], tuple(missing.values())


def _main(catalog: Catalog, main_metrics: Sequence[str], needed: set[Dimension]) -> tuple[Metric, ...]:
    able = {metric.id: metric for metric in catalog.metrics if needed <= set(metric.dimensions)}
    chosen = [able[name] for name in main_metrics if name in able]
    return tuple(chosen or able.values())[:_OVERVIEW_METRICS]


def _split(asked: _Asked) -> tuple[tuple[Dimension, ...], tuple[Target, ...]]:
    """Decide what the figures are split by, and what they are filtered by."""
    kinds = asked.kinds
    several = tuple(Dimension(kind) for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1)[:2]
    if asked.template is Intent.CHECK:
        return (), asked.targets
    group_by = several or asked.group_by if asked.template is Intent.COMPARE else asked.group_by or several[:1]
    if asked.template is Intent.TREND:
        return group_by, asked.targets
    if asked.template is Intent.RANK and group_by:
        # One line's place among the lines: the others have to be read too.
        alone = {kind for kind in kinds if kinds.count(kind) == 1} & {each.value for each in group_by}
        return group_by, tuple(target for target in asked.targets if target.kind not in alone)
    if asked.template is Intent.COMPARE and (group_by or len(asked.periods) > 1):
        return group_by, asked.targets
    return _sides(asked)


def _sides(asked: _Asked) -> tuple[tuple[Dimension, ...], tuple[Target, ...]]:
    """Find the sides of a comparison or an ordering that names none."""
    if asked.template is Intent.COMPARE and asked.targets:
        if len(set(asked.kinds)) > 1:
            raise _LackingError(Lack(Want.SIDES, coverage=asked.catalog.coverage))
        return (Dimension(asked.kinds[0]),), ()  # one line, held against the others
    natural = _natural_split(asked.metrics[0], set(asked.kinds), asked.catalog)
    if natural is None:
        raise _LackingError(Lack(Want.SIDES, metric=asked.metrics[0], coverage=asked.catalog.coverage))
    return (natural,), asked.targets


def _natural_split(metric: Metric, filtered: set[str], catalog: Catalog) -> Dimension | None:
    able = [each for each in _NATURAL_SPLITS if each in metric.dimensions and each.value not in filtered]
    choosable = [each for each in able if catalog.sizes.get(each.value, 0) != 1]
    return next(iter(choosable or able), None)


def finer_split(scope: Scope) -> Dimension | None:
    """Return what to split by to look one level deeper, None where there is nothing."""
    used = {target.kind for target in scope.targets} | {each.value for each in scope.group_by}
    return _natural_split(scope.metric, used, scope.catalog)


def _require_dimensions(
    metrics: tuple[Metric, ...], targets: tuple[Target, ...], group_by: tuple[Dimension, ...]
) -> None:
    needed = dict.fromkeys([*group_by, *(Dimension(target.kind) for target in targets)])
    for metric in metrics:
        for dimension in needed:
            if dimension not in metric.dimensions:
                lack = Lack(Want.DIMENSION, metric=metric, dimension=dimension, coverage=metric.coverage)
                raise _LackingError(lack)


def _settle(asked: _Asked) -> Scope:
    """Find the periods: stated ones as they are, others where there are data."""
    catalog, as_of, template = asked.catalog, asked.as_of, asked.template
    coverage = _coverage(asked.metrics, catalog)
    if coverage is None:
        raise _LackingError(Lack(Want.DATA))
    movable = not any(slot.origin is SlotOrigin.STATED for slot in asked.periods)
    windows = [slot.window for slot in asked.periods if slot.window is not None][:_MOST_WINDOWS]
    if template is not Intent.COMPARE:
        windows = windows[:1]
    if movable and Dimension.LOT in asked.kinds:
        windows = [coverage]  # a lot is over when it is done: all of it is meant, not today's part
    windows = windows or [periods.default_window(template, catalog, as_of)]
    settled = [periods.settle(each, template, catalog, coverage, as_of, movable=movable) for each in windows]
    found = [each for each in settled if each is not None]
    if not found:
        raise _LackingError(Lack(Want.PERIOD, metric=asked.metrics[0], window=windows[0], coverage=coverage))
    # Of several periods one may be empty: comparing with nothing is still an answer, and it says so.
    kept = tuple(each.window if each else wanted for each, wanted in zip(settled, windows, strict=True))
    previous = None
    if template is Intent.CHECK:
        before = periods.previous(kept[0], catalog, coverage, as_of)
        # Half a period is nothing to be held against; the first day of all may begin at any hour.
        previous = before if before.start >= periods.midnight(catalog, coverage.start) else None
    return Scope(
        template,
        catalog,
        as_of,
        asked.metrics,
        kept,
        coverage,
        previous=previous,
        movable=movable,
        moved=any(each.moved for each in found),
        partial=any(each.partial for each in found) or len(found) < len(settled),
    )


def _coverage(metrics: tuple[Metric, ...], catalog: Catalog) -> Window | None:
    known = [metric.coverage for metric in metrics if metric.coverage is not None]
    if not known:
        return catalog.coverage
    return Window(min(each.start for each in known), max(each.end for each in known))


def _with_grain(scope: Scope, stated: Grain) -> Scope:
    """Choose buckets; wider ones than asked for where the data or the bound on cells want it."""
    finest = scope.metric.finest_grain
    grain = stated
    if grain is Grain.UNSPECIFIED:
        grain = periods.choose_grain(scope.window, scope.coverage, scope.as_of, finest)
    grain = periods.coarser(grain, finest)
    groups = group_count(scope)
    while periods.buckets(scope.windows, grain) * groups > MOST_CELLS and grain is not Grain.MONTH:
        grain = GRAINS[GRAINS.index(grain) + 1]
    return replace(scope, grain=grain, coarsened=stated is not Grain.UNSPECIFIED and grain is not stated)


def widened(scope: Scope) -> Scope | None:
    """Return the last week with data in place of a shorter period that nobody said and that gave nothing.

    A plant has data today, but not of the product or person that was asked about.
    """
    last = min(scope.coverage.end, scope.as_of)
    week = periods.last_days(scope.catalog, last, _WIDER_DAYS)
    if not scope.movable or len(scope.windows) > 1 or week.start >= scope.window.start:
        return None
    return replace(scope, windows=(week,), previous=None, moved=True)


def group_count(scope: Scope) -> int:
    """How many combinations of the split there can be."""
    groups = 1
    named = {target.name for target in scope.targets}
    parents = scope.catalog.parents
    for dimension in scope.group_by:
        filtered = sum(target.kind == dimension.value for target in scope.targets)
        # The machines of a line that was named, rather than all of them.
        inside = sum(kind_of(child) == dimension.value and parent in named for child, parent in parents.items())
        groups *= filtered or inside or max(1, scope.catalog.sizes.get(dimension.value, 1))
    return groups


def kind_of(target: str) -> str:
    """Return `line` of `line:L03`."""
    return target.partition(":")[0]


def _top_n(slots: tuple[Slot, ...]) -> int:
    for slot in slots_named(slots, "top_n"):
        number = slot.number if slot.number is not None else int(slot.value) if slot.value.isdecimal() else 0
        if number > 0:
            return min(number, 100)
    return _DEFAULT_TOP_N
