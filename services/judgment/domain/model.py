"""What is judged, from what, and what comes out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.wording import LocalizedText

Cell: TypeAlias = float | str | datetime | None


class Severity(StrEnum):
    """How bad it is; UNSPECIFIED: nothing to hold the figure against."""

    UNSPECIFIED = ""
    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What is judged."""

    THRESHOLD = "threshold"
    COMPARISON = "comparison"
    RANKING = "ranking"


class Policy(StrEnum):
    """How rules and models are brought together."""

    UNSPECIFIED = ""
    RULE_ONLY = "rule_only"
    LLM_ONLY = "llm_only"
    RULE_FALLBACK = "rule_fallback"
    LLM_FALLBACK = "llm_fallback"
    HYBRID_WEIGHTED = "hybrid_weighted"
    HYBRID_GATE = "hybrid_gate"
    ESCALATE = "escalate"


class Method(StrEnum):
    """What decided."""

    RULE_ONLY = "rule_only"


class Direction(StrEnum):
    """Which way is good."""

    NEITHER = ""
    HIGHER = "higher"
    LOWER = "lower"


class EvidenceKind(StrEnum):
    """Where a piece of evidence comes from."""

    MEASUREMENT = "measurement"
    RULE = "rule"
    CALCULATION = "calculation"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period; `label` as in `TimeWindow.label`."""

    start: datetime
    end: datetime
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; None where a row has no value. `unit` is UCUM, `1` for a fraction, empty for a count or text."""

    id: str
    label: LocalizedText
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """The metric that decides. `additive`: its figures add up to a total. `target`: the plant's goal."""

    id: str
    name: LocalizedText
    unit: str
    direction: Direction = Direction.NEITHER
    additive: bool = False
    target: float | None = None
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """How a metric's figures came about: rows of the data set that went in."""

    metric: Metric
    row_count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a judgment is made from. `truncated`: more rows exist than were read."""

    columns: tuple[Column, ...]
    row_count: int
    sources: tuple[Source, ...] = ()
    stale: bool = False
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be judged. `rule_set` is the id behind `ruleSets/`, empty for none; `top_n` 0 keeps all places."""

    kind: Kind
    metric: str
    policy: Policy = Policy.UNSPECIFIED
    rule_set: str = ""
    descending: bool = False
    top_n: int = 0
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing among those judged; see `JudgedItem`. `target` reads `line:L03`, empty for none."""

    target: str = ""
    window: Window | None = None
    value: float | None = None
    rank: int = 0
    difference: float | None = None
    difference_ratio: float | None = None
    share: float | None = None
    severity: Severity = Severity.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that the judgment rests on."""

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
    description: LocalizedText = field(default_factory=LocalizedText)
    severity: Severity = Severity.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Action:
    """What to do, as a proposal to a person. `priority` is high, medium or low."""

    type: str
    priority: str
    target: str
    description: LocalizedText


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that fired on a row."""

    rule: str
    severity: Severity
    explanation: LocalizedText


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What the rules say of one row."""

    severity: Severity
    hits: tuple[RuleHit, ...] = ()
    missing_inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleVerdicts:
    """One verdict a row, in order, and the version that gave them: `ruleSets/x@3:digest`."""

    verdicts: tuple[RuleVerdict, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judgment concludes, before it is named and kept."""

    severity: Severity
    confidence: float
    items: tuple[Item, ...]
    explanation: LocalizedText
    evidence: tuple[Evidence, ...]
    actions: tuple[Action, ...]
    rule_set_version: str


@dataclass(frozen=True, slots=True)
class Judgment:
    """A verdict as it is kept. `id` is the part behind `judgments/`, `plant` the id behind `plants/`."""

    id: str
    plant: str
    task: Task
    method: Method
    verdict: Verdict
    create_time: datetime
    input_digest: str
