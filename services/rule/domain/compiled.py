"""A rule set, checked and made ready to evaluate. All faults are found in one go."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services import errors
from services.errors import FieldViolation, Reason
from services.expressions import Environment, Expression, VariableType
from services.rule.domain import explanation
from services.rule.domain.model import HitPolicy, InputDeclaration, InputType, Rule, RuleSetContent, Scalar, Severity
from services.wording import LocalizedText

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# CEL reserves these, or they name its types.
_RESERVED: Final = re.compile(
    "as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var|void"
    "|while|int|uint|double|bool|string|bytes|list|map|type|dyn|null_type"
)
_MAX_FAULTS: Final = 100
_VARIABLE_TYPES: Final = {
    InputType.NUMBER: VariableType.NUMBER,
    InputType.INTEGER: VariableType.INTEGER,
    InputType.TEXT: VariableType.TEXT,
    InputType.BOOLEAN: VariableType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class RuleSetFault:
    """One fault: `field` is its path, `rules[2].condition`."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its checked condition and what fills its explanation."""

    rule: Rule
    severity: Severity
    condition: Expression
    explain: Callable[[Mapping[str, Scalar]], LocalizedText]


@dataclass(frozen=True, slots=True)
class CompiledRuleSet:
    """Rules in the order in which they decide: as written, or under PRIORITY safety first, then highest first."""

    hit_policy: HitPolicy
    inputs: Mapping[str, InputDeclaration]
    required: tuple[str, ...]
    environment: Environment
    rules: tuple[CompiledRule, ...]


def find_faults(content: RuleSetContent) -> tuple[RuleSetFault, ...]:
    """Return every fault (the first 100), in the order of the rule set; empty where it may be published."""
    return _examine(content)[0]


def compile_rule_set(content: RuleSetContent) -> CompiledRuleSet:
    """Make a rule set ready. Raises Invalid (INVALID_RULE_SET) with one violation a fault."""
    found, environment, conditions = _examine(content)
    if found:
        raise errors.Invalid(
            f"rule set {content.name} has {len(found)} fault(s); the first: {found[0].field}: {found[0].description}",
            reason=Reason.INVALID_RULE_SET,
            violations=tuple(FieldViolation(f"rule_set.{each.field}", each.description) for each in found),
        )
    inputs = {each.name: each for each in content.inputs}
    rules = tuple(
        CompiledRule(
            rule,
            rule.severity or Severity.UNKNOWN,
            condition,
            explanation.compile_text(rule.explanation),
        )
        for rule, condition in zip(content.rules, conditions, strict=True)
    )
    if content.hit_policy is HitPolicy.PRIORITY:
        rules = tuple(sorted(rules, key=lambda each: (not each.rule.safety, -each.rule.priority)))  # stable
    required = tuple(each.name for each in content.inputs if not each.optional)
    return CompiledRuleSet(content.hit_policy, inputs, required, environment, rules)


def _examine(content: RuleSetContent) -> tuple[tuple[RuleSetFault, ...], Environment, list[Expression]]:
    """Find the faults, and compile on the way what can be compiled."""
    variables = {each.name: _VARIABLE_TYPES[each.type] for each in content.inputs if each.type in _VARIABLE_TYPES}
    environment = Environment({name: kind for name, kind in variables.items() if _usable(name)})
    conditions: list[Expression] = []
    found = [*_names(content), *_inputs(content)]
    for index, rule in enumerate(content.rules):
        found += _rule(f"rules[{index}]", rule, content)
        try:
            condition = environment.compile(rule.condition, result=VariableType.BOOLEAN)
        except errors.Invalid as refusal:
            found.append(RuleSetFault(f"rules[{index}].condition", refusal.message))
            continue
        conditions.append(condition)
        if rule.safety:
            read = {node.name for node in condition.tree.walk()}
            found += (
                RuleSetFault(
                    f"rules[{index}].condition",
                    f"a safety rule reads {each.name}, which is optional: without it nobody could look",
                )
                for each in content.inputs
                if each.optional and each.name in read
            )
    return tuple(found[:_MAX_FAULTS]), environment, conditions


def _usable(name: str) -> bool:
    return _ID.fullmatch(name) is not None and _RESERVED.fullmatch(name) is None


def _names(content: RuleSetContent) -> Iterator[RuleSetFault]:
    for language, text in (("ko", content.display_name.ko), ("en", content.display_name.en)):
        if not text.strip():
            yield RuleSetFault(f"display_name.{language}", "is empty; every text stands in both languages")
    if not content.inputs:
        yield RuleSetFault("inputs", "there is no input that conditions could read")
    if not content.rules:
        yield RuleSetFault("rules", "there is no rule")
    yield from _repeated("inputs", "name", [each.name for each in content.inputs])
    yield from _repeated("rules", "id", [each.id for each in content.rules])


def _repeated(collection: str, key: str, names: list[str]) -> Iterator[RuleSetFault]:
    counts = Counter(names)
    for index, name in enumerate(names):
        if counts[name] > 1 and names.index(name) != index:
            yield RuleSetFault(f"{collection}[{index}].{key}", f"{name} is taken by {collection}[{names.index(name)}]")


def _inputs(content: RuleSetContent) -> Iterator[RuleSetFault]:
    for index, declared in enumerate(content.inputs):
        if _ID.fullmatch(declared.name) is None:
            yield RuleSetFault(f"inputs[{index}].name", "is no identifier like defect_rate")
        elif _RESERVED.fullmatch(declared.name):
            yield RuleSetFault(f"inputs[{index}].name", f"{declared.name} is a word of CEL")
        if declared.type not in _VARIABLE_TYPES:
            yield RuleSetFault(f"inputs[{index}].type", "is not set")


def _rule(path: str, rule: Rule, content: RuleSetContent) -> Iterator[RuleSetFault]:
    if _ID.fullmatch(rule.id) is None:
        yield RuleSetFault(f"{path}.id", "is no identifier like defect_critical")
    if rule.severity is None:
        yield RuleSetFault(f"{path}.severity", "is not set")
    elif rule.safety and rule.severity is not Severity.CRITICAL:
        yield RuleSetFault(f"{path}.severity", "a matter of safety is critical")
    names = frozenset(each.name for each in content.inputs)
    for language, description in explanation.faults(rule.explanation, names):
        yield RuleSetFault(f"{path}.explanation.{language}", description)
