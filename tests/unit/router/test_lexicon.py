"""Words are found whatever Korean hangs on to them, and only where they are words."""

import pytest

from services.router.domain.catalogue import Better, Catalogue, Entry, Metric
from services.router.domain.lexicon import compile_lexicon
from services.router.domain.model import Text
from services.router.domain.targets import find_targets
from services.router.domain.vocabulary import Vocabulary, vocabulary
from tests.support.catalogs import lexicon


def found(text: str, plant: str = "sample") -> list[tuple[str, str]]:
    return [(m.kind, m.value) for m in lexicon(plant).scan(text) if m.kind in {"metric", "dimension"}]


@pytest.mark.parametrize(
    "text",
    ["불량률", "불량률이", "불량 률은?", "불량율을", "오늘불량률알려줘", "defect rate", "defect-rate", "defect rates"],
)
def test_one_metric_many_forms(text: str) -> None:
    assert found(text) == [("metric", "defect_rate")]


@pytest.mark.parametrize("text", ["온라인", "접수율", "부정지", "airline", "deadlines", "temperatureless"])
def test_words_inside_other_words_are_none(text: str) -> None:
    assert found(text) == []


def test_the_longest_term_wins() -> None:
    assert found("불량 수량") == [("metric", "defect_qty")]
    assert found("가동률과 성능 가동률") == [("metric", "availability"), ("metric", "performance")]


def targets(text: str, plant: str = "sample") -> list[str]:
    words = lexicon(plant)
    return [t.name if t.known else f"?{t.name}" for t in find_targets(text, words, words.scan(text))]


LINE_3 = (
    "3라인|3 라인은|라인 3|3번 라인|삼라인|삼 라인|c라인|세 번째 라인|3호 라인|"
    "line three|line 3|l03|l3|line_c|line c|third line|3rd line|line no. 3|line #3"
)


@pytest.mark.parametrize("text", LINE_3.split("|"))
def test_one_line_many_names(text: str) -> None:
    assert targets(text) == ["line:L03"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1라인부터 3라인까지", ["line:L01", "line:L02", "line:L03"]),
        ("1~3라인", ["line:L01", "line:L02", "line:L03"]),
        ("1, 3라인", ["line:L01", "line:L03"]),
        ("1번과 2번 라인", ["line:L01", "line:L02"]),
        ("1라인 2라인", ["line:L01", "line:L02"]),
        ("lines 1 to 3", ["line:L01", "line:L02", "line:L03"]),
        ("lines 1 and 3", ["line:L01", "line:L03"]),
        ("line 1 versus line 2", ["line:L01", "line:L02"]),
        ("a라인과 c라인", ["line:L01", "line:L03"]),
        ("machines 4, 5 and 7", ["equipment:E004", "equipment:E005", "equipment:E007"]),
        ("e007", ["equipment:E007"]),
        ("prd-002", ["product:PRD002"]),
        ("브래킷", ["product:PRD001"]),
        ("9라인", ["?line:L09"]),
        ("l09", ["?line:L09"]),
        ("제품 z", ["?product:Z"]),
        ("이 라인", []),
        ("상위 3 라인", []),
        ("설비 3개", []),
        ("compare lines", []),
        ("day vs night", ["shift:day", "shift:night"]),
        ("by day", []),
    ],
)
def test_lists_ranges_and_what_is_no_target(text: str, names: list[str]) -> None:
    assert targets(text) == names


def test_without_a_catalogue_targets_take_the_products_own_form() -> None:
    assert targets("3라인 7호기", "") == ["line:L03", "equipment:E007"]


def test_the_plant_calls_things_as_it_likes() -> None:
    plant = Catalogue(
        "own",
        "1",
        metrics=(Metric("oee", Text("종합점수", "Score"), ("온도",), Better.HIGHER),),
        targets=(Entry("line:X9", Text("황금 라인", "Golden line"), ("제일", "7")),),
    )
    words = compile_lexicon(
        vocabulary([{"metrics": {"temperature": ["온도"]}, "cues": {"superlative": ["제일"]}}]), plant
    )
    assert [(m.kind, m.value) for m in words.scan("온도")] == [("metric", "oee")]
    assert [t.name for t in find_targets("황금라인의", words, words.scan("황금라인의"))] == ["line:X9"]
    assert words.scan("7") == []


@pytest.mark.parametrize(
    "content", [{"cues": ["why"]}, {"cues": {"why": [True]}}, {"cues": {True: ["why"]}}, {"verbs": {}}, {"words": "on"}]
)
def test_a_broken_vocabulary_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="section"):
        vocabulary([content])


def test_an_empty_vocabulary_finds_nothing() -> None:
    assert compile_lexicon(Vocabulary((), {}, frozenset(), frozenset()), Catalogue("")).scan("불량률") == []
