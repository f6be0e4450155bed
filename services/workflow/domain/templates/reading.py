"""Reading a result the way templates want it: rows with their window and their targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.workflow.domain.figures import (
    Column,
    Direction,
    Evidence,
    EvidenceKind,
    Metric,
    Query,
    QueryResult,
    Text,
    Window,
)
from services.workflow.domain.outputs import JudgmentOutput
from services.workflow.domain.states import Severity

CRITICAL_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class Figures:
    """The output of a DATA node together with the question that it answers."""

    query: Query
    result: QueryResult


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a template reads: figures and, for templates that want one, a judgment on them."""

    figures: Figures
    judgment: JudgmentOutput | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is about: index of its window and its targets, one for each split of the query."""

    window: int
    targets: tuple[str, ...]


def by_key(figures: Figures) -> Mapping[Key, Sequence[int]]:
    """Return the rows of each key, both in the order of the table. Time buckets are no part of a key."""
    columns = figures.result.columns
    count = figures.result.row_count
    splits = [_targets(columns[kind], kind) for kind in figures.query.group_by if kind in columns]
    window = columns.get("window")
    if window is None and not splits:
        return {Key(0, ()): range(count)} if count else {}
    # Bare tuples while rows are counted in: ten thousand keys cost more than all that is computed from them.
    rows: dict[tuple[int | str, ...], list[int]] = {}
    for row, place in enumerate(zip(_windows(window, count), *splits, strict=True)):
        rows.setdefault(place, []).append(row)
    return {Key(int(index), tuple(map(str, targets))): found for (index, *targets), found in rows.items()}


def evidence_ids() -> Iterator[str]:
    """Count `e1`, `e2` ..."""
    number = 0
    while True:
        number += 1
        yield f"e{number}"


def window_at(figures: Figures, index: int) -> Window | None:
    """Return a window of the query; None where the table names one that was not asked for."""
    return figures.query.windows[index] if 0 <= index < len(figures.query.windows) else None


def severity_of(value: float | None, metric: Metric) -> Severity:
    """Hold a figure against the metric's target.

    Less is better: NORMAL up to the target, WARNING up to 1.5 times it, CRITICAL above. More is better: the mirror
    image on the shortfall, WARNING down to target / 1.5. UNKNOWN without a figure; UNSPECIFIED without a target, or
    where neither way is good.
    """
    if value is None:
        return Severity.UNKNOWN
    if metric.target is None or metric.direction is Direction.UNSPECIFIED:
        return Severity.UNSPECIFIED
    if metric.direction is Direction.LOWER_IS_BETTER:
        good, tolerable = value <= metric.target, value <= metric.target * CRITICAL_FACTOR
    else:
        good, tolerable = value >= metric.target, value >= metric.target / CRITICAL_FACTOR
    if good:
        return Severity.NORMAL
    return Severity.WARNING if tolerable else Severity.CRITICAL


def severity_now(value: float | None, metric: Metric, figures: Figures, window: Window | None) -> Severity:
    """Hold a figure against its target, seen from `as_of`.

    Stale data can show that something is wrong, but never that all is well now: NORMAL becomes UNKNOWN for a window
    that reaches up to `as_of`.
    """
    severity = severity_of(value, metric)
    as_of = figures.result.as_of
    live = window is not None and as_of is not None and window.start < as_of <= window.end
    return Severity.UNKNOWN if severity is Severity.NORMAL and figures.result.stale and live else severity


def measurement(
    evidence_id: str,
    figures: Figures,
    metric: Metric,
    *,
    key: Key,
    value: float | None,
    description: Text,
    severity: Severity = Severity.UNSPECIFIED,
    window: Window | None = None,
) -> Evidence:
    """Write down a measured figure with its window, targets and threshold.

    `row_count` is that of all figures of the metric in this result: the data layer counts no finer.
    """
    return Evidence(
        id=evidence_id,
        kind=EvidenceKind.MEASUREMENT,
        source=metric.dataset,
        metric=metric.id,
        targets=tuple(target for target in key.targets if target) or figures.query.targets,
        window=window or window_at(figures, key.window),
        value=value,
        threshold=metric.target,
        unit=metric.unit,
        row_count=metric.row_count,
        description=description,
        severity=severity,
    )


def difference(value: float | None, before: float | None) -> tuple[float | None, float | None]:
    """Return `value - before` and that over |before|; None where it cannot be said."""
    if value is None or before is None:
        return None, None
    change = value - before
    return change, change / abs(before) if before else None


def _windows(column: Column | None, count: int) -> Sequence[int]:
    if column is None:
        return [0] * count
    return [int(index) for index in (column.numbers or column.texts)]


def _targets(column: Column, kind: str) -> list[str]:
    """Return the column as targets; empty in rows that belong to none, as a stop without a reason."""
    return ["" if row in column.null_rows or not text else f"{kind}:{text}" for row, text in enumerate(column.texts)]
