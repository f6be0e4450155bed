"""What a run gave: tables, facts, judgments, and the evidence that they rest on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.errors import FactoryError
from services.orchestrator.domain.language import NO_TEXT, Localized
from services.orchestrator.domain.meaning import Target, Window


class Severity(StrEnum):
    """How bad it is."""

    UNSPECIFIED = "UNSPECIFIED"
    NORMAL = "NORMAL"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"


class ColumnType(StrEnum):
    """What a column holds."""

    UNSPECIFIED = "UNSPECIFIED"
    NUMBER = "NUMBER"
    TEXT = "TEXT"
    TIME = "TIME"


Cell = float | str | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; None stands where the data give no figure."""

    id: str
    type: ColumnType
    cells: tuple[Cell, ...]
    label: Localized = NO_TEXT
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Typed columns of equal length, dimensions first."""

    columns: tuple[Column, ...]
    truncated: bool = False

    @property
    def row_count(self) -> int:
        """How many rows each column has."""
        return len(self.columns[0].cells) if self.columns else 0

    def column(self, column_id: str) -> Column | None:
        """Return the column of that id, None where there is none."""
        return next((column for column in self.columns if column.id == column_id), None)

    def rows(self, indexes: list[int]) -> "Table":
        """Return the table of these rows, in this order."""
        columns = tuple(
            Column(c.id, c.type, tuple(c.cells[index] for index in indexes), c.label, c.unit) for c in self.columns
        )
        return Table(columns, self.truncated)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh data are: end of the newest row read, and whether that is older than the metric allows."""

    latest: datetime | None
    stale: bool
    as_of: datetime | None


class EvidenceKind(StrEnum):
    """Where a piece of evidence comes from."""

    UNSPECIFIED = "UNSPECIFIED"
    MEASUREMENT = "MEASUREMENT"
    RULE = "RULE"
    CALCULATION = "CALCULATION"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that an answer rests on, as `factoryai.type.v1.Evidence`."""

    id: str
    kind: EvidenceKind
    source: str = ""
    metric: str = ""
    targets: tuple[Target, ...] = ()
    window: Window | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    rule: str = ""
    row_count: int = 0
    description: Localized = NO_TEXT
    severity: Severity = Severity.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Fact:
    """One named figure, or a text in its place; `time` is its instant, as that of a maximum."""

    name: str
    metric: str = ""
    value: float | None = None
    unit: str = ""
    text: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class MetricSource:
    """Where a metric's figures come from: its data set, and how many rows of it went in."""

    metric: str
    dataset: str
    row_count: int


@dataclass(frozen=True, slots=True)
class DataResult:
    """What a DATA node gave."""

    table: Table
    freshness: Freshness | None
    sources: tuple[MetricSource, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """What to do, as a proposal: `priority` is high, medium or low."""

    type: str
    priority: str
    target: Target | None
    description: Localized


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One thing among those compared or ranked."""

    target: Target | None = None
    window: Window | None = None
    value: float | None = None
    rank: int = 0
    difference: float | None = None
    difference_ratio: float | None = None
    share: float | None = None
    severity: Severity = Severity.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class JudgmentResult:
    """What a JUDGMENT node gave. `name` is `judgments/{id}`, `rule_set_version` empty where no rules were asked."""

    name: str
    severity: Severity
    items: tuple[JudgedItem, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[ProposedAction, ...] = ()
    degraded: bool = False
    rule_set_version: str = ""


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What a CODE node computed."""

    facts: tuple[Fact, ...]
    severity: Severity
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that has ended: the outputs of its nodes by kind, or the error that ended it."""

    run: str
    data: DataResult | None = None
    judgment: JudgmentResult | None = None
    code: CodeResult | None = None
    error: FactoryError | None = None
