"""Conversations with the whole engine, and the promise that no number is invented."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from factoryai.data.v1 import data_service_pb2
from factoryai.orchestrator.v1 import decision_pb2
from factoryai.orchestrator.v1 import orchestrator_service_pb2 as pb
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import value_pb2

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.orchestrator.codec import values
from tests.support.engine import SAMPLE_END, Engine
from tests.support.orchestrator import numbers, shown
from tests.support.questions import Question, questions

TABLE = list(questions())
Told = tuple[str, str, str]


async def ask(
    engine: Engine, question: str, *, plant: str = "sample", conversation: str = "", as_of: datetime | None = SAMPLE_END
) -> decision_pb2.Decision:
    request = pb.AskRequest(question=question, plant=plant, conversation=conversation)
    if as_of is not None:
        request.as_of.FromDatetime(as_of.astimezone(UTC))
    decision: decision_pb2.Decision = (await engine.orchestrator.Ask(request)).decision
    assert decision.state == decision_pb2.DECISION_STATE_SUCCEEDED, decision
    assert decision.answer.text
    return decision


async def untold(engine: Engine, decision: decision_pb2.Decision) -> list[float]:
    """Return the numbers of an answer's text that its evidence does not know."""
    request = data_service_pb2.GetCatalogRequest(plant=decision.plant)
    catalog = (await engine.data.GetCatalog(request)).catalog
    texts = [metric.display_name for metric in catalog.metrics]
    texts += [entry.target.display_name for entry in catalog.targets]
    names = [name for text in texts for name in (text.ko, text.en) if any(letter.isdigit() for letter in name)]
    known = shown([values.evidence(each) for each in decision.answer.evidence])
    return [number for number in numbers(decision.answer.text, names) if number not in known]


@pytest.mark.parametrize("question", TABLE, ids=lambda question: f"{question.plant}: {question.ask}")
async def test_no_number_is_invented(engine: Engine, question: Question) -> None:
    decision = await ask(engine, question.ask, plant=question.plant, as_of=question.as_of)
    assert await untold(engine, decision) == []


@pytest.fixture
def talk(engine: Engine) -> Callable[..., object]:
    conversation = f"t-{new_id(SystemClock())[:18]}"

    async def say(*utterances: str) -> list[decision_pb2.Decision]:
        return [await ask(engine, each, conversation=conversation) for each in utterances]

    return say


def heads(decisions: list[decision_pb2.Decision]) -> list[str]:
    return [decision.plan.template for decision in decisions]


async def test_follow_ups_keep_what_they_do_not_change(engine: Engine, talk: Callable[..., object]) -> None:
    decisions = await talk("3라인 오늘 불량률 얼마야?", "2라인은?", "어제는?", "더 자세히")  # type: ignore[misc]
    assert heads(decisions) == ["check@1", "check@1", "check@1", "rank@1"]
    queries = [decision.plan.definition.nodes[0].data.query for decision in decisions]
    assert [query.targets[0].name for query in queries] == ["line:L03", "line:L02", "line:L02", "line:L02"]
    assert all(list(query.metrics) == ["defect_rate"] for query in queries)
    assert queries[2].windows[0].label == "yesterday"
    assert queries[3].windows[0] == queries[2].windows[0]
    for decision in decisions:
        assert await untold(engine, decision) == []


async def test_a_missing_word_is_asked_for_and_taken(talk: Callable[..., object]) -> None:
    decisions = await talk("순위 알려줘", "불량률")  # type: ignore[misc]
    assert heads(decisions) == ["ask_back@1", "rank@1"]
    assert decisions[0].answer.ask_back.missing_slots == ["metric"]
    assert decisions[1].classification.intent == intent_pb2.INTENT_RANK


async def test_what_is_not_served_is_said_and_its_offer_taken(talk: Callable[..., object]) -> None:
    decisions = await talk("3라인 불량률 왜 올랐어?", "응")  # type: ignore[misc]
    assert heads(decisions) == ["unserved@1", "trend@1"]
    assert "아직" in decisions[0].answer.text
    assert decisions[1].plan.definition.nodes[0].data.query.targets[0].name == "line:L03"


async def test_stop_drops_the_open_question(talk: Callable[..., object]) -> None:
    decisions = await talk("순위 알려줘", "됐어 그만", "안녕하세요", "thanks!")  # type: ignore[misc]
    assert heads(decisions) == ["ask_back@1", "stop@1", "greeting@1", "thanks@1"]


@pytest.mark.parametrize(
    ("plant", "question", "said"),
    [
        ("bottling", "불량률 알려줘", "비가동 시간"),
        ("steel", "What is the temperature?", "energy use"),
        ("bottling", "설비별 다운타임 순위", "작업자"),
        ("bottling", "오늘 다운타임 몇 분?", "2024년 8월 29일"),
        ("steel", "energy by line", "category"),
    ],
)
async def test_what_a_plant_lacks_is_answered_with_what_it_has(
    engine: Engine, plant: str, question: str, said: str
) -> None:
    decision = await ask(engine, question, plant=plant)
    assert said in decision.answer.text
    assert decision.answer.severity == value_pb2.SEVERITY_UNKNOWN
    assert not decision.run


@pytest.mark.parametrize(
    ("plant", "question", "said"),
    [
        ("bottling", "다운타임 어때?", "2024년 9월 3일"),
        ("bottling", "Which operator had the most downtime?", "There are no data for the last 7 days"),
        ("steel", "전력 사용량 추이", "2018년 12월 31일"),
    ],
)
async def test_a_plant_of_the_past_is_answered_from_its_last_data(
    engine: Engine, plant: str, question: str, said: str
) -> None:
    decision = await ask(engine, question, plant=plant)
    assert said in decision.answer.text
    assert decision.run


@pytest.mark.parametrize("question", ["😀😀", "<script>alert(1)</script>", "'; DROP TABLE decision; --", "확인해줘"])
async def test_what_says_nothing_is_asked_back(engine: Engine, question: str) -> None:
    decision = await ask(engine, question)
    assert decision.classification.intent == intent_pb2.INTENT_CLARIFY
    assert decision.answer.ask_back.question == decision.answer.text
