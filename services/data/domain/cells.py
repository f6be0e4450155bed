"""From the cells of a row to typed values: each field of a mapping compiled once into a function of a row."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.data.domain import calendar, wall_time
from services.data.domain.datasets import Value
from services.data.domain.mapping import NumberField, TextField, TimeField
from services.data.domain.plant import TARGET_ID

MAX_QUOTED = 100
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DAY = timedelta(days=1)

Cells = Sequence[str]
Header = Mapping[str, int]
Fields = Mapping[str, Value]
# A field as a function: of the row's cells and of the fields that were read before it.
Getter = Callable[[Cells, Fields], Value]


class BadCellError(Exception):
    """A cell that is not what the mapping says. `column` as in the file."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def shown(cell: str) -> str:
    """Return a cell for a report: in quotes, at most 100 characters, on one line."""
    short = cell if len(cell) <= MAX_QUOTED else cell[: MAX_QUOTED - 1] + "…"
    return f"'{' '.join(short.split())}'" if cell.strip() else "''"


def text_getter(field: TextField, header: Header) -> Getter:
    """Compile a name."""
    if field.constant:
        constant = field.constant
        return lambda _cells, _fields: constant
    place, column = header[field.column], field.column
    known: dict[str, str] = {}

    def get(cells: Cells, _: Fields) -> Value:
        cell = cells[place].strip()
        if cell in known:
            return known[cell]
        if not cell:
            if field.optional:
                return None
            raise BadCellError(column, "is empty")
        if field.values and cell not in field.values:
            raise BadCellError(column, f"{shown(cell)} is none of {', '.join(sorted(field.values))}"[:500])
        found = field.values.get(cell, cell)
        found = found.lower() if field.case == "lower" else found
        if not TARGET_ID.fullmatch(found):
            raise BadCellError(column, f"{shown(found)} is no id; declare it under values")
        if len(known) < 10_000:  # noqa: PLR2004 - only a bound for memory
            known[cell] = found
        return found

    return get


def number_getter(field: NumberField, header: Header) -> Getter:
    """Compile a number."""
    compute = _number(field, header)
    column = field.column or next(iter(field.sum or field.count), "")
    scale, low, high = field.scale, field.minimum, field.maximum

    def get(cells: Cells, fields: Fields) -> Value:
        found = compute(cells, fields)
        if found is None:
            return None
        found *= scale
        if low is not None and found < low:
            raise BadCellError(column, f"{found:g} is below {low:g}")
        if high is not None and found > high:
            raise BadCellError(column, f"{found:g} is above {high:g}")
        return found

    return get


def _number(field: NumberField, header: Header) -> Callable[[Cells, Fields], float | None]:
    if field.column:
        return _cell_number(header[field.column], field.column, optional=field.optional)
    if field.sum:
        parts = [_cell_number(header[column], column, optional=True) for column in field.sum]
        return lambda cells, fields: math.fsum(part(cells, fields) or 0.0 for part in parts)
    if field.count:
        places = [header[column] for column in field.count]
        return lambda cells, _: float(sum(bool(cells[place].strip()) for place in places))
    first, second = field.minutes or field.difference
    if field.minutes:

        def between(_: Cells, fields: Fields) -> float | None:
            start, end = fields[first], fields[second]
            if not isinstance(start, datetime) or not isinstance(end, datetime):
                return None
            return (end - start) / timedelta(minutes=1)

        return between

    def difference(_: Cells, fields: Fields) -> float | None:
        above, below = fields[first], fields[second]
        return above - below if isinstance(above, float) and isinstance(below, float) else None

    return difference


def _cell_number(place: int, column: str, *, optional: bool) -> Callable[[Cells, Fields], float | None]:
    def get(cells: Cells, _: Fields) -> float | None:
        cell = cells[place].strip()
        if not cell:
            if optional:
                return None
            raise BadCellError(column, "is empty")
        # float() would take nan, inf, 1_000 and digits of other scripts too.
        if not _NUMBER.fullmatch(cell) or not cell.isascii():
            raise BadCellError(column, f"{shown(cell)} is no number")
        found = float(cell)
        if math.isinf(found):
            raise BadCellError(column, f"{shown(cell)} is too large")
        return found

    return get


class LocalTime:
    """Wall times of one zone to instants; remembers the days that have one offset, which is nearly all."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[date, timedelta | None] = {}

    def utc(self, wall: datetime) -> datetime | None:
        """Return the instant, the first one where it comes twice, or None where the wall time never comes."""
        day = wall.date()
        if day not in self._offsets:
            self._offsets[day] = self._steady(day)
        offset = self._offsets[day]
        if offset is not None:
            return (wall - offset).replace(tzinfo=UTC)
        if not calendar.exists(wall, self._zone):
            return None
        return wall.replace(tzinfo=self._zone).astimezone(UTC)

    def _steady(self, day: date) -> timedelta | None:
        start = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        offsets = {start.utcoffset(), (start + _DAY).utcoffset(), (start - _DAY).utcoffset()}
        return offsets.pop() if len(offsets) == 1 else None


def time_getter(field: TimeField, header: Header, local: LocalTime) -> Getter:
    """Compile an instant."""
    if field.field:
        other, moved = field.field, timedelta(minutes=field.minutes)

        def from_other(_: Cells, fields: Fields) -> Value:
            base = fields[other]
            return base + moved if isinstance(base, datetime) else None

        return from_other
    places = [header[column] for column in field.columns]
    column = field.columns[-1]
    formats = [wall_time.compile_format(each) for each in field.formats]
    end_of_day = field.midnight == "end_of_day"
    wanted = " or ".join(field.formats)

    def get(cells: Cells, fields: Fields) -> Value:
        written = " ".join(cells[place].strip() for place in places)
        wall = wall_time.read(written, formats)
        if wall is None:
            raise BadCellError(column, f"{shown(written)} is no time as {wanted}")
        if end_of_day and not (wall.hour or wall.minute or wall.second):
            wall += _DAY
        found = local.utc(wall)
        earlier = fields.get(field.after) if field.after else None
        if found is not None and isinstance(earlier, datetime) and found <= earlier:
            found = local.utc(wall + _DAY)
        if found is None:
            raise BadCellError(column, f"{shown(written)} never came: the clocks were put forward")
        return found

    return get
