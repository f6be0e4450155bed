"""Results become sentences, and every number in them stands in the evidence."""

import string
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator import wiring
from services.orchestrator.domain import grounding, periods
from services.orchestrator.domain.answers import writing
from services.orchestrator.domain.answers.phrases import Phrases, names_in
from services.orchestrator.domain.decision import Answer
from services.orchestrator.domain.grounding import Scope
from services.orchestrator.domain.plant import Catalog
from tests.support.orchestrator import PLANTS, at, classification, numbers, result, sample, shown

CASES = Path(__file__).parents[2] / "cases" / "orchestrator" / "02_answers.yaml"
DOCUMENT = yaml.safe_load(CASES.read_text(encoding="utf-8"))
AS_OF = at("2026-11-20T15:30")
TEMPLATES, PHRASES = wiring.templates(), wiring.wording().phrases
LANGUAGES: tuple[Literal["ko", "en"], ...] = ("ko", "en")


def answer(case: dict[str, Any], language: Literal["ko", "en"]) -> tuple[Answer, Scope]:
    catalog = PLANTS[case.get("plant", "sample")]()
    meaning = classification(case["classification"])
    scope = grounding.ground(meaning.intent, meaning.slots, catalog, AS_OF, TEMPLATES.main_metrics)
    assert isinstance(scope, Scope)
    meant = periods.default_window(scope.template, catalog, AS_OF)
    return writing.write(scope, result(case["result"], catalog, AS_OF), language, PHRASES, meant), scope


def names(catalog: Catalog) -> list[str]:
    targets = [name for target in catalog.target_of.values() for name in (target.display.ko, target.display.en)]
    return [*targets, *(name for metric in catalog.metrics for name in (metric.display.ko, metric.display.en))]


def untold(written: Answer, catalog: Catalog) -> list[float]:
    """Return the numbers of the text that the evidence does not know."""
    known = shown(written.evidence)
    return [number for number in numbers(written.text, names(catalog)) if number not in known]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_answer(case: dict[str, Any], language: Literal["ko", "en"]) -> None:
    written, scope = answer(case, language)
    assert written.text == case[language]
    assert written.severity == case["severity"]
    assert untold(written, scope.catalog) == []
    if "rows" in case:
        assert written.table is not None
        assert written.table.row_count == case["rows"]
    assert [each.id for each in written.evidence] == [f"e{n}" for n in range(1, len(written.evidence) + 1)]


@given(
    value=st.floats(0, 1e7, allow_nan=False),
    previous=st.none() | st.floats(0, 1e7, allow_nan=False),
    metric=st.sampled_from([metric.id for metric in sample().metrics]),
    language=st.sampled_from(LANGUAGES),
)
def test_no_number_is_invented(
    value: float, previous: float | None, metric: str, language: Literal["ko", "en"]
) -> None:
    case = {
        "classification": {"intent": "CHECK", "slots": [{"metric": metric}]},
        "result": {
            "table": {"window": [0, 1], metric: [value, previous]},
            "facts": {metric: {"value": value, "previous": previous}},
            "latest": "2026-11-20T15:00",
        },
    }
    written, scope = answer(case, language)
    assert untold(written, scope.catalog) == []


@given(
    figures=st.lists(st.floats(0, 1e6, allow_nan=False), min_size=3, max_size=3),
    intent=st.sampled_from(["COMPARE", "RANK"]),
    metric=st.sampled_from(["oee", "downtime", "production_qty"]),
    language=st.sampled_from(LANGUAGES),
)
def test_no_number_is_invented_side_by_side(
    figures: list[float], intent: str, metric: str, language: Literal["ko", "en"]
) -> None:
    lines = ["L01", "L02", "L03"]
    case = {
        "classification": {"intent": intent, "slots": [{"metric": metric}, {"group_by": "line"}]},
        "result": {
            "table": {"line": lines, metric: figures},
            "items": [{"target": f"line:{line}", "value": value} for line, value in zip(lines, figures, strict=True)],
            "latest": "2026-11-20T15:00",
        },
    }
    written, scope = answer(case, language)
    assert untold(written, scope.catalog) == []


def test_sentences_take_the_words_they_are_given() -> None:
    """Each language may leave words out, but none may ask for one that nobody gives."""
    for key, texts in PHRASES.texts.items():
        for text in texts.values():
            assert all(name.isidentifier() for name in names_in(text)), key
            assert all(not conversion for *_, conversion in string.Formatter().parse(text)), key


def test_a_phrase_without_a_twin_is_refused() -> None:
    with pytest.raises(ValueError, match="both languages"):
        Phrases.parse([{"lonely": {"ko": "혼자"}}])
