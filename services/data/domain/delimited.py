"""Delimited text as it is published: byte-order marks, any line end, quotes that never close, lines without end.

A line that cannot be read costs itself, never the rest of the file.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from services.data.domain.imports import RejectedRow

MAX_LINE = 65_536
# A file is held as cells while it is read: some 500 bytes a row and 8 a cell.
MAX_LINES = 500_000
MAX_COLUMNS = 1_000
_MAX_QUOTED_LINES = 100
_NEVER_CLOSES = "a quote opens here and never closes"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of cells and the line, from 1, where it begins."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as cells. `header` maps a column's name to its place; `lines` have as many cells as the header."""

    name: str
    header: dict[str, int]
    lines: list[Line]
    rejected: list[RejectedRow]

    @property
    def read_count(self) -> int:
        """Rows that the file has, good and bad."""
        return len(self.lines) + len(self.rejected)


class UnreadableError(Exception):
    """The file as a whole cannot be read; the message says why."""


def read(name: str, content: bytes, separator: str) -> Sheet:
    """Read a file. Raises UnreadableError where it has no header, or more rows or columns than can be held."""
    if content.count(b"\n") > MAX_LINES:
        raise UnreadableError(f"{name} has more than {MAX_LINES:,} lines; import it in parts")
    rejected: list[RejectedRow] = []
    records = _records(name, content.removeprefix(_BOM), separator, rejected)
    first = next(records, None)
    if first is None:
        if rejected:
            raise UnreadableError(f"{name} has no header: line {rejected[0].line}: {rejected[0].reason}")
        raise UnreadableError(f"{name} is empty")
    header = {cell.strip(): place for place, cell in enumerate(first.cells)}
    if len(header) != len(first.cells):
        raise UnreadableError(f"{name}: two columns of the header have the same name")
    if len(header) > MAX_COLUMNS:
        raise UnreadableError(f"{name} has more than {MAX_COLUMNS:,} columns")
    lines: list[Line] = []
    width = len(header)
    for record in records:
        if len(record.cells) == width:
            lines.append(record)
        else:
            reason = f"has {len(record.cells)} columns where the header has {width}"
            rejected.append(RejectedRow(name, record.number, "", reason))
    return Sheet(name, header, lines, rejected)


def _records(name: str, content: bytes, separator: str, rejected: list[RejectedRow]) -> Iterator[Line]:
    physical = content.split(b"\n")
    if not physical[-1]:
        physical.pop()
    width = 0
    at = 0
    while at < len(physical):
        number, raw = at + 1, physical[at].removesuffix(b"\r")
        at += 1
        if not raw.strip():
            continue
        if fault := _fault(raw):
            rejected.append(RejectedRow(name, number, "", fault))
            continue
        if b'"' not in raw:  # nearly every line of nearly every file
            cells = raw.decode("utf-8").split(separator)
        else:
            quoted = _quoted(physical, number - 1, separator, width)
            if isinstance(quoted, str):
                rejected.append(RejectedRow(name, number, "", quoted))
                continue
            cells, at = quoted
        width = width or len(cells)
        yield Line(number, cells)


def _quoted(physical: list[bytes], start: int, separator: str, width: int) -> tuple[list[str], int] | str:
    """Return the cells of a row with quotes and the line after it, or why there is no such row."""
    end = _closing(physical, start)
    if end is None:
        return _NEVER_CLOSES
    text = b"\n".join(each.removesuffix(b"\r") for each in physical[start : end + 1])
    # A quote that never closes finds a partner in a later row. What comes of that is hardly ever a row, and then only
    # the first line is to blame.
    spans = end > start
    if fault := _fault(text):
        return _NEVER_CLOSES if spans else fault
    try:
        cells = next(csv.reader([text.decode("utf-8")], delimiter=separator, strict=True))
    except csv.Error as wrong:
        return _NEVER_CLOSES if spans else f"the quotes do not fit: {wrong}"
    if spans and width and len(cells) != width:
        return _NEVER_CLOSES
    return cells, end + 1


def _fault(raw: bytes) -> str:
    if len(raw) > MAX_LINE:
        return f"is {len(raw):,} bytes long; a row has at most {MAX_LINE:,}"
    if b"\0" in raw:
        return "holds a zero byte"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return f"byte {wrong.start + 1} is not UTF-8: 0x{raw[wrong.start]:02x}"
    return ""


def _closing(physical: list[bytes], start: int) -> int | None:
    quotes = 0
    size = 0
    for at in range(start, min(start + _MAX_QUOTED_LINES, len(physical))):
        quotes += physical[at].count(b'"')
        size += len(physical[at])
        if quotes % 2 == 0:
            return at
        if size > MAX_LINE:
            return None
    return None
