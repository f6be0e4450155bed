"""All faults at once, each with its place."""

from dataclasses import replace

import pytest

from services.errors import Invalid, Reason
from services.rule.adapters.shipped import parse, shipped
from services.rule.domain import canonical
from services.rule.domain.compiled import compile_rule_set, find_faults
from services.rule.domain.evaluator import check_values
from services.rule.domain.model import InputDeclaration, InputType, RuleCase, RuleSetContent, Scalar, Severity

GOOD = next(each for each in shipped() if each.name == "sample-safety")

BAD = """
name: bad
display_name: {ko: "", en: Bad}
hit_policy: first
inputs:
  - {name: x, type: number, optional: true}
  - {name: x, type: integer}
  - {name: in, type: text}
  - {name: y, type: ""}
rules:
  - {id: a, condition: "x > 1.0", severity: warning, explanation: {ko: "{x} {z}", en: ""}}
  - {id: a, condition: "x > ", severity: null, explanation: {ko: "{x", en: "{x:%} fine"}}
  - {id: Big, condition: "nope > 1", severity: warning, safety: true, explanation: {ko: 가, en: a}}
  - {id: c, condition: "[1].map(a,[1].map(b,[1].map(c,c))).size() > 0", severity: warning, explanation: {ko: 가, en: a}}
"""


def test_every_fault_is_told_with_its_place() -> None:
    found = {(fault.field, fault.description.split(";")[0]) for fault in find_faults(parse(BAD))}
    fields = [field for field, _ in sorted(found)]
    assert fields == sorted(
        [
            "display_name.ko",
            "inputs[1].name",
            "inputs[2].name",
            "inputs[3].type",
            "rules[0].condition",
            "rules[0].explanation.ko",
            "rules[0].explanation.en",
            "rules[1].id",
            "rules[1].severity",
            "rules[1].condition",
            "rules[1].explanation.ko",
            "rules[2].id",
            "rules[2].severity",
            "rules[2].condition",
            "rules[3].condition",
        ]
    )
    assert ("rules[0].explanation.ko", "{z} names no input") in found
    with pytest.raises(Invalid) as refusal:
        compile_rule_set(parse(BAD))
    assert refusal.value.reason is Reason.INVALID_RULE_SET
    assert len(refusal.value.violations) == len(fields)
    assert refusal.value.violations[0].field.startswith("rule_set.")


def test_a_safety_rule_reads_required_inputs_only() -> None:
    optional = replace(GOOD, inputs=tuple(replace(each, optional=True) for each in GOOD.inputs))
    described = [fault.description for fault in find_faults(optional)]
    assert described == [
        "a safety rule reads temperature, which is optional: without it nobody could look",
        "a safety rule reads vibration, which is optional: without it nobody could look",
    ]


def test_a_safety_rule_is_critical() -> None:
    mild = replace(GOOD, rules=(replace(GOOD.rules[0], severity=Severity.WARNING), *GOOD.rules[1:]))
    assert [fault.field for fault in find_faults(mild)] == ["rules[0].severity"]


def test_shipped_rule_sets_are_faultless_and_told_apart() -> None:
    names = [each.name for each in shipped()]
    assert names == ["sample-quality", "sample-safety"]
    assert all(find_faults(each) == () for each in shipped())


def test_the_digest_covers_the_content_and_survives_the_store() -> None:
    digest = canonical.digest(GOOD)
    assert len(digest) == 64
    assert canonical.digest(canonical.read(canonical.write(GOOD))) == digest
    changed = replace(GOOD, rules=(replace(GOOD.rules[0], priority=99), *GOOD.rules[1:]))
    assert canonical.digest(changed) != digest


@pytest.mark.parametrize(
    ("wanted", "value", "fitted"),
    [
        (InputType.NUMBER, 3, 3.0),
        (InputType.NUMBER, 3.5, 3.5),
        (InputType.NUMBER, "3", None),
        (InputType.NUMBER, True, None),
        (InputType.NUMBER, float("nan"), None),
        (InputType.NUMBER, float("inf"), None),
        (InputType.INTEGER, 3, 3),
        (InputType.INTEGER, 3.0, 3),
        (InputType.INTEGER, 3.5, None),
        (InputType.INTEGER, 1e300, None),
        (InputType.TEXT, "a", "a"),
        (InputType.TEXT, 1, None),
        (InputType.BOOLEAN, False, False),
        (InputType.BOOLEAN, 0, None),
    ],
)
def test_values_have_the_type_of_their_input(wanted: InputType, value: Scalar, fitted: Scalar | None) -> None:
    rules = compile_rule_set(
        RuleSetContent(
            "one",
            GOOD.display_name,
            GOOD.hit_policy,
            (InputDeclaration("v", wanted),),
            (replace(GOOD.rules[0], condition="true", safety=False, explanation=GOOD.display_name),),
        )
    )
    if fitted is None:
        with pytest.raises(Invalid) as refusal:
            check_values(rules, RuleCase("", {"v": value}), "inputs[7]")
        assert refusal.value.violations[0].field == "inputs[7].values[v]"
    else:
        checked = check_values(rules, RuleCase("", {"v": value, "other": object.__name__}), "inputs[7]")
        assert checked == {"v": fitted}
        assert type(checked["v"]) is type(fitted)
