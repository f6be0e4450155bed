"""What judgments say: one YAML file a behaviour, in tests/cases/judgment."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.judgment.domain.judge import judge
from services.judgment.domain.model import EvidenceKind, Item, Verdict
from services.judgment.domain.rows import arrange
from services.wording import format_change, format_value
from tests.unit.judgment.figures import figures, task, verdicts

FOLDER = Path(__file__).parents[2] / "cases" / "judgment"
FILES = sorted(FOLDER.glob("*.yaml"))
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def run(document: dict[str, Any]) -> Verdict:
    asked, given = task(document["task"]), figures(document["figures"])
    return judge(asked, given, arrange(asked, given), verdicts(document.get("rules")))


def shown(item: Item) -> dict[str, Any]:
    optional = {"difference": item.difference, "difference_ratio": item.difference_ratio, "share": item.share}
    return {
        "target": item.target,
        "value": item.value,
        "rank": item.rank,
        "severity": item.severity.value,
        **({"window": item.window.label} if item.window else {}),
        **{name: round(value, 6) for name, value in optional.items() if value is not None},
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_case(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    verdict, expect = run(document), document["expect"]
    assert verdict.explanation.ko == expect["ko"]
    assert verdict.explanation.en == expect["en"]
    assert verdict.severity.value == expect["severity"]
    assert [shown(item) for item in verdict.items] == expect["items"]
    assert verdict.confidence == expect["confidence"]
    assert verdict.rule_set_version == expect.get("rule_set_version", "")
    actions = [
        {"type": each.type, "priority": each.priority, "target": each.target}
        | {"ko": each.description.ko, "en": each.description.en}
        for each in verdict.actions
    ]
    assert actions == expect["actions"]
    if "evidence" in expect:
        assert [each.kind.value for each in verdict.evidence] == expect["evidence"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_number_in_a_text_stands_in_the_evidence(file: Path) -> None:
    verdict = run(yaml.safe_load(file.read_text(encoding="utf-8")))
    known: set[str] = set()
    for each in verdict.evidence:
        figures_of = [figure for figure in (each.value, each.threshold) if figure is not None]
        for figure in figures_of:
            for text in (format_value(figure, each.unit, "en"), format_change(figure, each.unit, "en")):
                known |= set(NUMBER.findall(text))
        if each.kind is EvidenceKind.RULE:  # what an author wrote, limits and all
            known |= set(NUMBER.findall(each.description.en))
        known |= {number for target in each.targets for number in NUMBER.findall(target)}
    for text in (verdict.explanation.ko, verdict.explanation.en):
        assert set(NUMBER.findall(text)) <= known
    assert [each.id for each in verdict.evidence] == [f"e{n}" for n in range(1, len(verdict.evidence) + 1)]
