"""Rule sets and what they say of a case, as the domain sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.wording import LocalizedText

Scalar: TypeAlias = float | int | str | bool


class Severity(StrEnum):
    """How bad it is."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class RuleSetState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"


class InputType(StrEnum):
    """Type of an input."""

    UNSPECIFIED = ""
    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"


class HitPolicy(StrEnum):
    """Which of the rules that match count."""

    FIRST = "first"
    COLLECT = "collect"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class InputDeclaration:
    """A variable that conditions may read."""

    name: str
    type: InputType
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and what its match means."""

    id: str
    condition: str
    severity: Severity | None
    explanation: LocalizedText
    priority: int = 0
    safety: bool = False


@dataclass(frozen=True, slots=True)
class RuleSetContent:
    """What people write: everything that the digest covers. `name` is the id behind `ruleSets/`."""

    name: str
    display_name: LocalizedText
    hit_policy: HitPolicy
    inputs: tuple[InputDeclaration, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of a rule set, as it is kept."""

    content: RuleSetContent
    version: int
    state: RuleSetState
    digest: str
    create_time: datetime
    publish_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case: values by input name. A missing value is unknown, not 0."""

    key: str
    values: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that fired."""

    rule: str
    severity: Severity
    safety: bool
    explanation: LocalizedText


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What the rules say of one case."""

    key: str
    severity: Severity
    matches: tuple[RuleMatch, ...] = ()
    missing_inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Outcomes of a batch, and the version that gave them."""

    outcomes: tuple[RuleOutcome, ...]
    version: int
    digest: str
