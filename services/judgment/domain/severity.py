"""How bad a figure is, held against its target and the rules."""

from collections.abc import Iterable

from services.judgment.domain.model import Direction, Metric, RuleVerdict, Severity

_BADNESS = {
    Severity.UNSPECIFIED: 0,
    Severity.NORMAL: 1,
    Severity.UNKNOWN: 2,
    Severity.WARNING: 3,
    Severity.CRITICAL: 4,
}
# WARNING reaches to 1.5 times the target, or down to the target over 1.5.
_OVER = 0.5
_SHORT = 1 / 3


def bounds(metric: Metric) -> tuple[float, float] | None:
    """Return where WARNING begins (the target itself is NORMAL) and where CRITICAL does; None without either."""
    if metric.target is None or metric.direction is Direction.NEITHER:
        return None
    if metric.direction is Direction.LOWER:
        return metric.target, metric.target + _OVER * abs(metric.target)
    return metric.target, metric.target - _SHORT * abs(metric.target)


def against_target(value: float | None, metric: Metric) -> Severity:
    """Hold a figure against the plant's goal."""
    if value is None:
        return Severity.UNKNOWN
    limits = bounds(metric)
    if limits is None:
        return Severity.UNSPECIFIED
    sign = 1 if metric.direction is Direction.LOWER else -1
    warning, critical = (_past(value, limit, sign) for limit in limits)
    return Severity.CRITICAL if critical else Severity.WARNING if warning else Severity.NORMAL


def with_rules(severity: Severity, rules: RuleVerdict | None) -> Severity:
    """Bring target and rules together: the worse of both. A safety rule that fired is CRITICAL, so it decides."""
    return severity if rules is None else worst((severity, rules.severity))


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst; UNKNOWN is worse than NORMAL, since nobody can tell."""
    return max(severities, key=_BADNESS.__getitem__, default=Severity.UNKNOWN)


def _past(value: float, limit: float, sign: int) -> bool:
    """Say whether a figure is on the bad side of a limit by more than arithmetic: 0.03 * 1.5 is not quite 0.045."""
    return (value - limit) * sign > 1e-9 * max(abs(value), abs(limit))
