"""Where runs and nodes stand, and how bad figures are. Names equal those of the contract without their prefix."""

from collections.abc import Iterable
from enum import StrEnum


class NodeKind(StrEnum):
    """The fifteen kinds of node."""

    DATA = "DATA"
    JUDGMENT = "JUDGMENT"
    CODE = "CODE"
    SWITCH = "SWITCH"
    ACTION = "ACTION"
    BI = "BI"
    MCP = "MCP"
    TRIGGER = "TRIGGER"
    WAIT = "WAIT"
    APPROVAL = "APPROVAL"
    PARALLEL = "PARALLEL"
    COMPENSATION = "COMPENSATION"
    DEPLOY = "DEPLOY"
    ROLLBACK = "ROLLBACK"
    SIMULATE = "SIMULATE"


class RunState(StrEnum):
    """Where a run stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    PAUSED = "PAUSED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    COMPENSATING = "COMPENSATING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    COMPENSATED = "COMPENSATED"
    QUARANTINED = "QUARANTINED"


class NodeState(StrEnum):
    """Where a node of a run stands. UNSPECIFIED: not reached yet."""

    UNSPECIFIED = "UNSPECIFIED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    COMPENSATING = "COMPENSATING"
    COMPENSATED = "COMPENSATED"


class Severity(StrEnum):
    """How bad it is. UNSPECIFIED: nothing was judged. UNKNOWN: data are missing, nobody can tell."""

    UNSPECIFIED = "UNSPECIFIED"
    NORMAL = "NORMAL"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"


# Not knowing is worse than knowing that all is well, and better than knowing that something is wrong.
_BY_WEIGHT = (Severity.UNSPECIFIED, Severity.NORMAL, Severity.UNKNOWN, Severity.WARNING, Severity.CRITICAL)


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst; UNSPECIFIED of none."""
    return max(severities, key=_BY_WEIGHT.index, default=Severity.UNSPECIFIED)
