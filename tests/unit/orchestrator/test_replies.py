"""Talk, questions back, and plain words on what is not there."""

from typing import Literal

import pytest

from services.orchestrator import wiring
from services.orchestrator.domain import grounding
from services.orchestrator.domain.figures import Severity
from services.orchestrator.domain.grounding import Lack
from services.orchestrator.domain.meaning import Intent
from services.orchestrator.domain.replies import Desk
from tests.support.orchestrator import PLANTS, at, classification

WORDING, MAIN = wiring.wording(), wiring.templates().main_metrics
UNSERVED = [Intent.FIND_CAUSE, Intent.DETECT_ANOMALY, Intent.PREDICT, Intent.WHAT_IF, Intent.REPORT, Intent.NOTIFY]
LANGUAGES: tuple[Literal["ko", "en"], ...] = ("ko", "en")
AS_OF = at("2026-11-20T15:30")


def desk(language: Literal["ko", "en"] = "ko", plant: str = "sample") -> Desk:
    return Desk(language, WORDING.phrases, PLANTS[plant](), AS_OF, MAIN, WORDING.small_talk)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("안녕하세요", "greeting"),
        ("hi", "greeting"),
        ("history of this place", "out_of_scope"),
        ("고마워요", "thanks"),
        ("Thanks!", "thanks"),
        ("넌 무슨 일을 할 수 있니", "help"),
        ("what can you do", "help"),
        ("who are you?", "about"),
        ("bye", "goodbye"),
        ("오늘 날씨 어때", "out_of_scope"),
    ],
)
def test_small_talk(said: str, kind: str) -> None:
    for language in LANGUAGES:
        reply = desk(language).talk(said)
        assert reply.kind == kind
        assert reply.answer.severity is Severity.UNSPECIFIED


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("intent", UNSERVED)
def test_what_is_not_served_yet_is_said_with_an_offer(intent: Intent, language: Literal["ko", "en"]) -> None:
    slots = classification({"intent": intent.value, "slots": [{"metric": "defect_rate"}, {"target": "line:L03"}]}).slots
    reply = desk(language).unserved(intent, slots)
    assert (
        "아직" if language == "ko" else "does not" if intent is not Intent.NOTIFY else "not set up"
    ) in reply.answer.text
    assert ("3라인 불량률" if language == "ko" else "Line 3's defect rate") in reply.answer.text
    assert reply.answer.ask_back is not None
    assert reply.answer.ask_back.intent in {Intent.TREND, Intent.CHECK}
    assert {slot.name for slot in reply.known} == {"metric", "target"}


def test_an_offer_for_what_lies_ahead_looks_back() -> None:
    slots = classification(
        {"intent": "PREDICT", "slots": [{"metric": "oee"}, {"period": "next_week", "in": "2026-11-23/2026-11-30"}]}
    ).slots
    assert {slot.name for slot in desk().unserved(Intent.PREDICT, slots).known} == {"metric"}


def test_what_the_plant_lacks_is_answered_with_what_it_has() -> None:
    meaning = classification({"intent": "CHECK", "slots": [{"metric": "oee", "text": "OEE"}]})
    lack = grounding.ground(meaning.intent, meaning.slots, PLANTS["bottling"](), AS_OF, MAIN)
    assert isinstance(lack, Lack)
    reply = desk("ko", "bottling").lacking(lack, meaning.intent, meaning.slots)
    assert reply.answer.text == (
        "이 공장에는 OEE 데이터가 없습니다. 볼 수 있는 지표는 비가동 시간, 배치 수입니다. "
        "데이터는 2024년 8월 29일부터 9월 3일까지 있습니다. 어느 지표를 볼까요?"
    )
    assert reply.answer.severity is Severity.UNKNOWN
    assert reply.answer.ask_back is not None
    assert [option.value for option in reply.answer.ask_back.options] == ["downtime", "batch_count"]
    assert reply.answer.evidence[0].window is not None


def test_a_vague_word_is_asked_about_with_examples_of_this_plant() -> None:
    reply = desk("en", "bottling").unclear("talk.unclear")
    assert "downtime" in reply.answer.text
    assert reply.answer.ask_back is not None
    assert [option.value for option in reply.answer.ask_back.options] == ["CHECK", "COMPARE", "RANK", "TREND"]
