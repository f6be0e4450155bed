"""From the sums of a scan to the table of an answer: metrics, order, limit, freshness, and which rows counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.data.domain.catalogue import CatalogueMetric
from services.data.domain.datasets import Kind
from services.data.domain.metrics import Term
from services.data.domain.plant import Dimension, Text, Window
from services.data.domain.query import MAX_GROUPS, TIME, WINDOW, Planned, PlannedMetric
from services.data.domain.scan import Group
from services.errors import FieldViolation, Invalid

Cell = float | str | datetime | None
# Where a group stands: window, bucket, dimensions.
_Place = tuple[int, int, tuple[str | None, ...]]

_LABELS = {
    WINDOW: Text("기간", "Period"),
    TIME: Text("시각", "Time"),
    Dimension.LINE: Text("라인", "Line"),
    Dimension.EQUIPMENT: Text("설비", "Machine"),
    Dimension.PROCESS: Text("공정", "Process"),
    Dimension.PRODUCT: Text("제품", "Product"),
    Dimension.LOT: Text("로트", "Lot"),
    Dimension.OPERATOR: Text("작업자", "Operator"),
    Dimension.SHIFT: Text("근무조", "Shift"),
    Dimension.REASON: Text("원인", "Reason"),
    Dimension.CATEGORY: Text("구분", "Category"),
}


class ColumnType(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    TEXT = "text"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer; None where a row has no value. `unit` is UCUM, empty for a bare count or text."""

    id: str
    label: Text
    type: ColumnType
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the data say. `row_counts`: for each metric how many rows went into the figures shown.

    `latest` is the end of the newest row that was read, None where none was; `stale` is judged as of `as_of`.
    """

    columns: tuple[Column, ...]
    row_count: int
    truncated: bool
    metrics: tuple[CatalogueMetric, ...]
    row_counts: tuple[int, ...]
    latest: datetime | None
    stale: bool
    as_of: datetime


@dataclass(frozen=True, slots=True)
class _Row:
    place: _Place
    values: tuple[float | None, ...]


def answer(planned: Planned, groups: Sequence[Group]) -> Answer:
    """Compute the table. Raises Invalid when there are more groups than can be put in order."""
    by_place: dict[_Place, dict[int, Group]] = {}
    for group in groups:
        by_place.setdefault((group.window, group.bucket, group.dimensions), {})[group.branch] = group
    query = planned.query
    if query.order_by and len(by_place) > MAX_GROUPS:
        description = f"more than {MAX_GROUPS:,} groups cannot be ordered; choose a coarser grain or fewer splits"
        raise Invalid(description, violations=(FieldViolation("query.group_by", description, "query.groups"),))
    if query.grain is None and not query.group_by:
        # One figure a window is an answer even where there is none to give.
        for window in range(len(planned.windows)):
            by_place.setdefault((window, 0, ()), {})
    compute = [_evaluator(planned, each) for each in planned.metrics]
    rows = [_Row(place, tuple(value(place[0], found) for value in compute)) for place, found in by_place.items()]
    rows.sort(key=lambda row: _place_order(row.place))
    if query.order_by is not None:
        rows = _ordered(rows, planned)
    kept = rows[: planned.limit]
    shown = [group for row in kept for group in by_place[row.place].values()]
    return Answer(
        columns=_columns(planned, kept),
        row_count=len(kept),
        truncated=len(rows) > len(kept),
        metrics=tuple(each.metric for each in planned.metrics),
        row_counts=tuple(_row_count(planned, each, shown) for each in planned.metrics),
        latest=max((group.latest for group in shown), default=None),
        stale=any(_stale(planned, each, shown) for each in planned.metrics),
        as_of=planned.as_of,
    )


def _evaluator(planned: Planned, each: PlannedMetric) -> Callable[[int, dict[int, Group]], float | None]:
    positions = {term: i for i, term in enumerate(planned.scan.branches[each.branch].terms)}
    silence_is_zero = each.source.source.dataset.kind is Kind.EVENT
    value = each.source.source.value
    zero_in = [silence_is_zero and _covered(window, planned) for window in planned.windows]

    def of(window: int, found: dict[int, Group]) -> float | None:
        group = found.get(each.branch)
        if group is None:
            # Nothing happened, as against nobody knows.
            return value(lambda _: 0.0) if zero_in[window] else None
        figures = group.figures

        def figure(term: Term) -> float | None:
            return figures[positions[term]]

        return value(figure)

    return of


def _covered(window: Window, planned: Planned) -> bool:
    coverage = planned.catalogue.coverage
    return coverage is not None and window.start < min(coverage.end, window.end) and window.end > coverage.start


def _place_order(place: _Place) -> tuple[int, int, tuple[tuple[bool, str], ...]]:
    window, bucket, dimensions = place
    return window, bucket, tuple((each is None, each or "") for each in dimensions)


def _ordered(rows: list[_Row], planned: Planned) -> list[_Row]:
    query = planned.query
    order = query.order_by
    if order is None:
        return rows

    def key(row: _Row) -> float | str | None:
        window, bucket, dimensions = row.place
        if order.column == WINDOW:
            return float(window)
        if order.column == TIME:
            return float(bucket)
        if order.column in query.metrics:
            return row.values[query.metrics.index(order.column)]
        return dimensions[[each.value for each in query.group_by].index(order.column)]

    # Stable: among equals the order of window, time and dimensions stays, whichever way the column goes.
    with_value = [row for row in rows if key(row) is not None]
    without = [row for row in rows if key(row) is None]
    return [*sorted(with_value, key=key, reverse=order.descending), *without]  # type: ignore[arg-type]


def _columns(planned: Planned, rows: Sequence[_Row]) -> tuple[Column, ...]:
    query = planned.query
    columns: list[Column] = []
    if len(query.windows) > 1:
        cells = tuple(float(row.place[0]) for row in rows)
        columns.append(Column(WINDOW, _LABELS[WINDOW], ColumnType.NUMBER, "", cells))
    if query.grain is not None:
        times = tuple(planned.scan.cuts[row.place[1]] for row in rows)
        columns.append(Column(TIME, _LABELS[TIME], ColumnType.TIME, "", times))
    for i, dimension in enumerate(query.group_by):
        texts = tuple(row.place[2][i] for row in rows)
        columns.append(Column(dimension.value, _LABELS[dimension], ColumnType.TEXT, "", texts))
    for i, each in enumerate(planned.metrics):
        metric = each.metric.metric
        values = tuple(row.values[i] for row in rows)
        columns.append(Column(metric.id, metric.name, ColumnType.NUMBER, metric.unit, values))
    return tuple(columns)


def _row_count(planned: Planned, each: PlannedMetric, groups: Sequence[Group]) -> int:
    position = planned.scan.branches[each.branch].terms.index(each.source.source.counted)
    return int(sum(group.figures[position] or 0 for group in groups if group.branch == each.branch))


def _stale(planned: Planned, each: PlannedMetric, groups: Sequence[Group]) -> bool:
    """Say whether the newest row is too old for the time that was asked about.

    Seen from `as_of`, or from the end of the newest window where that is earlier: figures of yesterday are not stale
    today. A meter or sensor speaks all the time, so its own newest row counts; production and events may rest, so
    there the newest row of the whole data set does.
    """
    asked_until = min(max(window.end for window in planned.windows), planned.as_of)
    last = min(each.source.last, planned.as_of)
    if each.source.source.dataset.continuous:
        last = max((group.latest for group in groups if group.branch == each.branch), default=last)
    elif each.source.source.dataset.kind is Kind.EVENT and planned.catalogue.coverage is not None:
        # No stops for a day is no reason to doubt: as long as the plant reports anything, events are complete.
        last = min(planned.catalogue.coverage.end, planned.as_of)
    return asked_until - last > timedelta(hours=each.metric.metric.stale_after_h)
