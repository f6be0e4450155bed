"""What the rules of a rule set say of a case.

A rule whose condition cannot be evaluated has not said no. A missing optional input is the author's own wish and the
rule stays silent; otherwise the outcome is UNKNOWN, unless another rule has found at least a WARNING, which stands.
So nothing passes as NORMAL past a safety rule that could not look.
"""

import math
from collections.abc import Iterator, Mapping

from services import errors
from services.errors import FieldViolation
from services.expressions import EvaluationError, Fault
from services.rule.domain.compiled import CompiledRule, CompiledRuleSet
from services.rule.domain.model import (
    HitPolicy,
    InputType,
    RuleCase,
    RuleMatch,
    RuleOutcome,
    Scalar,
    Severity,
)

_BADNESS = {Severity.NORMAL: 0, Severity.UNKNOWN: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}


def check_values(rules: CompiledRuleSet, case: RuleCase, path: str) -> dict[str, Scalar]:
    """Return the values of declared inputs, whole numbers as the input wants them; others are left out.

    Raises Invalid where a value has another type than its input.
    """
    checked: dict[str, Scalar] = {}
    violations: list[FieldViolation] = []
    for name, value in case.values.items():
        declared = rules.inputs.get(name)
        if declared is None:
            continue  # a caller may hand over a whole row; the rules read what they declare
        fitted = _fit(value, declared.type)
        if fitted is None:
            finite = not isinstance(value, float) or math.isfinite(value)
            said = f"{name} is declared as {declared.type}" if finite else f"{name} is no finite number"
            violations.append(FieldViolation(f"{path}.values[{name}]", said, "rule_input.type"))
        else:
            checked[name] = fitted
    if violations:
        raise errors.Invalid(violations[0].description, violations=tuple(violations))
    return checked


def evaluate(rules: CompiledRuleSet, key: str, values: Mapping[str, Scalar]) -> RuleOutcome:
    """Evaluate one case whose values were checked."""
    missing = tuple(name for name in rules.required if name not in values)
    bound = rules.environment.bind(values)
    fired: list[CompiledRule] = []
    silent = 0
    blind = False
    for compiled in rules.rules:
        if fired and rules.hit_policy is HitPolicy.FIRST and not compiled.rule.safety:
            continue  # decided; only a veto is still looked for
        if not compiled.condition.needs <= values.keys():
            silent += 1  # the error is certain, and raising it costs more than all the rest
            continue
        try:
            matched = compiled.condition.evaluate(bound)
        except EvaluationError as failure:
            silent += 1
            # A required input that is missing shows in `missing`; any other failure is nobody's wish.
            blind = blind or failure.fault is not Fault.MISSING_VALUE
            continue
        if matched:
            fired.append(compiled)
            if rules.hit_policy is HitPolicy.PRIORITY:
                break  # sorted: this one decides
    counting = tuple(_counting(rules.hit_policy, fired))
    matches = tuple(RuleMatch(each.rule.id, each.severity, each.rule.safety, each.explain(values)) for each in counting)
    severity = max((each.severity for each in counting), key=_BADNESS.__getitem__, default=Severity.NORMAL)
    nobody_looked = silent == len(rules.rules)
    if _BADNESS[severity] < _BADNESS[Severity.WARNING] and (missing or blind or nobody_looked):
        severity = Severity.UNKNOWN
    return RuleOutcome(key, severity, matches, missing)


def _counting(policy: HitPolicy, fired: list[CompiledRule]) -> Iterator[CompiledRule]:
    """Yield the rules that count. A safety rule that fired always does: it has a veto under every policy."""
    if policy is HitPolicy.COLLECT:
        yield from fired
        return
    safety = [each for each in fired if each.rule.safety]
    yield from (safety or fired)[:1]


def _fit(value: Scalar, wanted: InputType) -> Scalar | None:
    """Return the value as its input wants it, None where it has another type."""
    fitted: Scalar | None = None
    match wanted, value:
        case (InputType.BOOLEAN, bool()) | (InputType.TEXT, str()):
            fitted = value
        case _, bool():
            pass
        case InputType.NUMBER, float() | int() if math.isfinite(value):
            fitted = float(value)
        case InputType.INTEGER, float() | int() if float(value).is_integer() and abs(value) < 2**63:
            fitted = int(value)
    return fitted
