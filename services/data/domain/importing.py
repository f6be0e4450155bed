"""Files to rows: what a mapping makes of them, and every row that it cannot take, with line, column and reason."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import datetime

from services.data.domain import calendar, cells, delimited
from services.data.domain.cells import BadCellError, Getter, LocalTime
from services.data.domain.datasets import KEY, LEADING, Row, Value
from services.data.domain.delimited import Line, Sheet
from services.data.domain.imports import MAX_REPORTED, Batch, RejectedRow, Report
from services.data.domain.mapping import LoadModel, Mapping, NumberField, TextField, TimeField, columns_of
from services.data.domain.plant import MAX_TARGETS, Dimension, Plant, Target, TargetEntry
from services.errors import FieldViolation, Invalid, Reason

_BAD_QUALITY = "bad"
_QUALITIES = ("good", "uncertain", _BAD_QUALITY)


@dataclass(frozen=True, slots=True)
class _Record:
    """A row of a load after joins and unpivoting."""

    line: int
    cells: list[str]
    column: str = ""  # the wide column that an unpivoted row came from


class _Rejections:
    """Rows that were not taken, each named once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int, str], RejectedRow] = {}

    def add(self, row: RejectedRow) -> None:
        self._rows.setdefault((row.file, row.line, row.column), row)

    def report(self, read: int, skipped: int) -> Report:
        rows = sorted(self._rows.values(), key=lambda row: (row.file, row.line, row.column))
        return Report(read, skipped, len(rows), tuple(rows[:MAX_REPORTED]))


def read(mapping: Mapping, contents: Map[str, bytes]) -> tuple[Batch, Report]:
    """Read files by name. Raises Invalid (IMPORT_REJECTED) where one cannot be read as a whole.

    Takes a second or so per 50,000 rows: run it in a thread.
    """
    plant = mapping.plant.plant()
    rejections = _Rejections()
    sheets, read_count, skipped = _sheets(mapping, contents, rejections)
    local = LocalTime(plant.zone)
    rows: dict[str, list[Row]] = {}
    seen: dict[str, dict[str, tuple[str, int]]] = {}
    names: dict[Target, TargetEntry] = {}
    for i, load in enumerate(mapping.loads):
        reader = _LoadReader(f"data_import.mapping.loads.{i}", load, sheets, plant, local)
        taken = rows.setdefault(load.dataset, [])
        keys = seen.setdefault(load.dataset, {})
        for record in reader.records(rejections):
            try:
                row = reader.row(record)
            except BadCellError as bad:
                rejections.add(RejectedRow(load.file, record.line, record.column or bad.column, bad.reason))
                continue
            place = (load.file, record.line)
            first = keys.setdefault(str(row[KEY]), place)
            if first is not place:
                reason = f"has the same key as line {first[1]} of {first[0]}"
                rejections.add(RejectedRow(load.file, record.line, record.column or reader.key_column, reason))
                continue
            taken.append(row)
            reader.note_targets(row, names)
    targets = _targets(mapping, plant, names)
    return Batch(plant, targets, rows), rejections.report(read_count, skipped)


def _sheets(mapping: Mapping, contents: Map[str, bytes], rejections: _Rejections) -> tuple[dict[str, Sheet], int, int]:
    sheets: dict[str, Sheet] = {}
    faults: list[FieldViolation] = []
    read_count = skipped = 0
    for i, file in enumerate(mapping.files):
        where = f"data_import.mapping.files.{i}"
        try:
            sheet = delimited.read(file.name, contents[file.name], file.separator)
        except delimited.UnreadableError as unreadable:
            faults.append(FieldViolation(where, str(unreadable), "import.file"))
            continue
        missing = [column for column in file.skip if column not in sheet.header]
        if missing:
            faults.append(_missing(f"{where}.skip", file.name, missing))
            continue
        read_count += sheet.read_count
        wanted = [(sheet.header[column], value) for column, value in file.skip.items()]
        kept = [line for line in sheet.lines if not wanted or any(line.cells[at].strip() != v for at, v in wanted)]
        skipped += len(sheet.lines) - len(kept)
        for row in sheet.rejected:
            rejections.add(row)
        sheets[file.name] = Sheet(sheet.name, sheet.header, kept, sheet.rejected)
    if faults:
        raise _unreadable(faults)
    return sheets, read_count, skipped


@dataclass(frozen=True, slots=True)
class _Join:
    """A file that is looked up: by the cell at `place` of a row, `rows` has the cells of its first such row."""

    column: str
    place: int
    file: str
    rows: Map[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of a load stand in its rows after joins and unpivoting."""

    header: Map[str, int]
    joins: tuple[_Join, ...]
    wide: tuple[tuple[str, int], ...]


def _layout(where: str, load: LoadModel, sheets: Map[str, Sheet]) -> _Layout:
    """Lay the rows of a load out. Raises Invalid (IMPORT_REJECTED) naming every column that is missing."""
    sheet = sheets[load.file]
    header = dict(sheet.header)
    width = len(header)
    faults: list[FieldViolation] = []
    joins: list[_Join] = []
    for join in load.join:
        other = sheets[join.file]
        without = [each.name for each in (sheet, other) if join.by not in each.header]
        if without:
            faults += [_missing(where, name, [join.by]) for name in without]
            continue
        rows: dict[str, list[str]] = {}
        for line in other.lines:
            rows.setdefault(line.cells[other.header[join.by]].strip(), line.cells)
        joins.append(_Join(join.by, sheet.header[join.by], join.file, rows))
        # The row's own columns win: a joined one of the same name is nearly always the key again.
        for name, at in other.header.items():
            header.setdefault(name, width + at)
        width += len(other.header)
    wide: tuple[tuple[str, int], ...] = ()
    if load.unpivot:
        missing = [column for column in load.unpivot.columns if column not in header]
        faults += [_missing(f"{where}.unpivot", load.file, missing)] if missing else []
        wide = tuple((column, header[column]) for column in load.unpivot.columns if column in header)
        header |= {load.unpivot.name: width, load.unpivot.value: width + 1}
    needed = dict.fromkeys(c for field in load.fields.values() for c in columns_of(field) if c not in header)
    if needed and not faults:
        faults.append(_missing(where, load.file, list(needed)))
    if faults:
        raise _unreadable(faults)
    return _Layout(header, tuple(joins), wide)


class _LoadReader:
    """One load over its sheets: joins, unpivots, and reads each row field by field."""

    def __init__(self, where: str, load: LoadModel, sheets: Map[str, Sheet], plant: Plant, local: LocalTime) -> None:
        self._load = load
        self._plant = plant
        self._dataset = load.of
        self._sheet = sheets[load.file]
        self._layout = _layout(where, load, sheets)
        self._getters = self._compile(self._layout.header, local)
        self._key = [self._dataset.position(name) for name in load.key]
        self.key_column = self._column_of(load.key[0])

    def _compile(self, header: Map[str, int], local: LocalTime) -> dict[str, Getter]:
        getters: dict[str, Getter] = {}
        for name in self._load.order:
            field = self._load.fields[name]
            match field:
                case TimeField():
                    getters[name] = cells.time_getter(field, header, local)
                case TextField():
                    getters[name] = cells.text_getter(field, header)
                case NumberField():
                    getters[name] = cells.number_getter(field, header)
        return getters

    def records(self, rejections: _Rejections) -> Iterator[_Record]:
        """Yield the rows of the load; a row that finds no partner in a joined file is rejected here."""
        for line in self._sheet.lines:
            try:
                joined = self._join(line)
            except BadCellError as bad:
                rejections.add(RejectedRow(self._load.file, line.number, bad.column, bad.reason))
                continue
            if not self._load.unpivot:
                yield _Record(line.number, joined)
                continue
            for column, place in self._layout.wide:
                if joined[place].strip():
                    yield _Record(line.number, [*joined, column, joined[place]], column)

    def _join(self, line: Line) -> list[str]:
        if not self._layout.joins:
            return line.cells
        joined = list(line.cells)
        for join in self._layout.joins:
            value = line.cells[join.place].strip()
            partner = join.rows.get(value)
            if partner is None:
                raise BadCellError(join.column, f"{cells.shown(value)} stands in no row of {join.file}")
            joined.extend(partner)
        return joined

    def row(self, record: _Record) -> Row:
        """Read a row. Raises BadCellError for the first cell that is not what the mapping says."""
        fields: dict[str, Value] = {}
        for name, getter in self._getters.items():
            fields[name] = getter(record.cells, fields)
        started, ended = fields["started_at"], fields.get("ended_at")
        if not isinstance(started, datetime):
            raise BadCellError("", "has no start")
        if isinstance(ended, datetime) and ended <= started:
            raise BadCellError(self._column_of("ended_at"), "ends before it starts")
        fields["shift_started_at"] = None
        if self._plant.shifts and Dimension.SHIFT in self._dataset.dimensions:
            fields["shift"], fields["shift_started_at"] = calendar.shift_at(
                started, self._plant.shifts, self._plant.zone
            ) or (None, None)
        if self._dataset.tagged:
            quality = fields.setdefault("quality", "good")
            if quality not in _QUALITIES:
                raise BadCellError(self._column_of("quality"), f"{quality} is none of {', '.join(_QUALITIES)}")
        row = [fields.get(column) for column in self._dataset.columns]
        row[KEY] = "|".join(_canonical(row[at]) for at in self._key)
        return tuple(row)

    def note_targets(self, row: Row, names: dict[Target, TargetEntry]) -> None:
        """Remember everything that the row names."""
        for at, dimension in enumerate(self._dataset.dimensions, start=len(LEADING)):
            value = row[at]
            if isinstance(value, str):
                target = Target(dimension, value)
                if target not in names:
                    names[target] = TargetEntry(target)

    def _column_of(self, name: str) -> str:
        field = self._load.fields.get(name)
        return next(reversed(columns_of(field)), "") if field else ""


def _canonical(value: Value) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _targets(mapping: Mapping, plant: Plant, found: Map[Target, TargetEntry]) -> tuple[TargetEntry, ...]:
    declared = {entry.target: entry for entry in (each.entry() for each in mapping.targets)}
    shifts = {
        Target(Dimension.SHIFT, shift.id): TargetEntry(Target(Dimension.SHIFT, shift.id), shift.name, shift.aliases)
        for shift in plant.shifts
    }
    entries = {**found, **shifts, **declared}
    if len(entries) > MAX_TARGETS:
        description = f"the files name {len(entries):,} things; a plant has at most {MAX_TARGETS:,}"
        raise _unreadable([FieldViolation("data_import.mapping.loads", description, "import.targets")])
    return tuple(sorted(entries.values(), key=lambda entry: str(entry.target)))


def _missing(where: str, file: str, columns: Sequence[str]) -> FieldViolation:
    return FieldViolation(where, f"{file} has no column {', '.join(map(repr, columns))}", "import.column")


def _unreadable(faults: Sequence[FieldViolation]) -> Invalid:
    return Invalid(
        f"the files do not fit the mapping: {faults[0].description}", Reason.IMPORT_REJECTED, {}, tuple(faults)
    )
