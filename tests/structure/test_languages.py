"""Every text that people are shown exists in Korean and in English."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from factoryai.orchestrator.v1 import decision_pb2
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2

from services.cli.words import LANGUAGES, catalogue
from services.errors import Reason

ROOT = Path(__file__).parents[2]
HANGUL = re.compile("[가-힣]")
CATALOGUES = sorted(path for path in (ROOT / "services").rglob("*.yaml") if "datasets" not in path.parts)
CLI = ROOT / "services" / "cli"


def pairs(node: object, place: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each mapping of a document that speaks one of our languages. Parts of sentences may be empty in one."""
    if isinstance(node, dict):
        if set(node) & set(LANGUAGES):
            yield place, node
        for key, child in node.items():
            yield from pairs(child, f"{place}.{key}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from pairs(child, f"{place}[{index}]")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_has_its_twin(path: Path) -> None:
    documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    lonely = [
        place
        for document in documents
        for place, texts in pairs(document)
        if not all(isinstance(texts.get(language), str | list | dict) for language in LANGUAGES)
    ]
    assert lonely == []


def test_texts_of_the_command_line_take_the_same_values_in_both_languages() -> None:
    for key, texts in catalogue().items():
        assert set(texts) == set(LANGUAGES), key
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()]
        assert fields[0] == fields[1], key
        assert all(text.strip() for text in texts.values()), key


def test_korean_is_korean_and_english_is_not() -> None:
    # Names of things, and the questions to try, which show both languages on purpose.
    same_in_both = {key for key, texts in catalogue().items() if texts["ko"] == texts["en"]}
    for key, texts in catalogue().items():
        if key in same_in_both or key.startswith("up.question_"):
            continue
        assert HANGUL.search(texts["ko"]), key
        assert not HANGUL.search(texts["en"]), key
    assert {key for key in same_in_both if not key.startswith("up.question_")} <= {
        "status.pid",
        "origin.UNSPECIFIED",
        "state.UNSPECIFIED",
        "grain.UNSPECIFIED",
        "dimension.UNSPECIFIED",
    }


def test_every_reason_and_every_enum_value_that_is_shown_has_words() -> None:
    known = set(catalogue())
    wanted = {f"reason.{reason.name}" for reason in Reason}
    for group, prefix, values in (
        ("intent", "INTENT_", intent_pb2.Intent.keys()),
        ("origin", "SLOT_ORIGIN_", intent_pb2.SlotOrigin.keys()),
        ("state", "DECISION_STATE_", decision_pb2.DecisionState.keys()),
        ("dimension", "DIMENSION_", target_pb2.Dimension.keys()),
        ("grain", "TIME_GRAIN_", time_window_pb2.TimeGrain.keys()),
    ):
        wanted |= {f"{group}.{value.removeprefix(prefix)}" for value in values}
    assert wanted - known == set()


def test_the_code_asks_for_words_that_exist() -> None:
    known = set(catalogue())
    asked = set()
    for path in CLI.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'(?:words|say|progress)\(\s*"([a-z_]+\.[\w-]+)"', text))
        asked |= set(re.findall(r'help="([a-z_]+\.[\w-]+)"', text))
        asked |= set(
            re.findall(r'(?:UsageProblem|InputProblem|Missing|Unreachable|CliError)\(\s*"([a-z_]+\.\w+)"', text)
        )
    assert len(asked) > 100
    assert asked - known == set()
