"""Delimited text as it is published: byte-order marks, any line end, quotes that never close, lines without end.

A line that cannot be read costs itself, never the rest of the file.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from services.data.domain.imports import RejectedRow

MAX_LINE = 65_536
_MAX_QUOTED_LINES = 100
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
    """Read a file. Raises UnreadableError where it has no header."""
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
    if physical and not physical[-1]:
        physical.pop()
    at = 0
    while at < len(physical):
        number, raw = at + 1, physical[at]
        at += 1
        if raw.endswith(b"\r"):
            raw = raw[:-1]
        if not raw.strip():
            continue
        if fault := _fault(raw):
            rejected.append(RejectedRow(name, number, "", fault))
            continue
        if b'"' not in raw:  # nearly every line of nearly every file
            yield Line(number, raw.decode("utf-8").split(separator))
            continue
        end = _closing(physical, at - 1)
        if end is None:
            rejected.append(RejectedRow(name, number, "", "a quote opens here and never closes"))
            continue
        text = b"\n".join(each.removesuffix(b"\r") for each in physical[at - 1 : end + 1])
        at = end + 1
        if fault := _fault(text):
            rejected.append(RejectedRow(name, number, "", fault))
            continue
        try:
            cells = next(csv.reader([text.decode("utf-8")], delimiter=separator, strict=True))
        except (csv.Error, StopIteration) as wrong:
            rejected.append(RejectedRow(name, number, "", f"the quotes do not fit: {wrong}"))
            continue
        yield Line(number, cells)


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
