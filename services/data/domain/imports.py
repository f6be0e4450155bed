"""Imports as resources: what was announced, what has arrived, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.data.domain.datasets import Row
from services.data.domain.plant import Plant, TargetEntry

MAX_REPORTED = 1_000
# A file comes in pieces of up to 512 KiB; this many more would only be an attack on the bookkeeping.
MAX_PIECES = 1_000
# All files of an import are held in memory while they are read.
MAX_TOTAL_SIZE = 256 * 1024 * 1024


class ImportState(StrEnum):
    """Where an import stands."""

    UPLOADING = "uploading"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file as announced: size in bytes, SHA-256 in lower-case hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken. `line` counts from 1; `column` is empty where the whole row is wrong."""

    file: str
    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What reading the files gave. `rejected_rows` holds the first 1,000 of `rejected`."""

    read: int = 0
    skipped: int = 0
    rejected: int = 0
    rejected_rows: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What taking the rows changed."""

    inserted: int = 0
    unchanged: int = 0
    updated: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows on their way into a plant, by data set; the plant and its targets are created or brought up to date.

    No two rows of a data set have the same key.
    """

    plant: Plant
    targets: tuple[TargetEntry, ...]
    rows: Mapping[str, list[Row]]


@dataclass(frozen=True, slots=True)
class DataImport:
    """An import. `id` is a UUID; `plant` is what its mapping fills."""

    id: str
    mapping: str
    files: tuple[ImportFile, ...]
    plant: str
    state: ImportState
    created_at: datetime
    ended_at: datetime | None = None
    report: Report = Report()
    counts: Counts = Counts()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a piece of a file lies, in bytes."""

    offset: int
    size: int


def arrived(pieces: list[Piece]) -> int:
    """Return how many different bytes the pieces cover; they may overlap."""
    total = 0
    reached = 0
    for piece in sorted(pieces, key=lambda each: each.offset):
        end = piece.offset + piece.size
        total += max(0, end - max(piece.offset, reached))
        reached = max(reached, end)
    return total
