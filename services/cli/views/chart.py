"""Charts in characters: a sparkline for what moves over time, bars for what stands side by side."""

from collections.abc import Iterator, Sequence

from factoryai.orchestrator.v1 import decision_pb2
from factoryai.type.v1 import value_pb2
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from services.cli.views.table import NOTHING, cells, heading, numbers
from services.wording import Language, format_value

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_CELLS = 32
_SPARK_CELLS = 72
_MAX_BARS = 40


def sparkline(values: Sequence[float | None], width: int = _SPARK_CELLS) -> str:
    """Return one character a value, the lowest ▁ and the highest █; a space where there is none.

    More values than `width` are put together by their means.
    """
    merged = _merge(values, width)
    known = [value for value in merged if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    steps = len(_LEVELS) - 1
    return "".join(
        " " if value is None else _LEVELS[round((value - low) / span * steps) if span else steps // 2]
        for value in merged
    )


def _merge(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    merged: list[float | None] = []
    for cell in range(width):
        part = values[cell * len(values) // width : (cell + 1) * len(values) // width]
        known = [value for value in part if value is not None]
        merged.append(sum(known) / len(known) if known else None)
    return merged


def bar(value: float | None, largest: float) -> str:
    """Return a bar whose length is to `largest` as 32 cells are; empty for nothing, zero and below."""
    if value is None or value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * _BAR_CELLS * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def render(chart: decision_pb2.Chart, table: value_pb2.Table, language: Language) -> Table | None:
    """Return the picture of a table, or None where a picture says nothing."""
    columns = {column.id: column for column in table.columns}
    drawn = [columns[name] for name in chart.y if name in columns and columns[name].numbers]
    if not drawn or table.row_count < 2:  # noqa: PLR2004 - one point is no picture
        return None
    if chart.type == decision_pb2.CHART_TYPE_LINE:
        return _lines(drawn, columns.get(chart.series), language)
    if chart.type == decision_pb2.CHART_TYPE_BAR and chart.x in columns:
        return _bars(drawn[0], columns[chart.x], columns.get(chart.series), language)
    return None


def _lines(drawn: Sequence[value_pb2.Column], series: value_pb2.Column | None, language: Language) -> Table:
    view = Table.grid(padding=(0, 2))
    for column in drawn:
        for name, rows in _series(column, series, language):
            values = [numbers(column)[row] for row in rows]
            known = [value for value in values if value is not None]
            if not known:
                continue
            low, high = (format_value(value, column.unit, language) for value in (min(known), max(known)))
            view.add_row(name, Text(sparkline(values), style="cyan"), Text(f"{low} – {high}", style="dim"))
    return view


def _series(
    column: value_pb2.Column, series: value_pb2.Column | None, language: Language
) -> Iterator[tuple[Text, list[int]]]:
    everything = range(len(column.numbers))
    if series is None:
        yield heading(column, language), list(everything)
        return
    read = cells(series, language)
    for name in dict.fromkeys(read(row) for row in everything):
        yield Text(name), [row for row in everything if read(row) == name]


def _bars(
    column: value_pb2.Column, axis: value_pb2.Column, series: value_pb2.Column | None, language: Language
) -> Table:
    view = Table.grid(padding=(0, 2))
    values = numbers(column)[:_MAX_BARS]
    largest = max((value for value in values if value is not None), default=0.0)
    label, group = cells(axis, language), None if series is None else cells(series, language)
    width = max((cell_len(label(row)) for row in range(len(values))), default=0)
    for row, value in enumerate(values):
        name = label(row) if group is None else f"{label(row)} {group(row)}"
        told = NOTHING if value is None else format_value(value, column.unit, language)
        view.add_row(Text(name.ljust(width)), Text(bar(value, largest), style="cyan"), Text(told, justify="right"))
    return view
