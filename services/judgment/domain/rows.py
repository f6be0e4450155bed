"""From a table to the things that are judged: rows with their target, period and figure, in the order asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services import errors
from services.errors import Reason
from services.judgment.domain.model import Cell, Column, Figures, Kind, Metric, Source, Task, Window

DIMENSIONS: Final = frozenset(
    {"line", "equipment", "process", "product", "lot", "operator", "shift", "reason", "category"}
)
WINDOW: Final = "window"
TIME: Final = "time"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `targets` by dimension (`line:L03`), `bucket` the start of its time bucket, `cells` all it holds.

    `period` is the window where that tells rows apart, or where nothing else does.
    """

    targets: tuple[str, ...]
    window: Window | None
    period: Window | None
    bucket: str
    value: float | None
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Arranged:
    """The rows to judge, in order, with their places; `total` is the sum of all figures where that means something."""

    metric: Metric
    row_count: int
    rows: tuple[Row, ...]
    ranks: tuple[int, ...]
    total: float | None


def arrange(task: Task, figures: Figures) -> Arranged:
    """Pick the rows that the task asks for. Raises Invalid (UNKNOWN_METRIC) where no number column has the metric."""
    source = _source(task, figures)
    rows = _rows(task, figures)
    values = [row.value for row in rows]
    descending = task.descending if task.kind is Kind.RANKING else True
    ranks = _ranks(values, descending=descending)
    total = _total(source.metric, rows)
    if task.kind is Kind.RANKING:
        # Ties keep the order of the table; rows without a figure come last.
        order = sorted(range(len(rows)), key=lambda index: (ranks[index] == 0, ranks[index]))
        if task.top_n:
            order = [index for index in order if 1 <= ranks[index] <= task.top_n]
        rows, ranks = [rows[index] for index in order], [ranks[index] for index in order]
    return Arranged(source.metric, source.row_count, tuple(rows), tuple(ranks), total)


def _source(task: Task, figures: Figures) -> Source:
    column = next((each for each in figures.columns if each.id == task.metric), None)
    if column is None or column.id in DIMENSIONS | {WINDOW, TIME} or not _numeric(column):
        known = [each.id for each in figures.columns if each.id not in DIMENSIONS | {WINDOW, TIME}]
        raise errors.Invalid(
            f"the input has no column of numbers for {task.metric}",
            reason=Reason.UNKNOWN_METRIC,
            metadata={"metric": task.metric, "known": ",".join(known)},
        )
    for source in figures.sources:
        if source.metric.id == task.metric:
            return source
    return Source(Metric(task.metric, column.label, column.unit), 0)


def _numeric(column: Column) -> bool:
    return all(cell is None or isinstance(cell, float) for cell in column.cells)


def _rows(task: Task, figures: Figures) -> list[Row]:
    only = task.windows[0] if len(task.windows) == 1 else None
    rows = []
    for index in range(figures.row_count):
        cells = {column.id: column.cells[index] for column in figures.columns}
        number = cells.get(WINDOW)
        window = only
        if isinstance(number, float):
            window = task.windows[int(number)] if 0 <= number < len(task.windows) else None
        value = cells[task.metric]
        bucket = cells.get(TIME)
        targets = tuple(f"{name}:{cell}" for name, cell in cells.items() if name in DIMENSIONS and cell is not None)
        rows.append(
            Row(
                targets,
                window,
                window if WINDOW in cells or not targets else None,
                bucket.isoformat() if bucket is not None and not isinstance(bucket, float | str) else "",
                value if isinstance(value, float) else None,
                cells,
            )
        )
    return rows


def _ranks(values: Sequence[float | None], *, descending: bool) -> list[int]:
    """Places from 1; equal figures share one and the next place is left free; 0 without a figure."""
    sorted_values = sorted((value for value in values if value is not None), reverse=descending)
    places: dict[float, int] = {}
    for place, value in enumerate(sorted_values, start=1):
        places.setdefault(value, place)
    return [0 if value is None else places[value] for value in values]


def _total(metric: Metric, rows: Sequence[Row]) -> float | None:
    """Sum what adds up: figures of one period that split a whole. A negative figure is no part of anything."""
    values = [row.value for row in rows if row.value is not None]
    if not metric.additive or len({row.window for row in rows}) > 1 or not any(row.targets for row in rows):
        return None
    if min(values, default=0) < 0 or not sum(values):
        return None
    return sum(values)
