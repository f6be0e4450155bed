"""What nodes give, by their kind."""

from dataclasses import dataclass

from services.workflow.domain.figures import Evidence, Fact, Judgment, QueryResult
from services.workflow.domain.states import Severity


@dataclass(frozen=True, slots=True)
class DataOutput:
    """Of DATA. `wire` is the data layer's own message, handed on as it came."""

    result: QueryResult
    wire: bytes


@dataclass(frozen=True, slots=True)
class JudgmentOutput:
    """Of JUDGMENT. `wire` is the judgment engine's own message, handed on as it came."""

    judgment: Judgment
    wire: bytes


@dataclass(frozen=True, slots=True)
class CodeOutput:
    """Of CODE."""

    facts: tuple[Fact, ...]
    severity: Severity = Severity.UNSPECIFIED
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class SwitchOutput:
    """Of SWITCH: the labels that were taken, in the order of the cases."""

    labels: tuple[str, ...]
    severity: Severity = Severity.UNSPECIFIED
    evidence: tuple[Evidence, ...] = ()


NodeOutput = DataOutput | JudgmentOutput | CodeOutput | SwitchOutput
