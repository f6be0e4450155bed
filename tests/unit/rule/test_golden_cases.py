"""What rule sets say: one YAML file a behaviour, in tests/cases/rule."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from services.rule.adapters.shipped import shipped
from services.rule.domain.compiled import compile_rule_set
from services.rule.domain.evaluator import check_values, evaluate
from services.rule.domain.model import RuleCase, RuleSetContent

FOLDER = Path(__file__).parents[2] / "cases" / "rule"
CONTENT = TypeAdapter(RuleSetContent)


def cases() -> list[Any]:
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for policy in document.get("policies", [None]):
            for index, case in enumerate(document["cases"]):
                name = f"{file.stem}-{policy or document['rule_set']}-{index}"
                found.append(pytest.param(document, policy, case, id=name))
    return found


@pytest.mark.parametrize(("document", "policy", "case"), cases())
def test_case(document: dict[str, Any], policy: str | None, case: dict[str, Any]) -> None:
    if policy is None:
        content = next(each for each in shipped() if each.name == document["rule_set"])
        expected = case
    else:
        content = CONTENT.validate_python(document["content"] | {"hit_policy": policy})
        expected = case[policy]
    rules = compile_rule_set(content)
    outcome = evaluate(rules, "k", check_values(rules, RuleCase("k", case["values"]), "inputs[0]"))
    assert outcome.key == "k"
    assert outcome.severity == expected["severity"], outcome
    assert [match.rule for match in outcome.matches] == expected["matches"]
    assert list(outcome.missing_inputs) == expected.get("missing", [])
    for language in ("ko", "en"):
        if language in expected:
            assert [getattr(match.explanation, language) for match in outcome.matches] == expected[language]
