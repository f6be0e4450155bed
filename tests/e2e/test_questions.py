"""The main job: answers equal what a person would find with SQL, in both languages, at a fixed time."""

import asyncpg
import pytest
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2

from services.wording import Language, format_value
from tests.support.engine import Engine
from tests.support.questions import Question, figures, first_evidence, questions

TABLE = list(questions())


def test_the_table_is_wide_enough() -> None:
    languages = [question.language for question in TABLE]
    assert len(TABLE) >= 30
    assert min(languages.count("ko"), languages.count("en")) >= 15
    assert {question.plant for question in TABLE} == {"sample", "bottling", "steel"}


@pytest.mark.parametrize("question", TABLE, ids=lambda question: question.id)
async def test_figures_equal_hand_written_sql(engine: Engine, question: Question) -> None:
    request = orchestrator_service_pb2.AskRequest(question=question.ask, plant=question.plant)
    request.as_of.FromDatetime(question.as_of)
    decision = (await engine.orchestrator.Ask(request)).decision

    assert decision.state == decision_pb2.DECISION_STATE_SUCCEEDED, decision
    assert intent_pb2.Intent.Name(decision.classification.intent) == f"INTENT_{question.intent}", (
        decision.classification
    )
    assert decision.answer.language == question.language
    expected = [tuple(row) for row in await _by_hand(engine, question)]
    found = figures(question, decision.answer)
    if question.expect == "value":
        _same_value(question, decision.answer, expected[0][0])
        return
    if question.expect in {"groups", "windows"}:
        key = {_plain(name): figure for name, figure in found}
        found = [(_plain(name), key.get(_plain(name))) for name, _ in expected]
        expected = [(_plain(name), figure) for name, figure in expected]
        assert len(key) == len(expected), decision.answer.table
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [figure for _, figure in found] == pytest.approx([float(figure) for _, figure in expected], rel=1e-9)


async def _by_hand(engine: Engine, question: Question) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(engine.database_url, server_settings={"app.tenant": "default"})
    try:
        rows: list[asyncpg.Record] = await connection.fetch(question.sql)
    finally:
        await connection.close()
    assert rows, "the SQL by hand finds nothing: the question proves nothing"
    return rows


def _same_value(question: Question, answer: decision_pb2.Answer, expected: float | None) -> None:
    assert expected is not None, "the SQL by hand finds nothing: the question proves nothing"
    assert first_evidence(question, answer) == pytest.approx(float(expected), rel=1e-9)
    unit = next(evidence.unit for evidence in answer.evidence if evidence.metric == question.metric)
    language: Language = "ko" if question.language == "ko" else "en"
    assert format_value(float(expected), unit, language) in answer.text, answer.text


def _plain(name: object) -> str:
    """Write a group's name as both sides do: the index of a window is a number in the table, an integer in SQL."""
    return str(int(name)) if isinstance(name, float) else str(name)
