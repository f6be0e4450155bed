"""The table of questions in tests/cases/questions: what people ask, and the SQL that a person would write for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from factoryai.orchestrator.v1 import decision_pb2
from factoryai.type.v1 import value_pb2

CASES: Final = Path(__file__).resolve().parent.parent / "cases" / "questions"
Figures = list[tuple[Any, float | None]]


@dataclass(frozen=True)
class Question:
    """One row of the table; `expect` is explained at the top of 01_sample.yaml."""

    id: str  # file and place, as pytest escapes Hangul
    plant: str
    as_of: datetime
    ask: str
    language: str
    intent: str
    metric: str
    expect: str
    sql: str


def questions() -> Iterator[Question]:
    for path in sorted(CASES.glob("*.yaml")):
        page = yaml.safe_load(path.read_text(encoding="utf-8"))
        for place, row in enumerate(page["questions"], start=1):
            as_of = datetime.fromisoformat(page["as_of"])
            yield Question(id=f"{page['plant']}-{place}", plant=page["plant"], as_of=as_of, **row)


def figures(question: Question, answer: decision_pb2.Answer) -> Figures:
    """Read the figures of an answer in the shape that the question's SQL has."""
    if question.expect == "value":
        return [(None, first_evidence(question, answer))]
    key = {"series": "time", "windows": "window"}.get(question.expect)
    columns = {column.id: column for column in answer.table.columns}
    keys = columns[key] if key else answer.table.columns[0]
    return list(zip(cells(keys), cells(columns[question.metric]), strict=True))


def first_evidence(question: Question, answer: decision_pb2.Answer) -> float | None:
    for evidence in answer.evidence:
        if evidence.metric == question.metric:
            return evidence.value if evidence.HasField("value") else None
    raise AssertionError(f"no evidence for {question.metric}: {answer}")


def cells(column: value_pb2.Column) -> list[Any]:
    """Give a column as Python values, None where it has no value."""
    if column.type == value_pb2.COLUMN_TYPE_TIME:
        return [time.ToDatetime(tzinfo=UTC) for time in column.times]
    values: list[Any] = list(column.numbers if column.type == value_pb2.COLUMN_TYPE_NUMBER else column.texts)
    for row in column.null_rows:
        values[row] = None
    return values
