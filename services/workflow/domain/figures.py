"""Figures as nodes see them: tables of typed columns, what they rest on, and what was made of them.

Only what nodes read stands here. Messages that are merely handed on stay bytes (`wire`), so that a large table is
parsed once and never built again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from services.workflow.domain.states import Severity

NO_ROWS: Final[frozenset[int]] = frozenset()

Scalar = float | int | str | bool


class Grain(StrEnum):
    """Width of a time bucket; UNSPECIFIED: one bucket a window."""

    UNSPECIFIED = "UNSPECIFIED"
    QUARTER_HOUR = "QUARTER_HOUR"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class Direction(StrEnum):
    """Which way is good."""

    UNSPECIFIED = "UNSPECIFIED"
    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"
    LOWER_IS_BETTER = "LOWER_IS_BETTER"


class EvidenceKind(StrEnum):
    """Where a piece of evidence comes from."""

    MEASUREMENT = "MEASUREMENT"
    RULE = "RULE"
    CALCULATION = "CALCULATION"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages of the product."""

    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period, `start <= t < end`; both aware. `text` holds the words it was read from."""

    start: datetime
    end: datetime
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the data layer: what of it nodes and templates have to know. `wire` is the whole question."""

    metrics: tuple[str, ...]
    windows: tuple[Window, ...]
    targets: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    grain: Grain = Grain.UNSPECIFIED
    wire: bytes = b""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, one entry a row in exactly one of the three lists. `times` are Unix seconds of bucket starts."""

    id: str
    unit: str = ""
    numbers: Sequence[float] = ()
    texts: Sequence[str] = ()
    times: Sequence[float] = ()
    null_rows: frozenset[int] = NO_ROWS

    def number(self, row: int) -> float | None:
        """Return the figure of a row; None where the data give none."""
        return None if row in self.null_rows else self.numbers[row]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as the plant defines it. `target` is the plant's goal, None where it set none."""

    id: str
    unit: str = ""
    direction: Direction = Direction.UNSPECIFIED
    dataset: str = ""
    target: float | None = None
    row_count: int = 0  # rows of the data set that went into all its figures of one result


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What the data say. `stale` as seen from `as_of`; metrics are in the order of the query."""

    columns: Mapping[str, Column]
    row_count: int
    metrics: Mapping[str, Metric]
    truncated: bool = False
    stale: bool = False
    as_of: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One named figure. `text` is the text it consists of, or the target or period that the figure belongs to."""

    name: str
    metric: str = ""
    value: float | None = None
    unit: str = ""
    text: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that an answer rests on."""

    id: str
    kind: EvidenceKind
    source: str
    metric: str = ""
    targets: tuple[str, ...] = ()
    window: Window | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    rule: str = ""
    row_count: int = 0
    description: Text | None = None
    severity: Severity = Severity.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One thing among those compared or ranked: a target or, where periods are compared, a window."""

    target: str
    window: Window | None
    value: float | None
    rank: int
    difference: float | None
    difference_ratio: float | None
    share: float | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class Judgment:
    """A verdict: what of it templates have to know."""

    name: str
    metric: str
    severity: Severity
    confidence: float
    items: tuple[JudgedItem, ...] = ()


def instant(seconds: float) -> datetime:
    """Make an aware time of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)
