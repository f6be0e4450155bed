"""Decisions as the engine makes them, for the tests of what people see."""

from datetime import UTC, datetime, timedelta

from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import evidence_pb2, target_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

NAME = "decisions/0190a0b0-0000-7000-8000-000000000001"


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def both(korean: str, english: str) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=korean, en=english)


def trend_table(values: list[float], nulls: list[int] | None = None) -> value_pb2.Table:
    first = datetime(2025, 11, 16, 15, 0, tzinfo=UTC)  # midnight in Seoul
    return value_pb2.Table(
        row_count=len(values),
        columns=[
            value_pb2.Column(
                id="time",
                label=both("날짜", "Date"),
                type=value_pb2.COLUMN_TYPE_TIME,
                times=[stamp(first + timedelta(days=day)) for day in range(len(values))],
            ),
            value_pb2.Column(
                id="defect_rate",
                label=both("불량률", "Defect rate"),
                type=value_pb2.COLUMN_TYPE_NUMBER,
                unit="1",
                numbers=values,
                null_rows=nulls or [],
            ),
        ],
    )


def rank_table() -> value_pb2.Table:
    return value_pb2.Table(
        row_count=2,
        columns=[
            value_pb2.Column(
                id="line", label=both("라인", "Line"), type=value_pb2.COLUMN_TYPE_TEXT, texts=["3라인", "L01"]
            ),
            value_pb2.Column(
                id="downtime",
                label=both("비가동", "Downtime"),
                type=value_pb2.COLUMN_TYPE_NUMBER,
                unit="min",
                numbers=[1240.0, 620.0],
            ),
        ],
    )


def decision(
    table: value_pb2.Table | None = None,
    chart: decision_pb2.Chart | None = None,
    text: str = "불량률은 3.1%입니다.",
    language: str = "ko",
) -> decision_pb2.Decision:
    return decision_pb2.Decision(
        name=NAME,
        state=decision_pb2.DECISION_STATE_SUCCEEDED,
        question="오늘 1라인 불량률 어때?",
        plant="plants/sample",
        conversation="conversations/abc",
        language="ko",
        classification=intent_pb2.Classification(intent=intent_pb2.INTENT_CHECK),
        create_time=stamp(datetime(2025, 11, 22, 3, 0, tzinfo=UTC)),
        answer=decision_pb2.Answer(
            text=text,
            language=language,
            severity=value_pb2.SEVERITY_WARNING,
            table=table or value_pb2.Table(),
            chart=chart or decision_pb2.Chart(),
            evidence=[
                evidence_pb2.Evidence(
                    id="e1",
                    source="production",
                    metric="defect_rate",
                    targets=[target_pb2.Target(name="line:L01", display_name=both("1라인", "Line 1"))],
                    value=0.031,
                    threshold=0.03,
                    unit="1",
                    row_count=1234,
                    description=both("1라인 불량률", "Defect rate of line 1"),
                )
            ],
        ),
    )


def progress(
    stage: "orchestrator_service_pb2.AskStage.ValueType", message: str
) -> orchestrator_service_pb2.AskStreamResponse:
    step = orchestrator_service_pb2.AskProgress(stage=stage, decision=NAME, message=message)
    return orchestrator_service_pb2.AskStreamResponse(progress=step)


def stream(made: decision_pb2.Decision) -> list[orchestrator_service_pb2.AskStreamResponse]:
    return [
        progress(orchestrator_service_pb2.ASK_STAGE_ACCEPTED, "질문을 받았습니다."),
        progress(orchestrator_service_pb2.ASK_STAGE_CLASSIFIED, "뜻을 파악했습니다."),
        orchestrator_service_pb2.AskStreamResponse(decision=made),
    ]
