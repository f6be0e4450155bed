# ruff: noqa: N802 - the names are gRPC's
"""A data layer and a judgment engine that do what a test tells them, behind the real chain and on real sockets.

They stand for neighbours that fail, hang or change their answer on demand, which the real ones cannot be asked to.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from factoryai.data.v1 import analysis_pb2, data_service_pb2, data_service_pb2_grpc, metric_pb2
from factoryai.judgment.v1 import judgment_pb2, judgment_service_pb2, judgment_service_pb2_grpc
from factoryai.type.v1 import target_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings
from services.errors import FactoryError
from tests.support.server import Running


def defect_rates(*values: float, target: float = 0.03) -> analysis_pb2.QueryResult:
    """Return one figure a line, L01 first, in one window."""
    return analysis_pb2.QueryResult(
        table=value_pb2.Table(
            row_count=len(values),
            columns=[
                value_pb2.Column(
                    id="line",
                    type=value_pb2.COLUMN_TYPE_TEXT,
                    texts=[f"L0{number}" for number in range(1, len(values) + 1)],
                ),
                value_pb2.Column(id="defect_rate", type=value_pb2.COLUMN_TYPE_NUMBER, unit="1", numbers=values),
            ],
        ),
        freshness=value_pb2.Freshness(as_of=Timestamp(seconds=1_772_500_000)),
        sources=[
            analysis_pb2.MetricSource(
                metric=metric_pb2.Metric(
                    id="defect_rate",
                    unit="1",
                    direction=metric_pb2.DIRECTION_LOWER_IS_BETTER,
                    dataset="production",
                    target_value=target,
                ),
                row_count=48,
            )
        ],
    )


@dataclass
class DataLayer(data_service_pb2_grpc.DataServiceServicer):
    """Answers with `answer`, after the `failures` that come first; `hangs` before any of it."""

    answer: analysis_pb2.QueryResult = field(default_factory=lambda: defect_rates(0.045))
    failures: list[FactoryError | Exception] = field(default_factory=list)
    hangs: asyncio.Event | None = None
    asked: list[data_service_pb2.QueryRequest] = field(default_factory=list)
    cancelled: int = 0

    async def Query(self, request: data_service_pb2.QueryRequest, _: Any) -> data_service_pb2.QueryResponse:
        self.asked.append(request)
        if self.hangs is not None:
            try:
                await self.hangs.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if self.failures:
            raise self.failures.pop(0)
        return data_service_pb2.QueryResponse(result=self.answer)

    def build(self, _: ServiceSettings, __: Platform) -> Service:
        return _service(
            "data",
            "factoryai.data.v1.DataService",
            lambda server: data_service_pb2_grpc.add_DataServiceServicer_to_server(self, server),
        )


@dataclass
class JudgmentEngine(judgment_service_pb2_grpc.JudgmentServiceServicer):
    """Puts the rows in the order in which they come."""

    asked: list[judgment_service_pb2.JudgeRequest] = field(default_factory=list)

    async def Judge(self, request: judgment_service_pb2.JudgeRequest, _: Any) -> judgment_service_pb2.JudgeResponse:
        self.asked.append(request)
        lines, figures = request.input.result.table.columns
        items = [
            judgment_pb2.JudgedItem(target=target_pb2.Target(name=f"line:{line}"), value=value, rank=rank)
            for rank, (line, value) in enumerate(zip(lines.texts, figures.numbers, strict=True), start=1)
        ]
        judgment = judgment_pb2.Judgment(
            name="judgments/0197a1c4-0000-7000-8000-000000000000",
            task=request.task,
            severity=value_pb2.SEVERITY_WARNING,
            confidence=0.8,
            items=items,
            method=judgment_pb2.JUDGMENT_METHOD_RULE_ONLY,
        )
        return judgment_service_pb2.JudgeResponse(judgment=judgment, created=True)

    def build(self, _: ServiceSettings, __: Platform) -> Service:
        return _service(
            "judgment",
            "factoryai.judgment.v1.JudgmentService",
            lambda server: judgment_service_pb2_grpc.add_JudgmentServiceServicer_to_server(self, server),
        )


@dataclass
class World:
    """Services that run, and the neighbours to tell what to do."""

    running: Running
    data: DataLayer
    judgment: JudgmentEngine


def data_layer() -> DataLayer:
    """Make a data layer that answers one method; gRPC says UNIMPLEMENTED to the others."""
    return DataLayer()  # type: ignore[abstract]


def judgment_engine() -> JudgmentEngine:
    """Make a judgment engine that answers one method."""
    return JudgmentEngine()  # type: ignore[abstract]


def _service(name: str, full_name: str, add_to: Any) -> Service:
    async def nothing() -> None:
        pass

    async def ready() -> bool:
        return True

    return Service(name=name, full_name=full_name, add_to=add_to, start=nothing, ready=ready, stop=nothing)
