"""Contract tables for people: figures with units, times in the plant's zone, missing values as a dash."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.table import Table
from rich.text import Text

from services.cli.views.text import plain
from services.wording import Language, format_period, format_value

PLANT_ZONE = ZoneInfo("Asia/Seoul")  # every plant of this release keeps this time
NOTHING = "–"


def localized(text: target_pb2.LocalizedText, language: Language) -> str:
    """Return a text in the language, else in the other one."""
    first, second = (text.ko, text.en) if language == "ko" else (text.en, text.ko)
    return plain(first or second)


def instant(stamp: Timestamp, *, dates_only: bool = False) -> str:
    """Return a time in the plant's zone, to the minute; empty for one that is not set."""
    if not stamp.seconds:
        return ""
    local = stamp.ToDatetime(UTC).astimezone(PLANT_ZONE)
    return f"{local:%Y-%m-%d}" if dates_only else f"{local:%Y-%m-%d %H:%M}"


def period(window: time_window_pb2.TimeWindow, language: Language) -> str:
    """Return a window as `name (from – to)`, or the bare dates where it has no name."""
    if not window.HasField("start_time"):
        return NOTHING
    start, end = instant(window.start_time), instant(window.end_time)
    bare = f"{start.removesuffix(' 00:00')} – {end.removesuffix(' 00:00')}"
    name = plain(format_period(window.label, language)) if window.label and "/" not in window.label else ""
    return f"{name} ({bare})" if name else bare


def render(table: value_pb2.Table, language: Language) -> Table:
    """Return the whole table; figures right, all else left."""
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    readers = []
    for column in table.columns:
        numeric = column.type == value_pb2.COLUMN_TYPE_NUMBER
        view.add_column(heading(column, language), justify="right" if numeric else "left", overflow="fold")
        readers.append(cells(column, language))
    for row in range(table.row_count):
        view.add_row(*(Text(read(row)) for read in readers))
    return view


def heading(column: value_pb2.Column, language: Language) -> Text:
    """Return the heading of a column."""
    return Text(localized(column.label, language) or plain(column.id))


def cells(column: value_pb2.Column, language: Language) -> Callable[[int], str]:
    """Return a function that gives the text of a row's cell."""
    missing = set(column.null_rows)
    dates_only = all(stamp.ToDatetime(UTC).astimezone(PLANT_ZONE).time() == time.min for stamp in column.times)

    def read(row: int) -> str:
        if row in missing:
            return NOTHING
        if column.type == value_pb2.COLUMN_TYPE_NUMBER and row < len(column.numbers):
            return format_value(column.numbers[row], column.unit, language)
        if column.type == value_pb2.COLUMN_TYPE_TEXT and row < len(column.texts):
            return plain(column.texts[row])
        if column.type == value_pb2.COLUMN_TYPE_TIME and row < len(column.times):
            return instant(column.times[row], dates_only=dates_only)
        return NOTHING

    return read


def numbers(column: value_pb2.Column) -> list[float | None]:
    """Return the figures of a NUMBER column, None where there is none."""
    missing = set(column.null_rows)
    return [None if row in missing else value for row, value in enumerate(column.numbers)]


def now_local() -> datetime:
    """Return the plant's wall time."""
    return datetime.now(PLANT_ZONE)
