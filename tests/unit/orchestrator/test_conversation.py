"""What follow-ups lean on, what an answer leaves behind, and which language it is in."""

from typing import Any

import pytest

from services.orchestrator import wiring
from services.orchestrator.domain import conversation, language
from services.orchestrator.domain.conversation import Meaning
from services.orchestrator.domain.meaning import AskBack, Classification, DialogueContext, Intent, Slot, SlotOrigin
from tests.support.orchestrator import at, classification, sample, slot

AS_OF = at("2026-11-20T15:30")
MAIN = wiring.templates().main_metrics
DAY = "2026-11-20/2026-11-21"
LAST_WEEK = {"period": "last_week", "in": "2026-11-09/2026-11-16"}


def after(intent: Intent, *slots: dict[str, Any]) -> DialogueContext:
    return DialogueContext(intent, tuple(slot(each) for each in slots))


def follow(context: DialogueContext, *said: dict[str, Any]) -> tuple[Intent, dict[str, str]]:
    going_on = classification({"intent": "CONTINUE", "slots": said})
    meaning = conversation.resolve(going_on, context, sample(), AS_OF, MAIN)
    return meaning.intent, {each.name: each.value for each in meaning.slots}


def test_a_follow_up_changes_what_it_names_and_keeps_the_rest() -> None:
    context = after(Intent.CHECK, {"metric": "oee"}, {"target": "line:L03"}, LAST_WEEK)
    assert follow(context, {"target": "line:L02"}) == (
        Intent.CHECK,
        {"target": "line:L02", "metric": "oee", "period": "last_week"},
    )


def test_a_target_of_another_kind_comes_on_top() -> None:
    context = after(Intent.CHECK, {"metric": "oee"}, {"target": "line:L03"})
    meaning = conversation.resolve(
        classification({"intent": "CONTINUE", "slots": [{"target": "shift:night"}]}), context, sample(), AS_OF, MAIN
    )
    assert [each.value for each in meaning.slots if each.name == "target"] == ["shift:night", "line:L03"]


def test_a_default_period_is_not_inherited() -> None:
    context = after(Intent.CHECK, {"metric": "oee"}, {"period": "today", "in": DAY, "origin": "DEFAULT"})
    assert "period" not in follow(context, {"target": "line:L02"})[1]


def test_inherited_slots_are_marked() -> None:
    merged = conversation.merged((slot({"metric": "oee", "text": "효율"}),), ())
    assert (merged[0].origin, merged[0].text) == (SlotOrigin.INHERITED, "")


def test_more_of_a_figure_is_an_ordering_by_what_is_finer_the_worst_first() -> None:
    oee = after(Intent.CHECK, {"metric": "oee"}, {"target": "line:L03"})
    assert follow(oee) == (
        Intent.RANK,
        {"metric": "oee", "target": "line:L03", "group_by": "equipment", "order": "asc"},
    )
    assert follow(after(Intent.TREND, {"metric": "downtime"}))[1]["order"] == "desc"


def test_more_of_an_ordering_is_more_places_and_then_the_way_over_time() -> None:
    machines = after(Intent.RANK, {"metric": "oee"}, {"group_by": "equipment"}, {"top_n": 3})
    assert follow(machines) == (Intent.RANK, {"metric": "oee", "group_by": "equipment", "top_n": "20"})
    lines = after(Intent.RANK, {"metric": "oee"}, {"group_by": "line"}, {"top_n": 5})
    assert follow(lines) == (Intent.TREND, {"metric": "oee"})
    inside = after(Intent.RANK, {"metric": "oee"}, {"group_by": "equipment"}, {"target": "line:L01"}, {"top_n": 3})
    assert follow(inside)[0] is Intent.TREND


def test_more_of_a_comparison_is_its_way_over_time() -> None:
    sides = after(Intent.COMPARE, {"metric": "oee"}, {"target": "line:L01"})
    assert follow(sides)[0] is Intent.TREND


def test_there_may_be_nothing_to_go_on_with() -> None:
    assert follow(DialogueContext())[0] is Intent.UNSPECIFIED


def test_yes_takes_an_offer() -> None:
    offer = AskBack("보여 드릴까요?", intent=Intent.TREND)
    context = DialogueContext(pending=offer, pending_slots=(slot({"metric": "oee"}),))
    assert follow(context) == (Intent.TREND, {"metric": "oee"})
    again = Classification(Intent.TREND, slots=context.pending_slots, ask_back=offer)
    assert conversation.takes_offer(again, context)
    assert not conversation.takes_offer(Classification(Intent.TREND), context)
    asked = AskBack("어느 지표를 볼까요?", ("metric",), intent=Intent.TREND)
    assert not conversation.takes_offer(Classification(Intent.TREND, ask_back=asked), DialogueContext(pending=asked))


def test_an_answer_settles_what_was_open_and_a_stop_drops_it() -> None:
    open_question = conversation.asked_back(after(Intent.CHECK, {"metric": "oee"}), AskBack("?"), (Slot("a", "b"),))
    assert open_question.last_intent is Intent.CHECK
    answered = conversation.answered(open_question, Meaning(Intent.RANK, ()))
    assert (answered.pending, answered.pending_slots, answered.last_intent) == (None, (), Intent.RANK)
    stopped = conversation.stopped(open_question)
    assert (stopped.pending, stopped.last_intent) == (None, Intent.CHECK)


@pytest.mark.parametrize(
    ("requested", "utterance", "remembered", "preferred", "expected"),
    [
        ("en", "불량률", "ko", "ko", "en"),
        ("", "line 3 불량률 show me the trend", "en", "", "ko"),
        ("", "What is the OEE of line 2?", "ko", "ko", "en"),
        ("", "OEE?", "ko", "", "ko"),
        ("", "OEE?", "", "", "en"),
        ("", "OEE?", "", "ko", "ko"),
        ("", "L02", "en", "", "en"),
        ("", "😀", "", "en", "en"),
        ("", "???", "", "", "ko"),
    ],
)
def test_language(requested: str, utterance: str, remembered: str, preferred: str, expected: str) -> None:
    assert language.choose(requested, utterance, remembered, preferred) == expected
