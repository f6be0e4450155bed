# ruff: noqa: N802 - the names are gRPC's
"""Neighbours of the orchestrator that do as they are told: what real ones do not do on demand, hang and fail.

They stand behind the real chain and the real channels; only what they answer is written here.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from factoryai.data.v1 import analysis_pb2, data_service_pb2, data_service_pb2_grpc, metric_pb2, plant_pb2
from factoryai.router.v1 import intent_pb2, router_service_pb2, router_service_pb2_grpc
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2, workflow_service_pb2, workflow_service_pb2_grpc

from services.chassis.host import Part
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings
from services.errors import FactoryError, NotFound, Reason

RUN = "runs/01890000-0000-7000-8000-000000000001"


@dataclass
class Script:
    """What the neighbours do. An error is raised where it stands; `gate` holds runs back until it is set."""

    router_error: Exception | None = None
    run_error: Exception | None = None
    failed_run: FactoryError | None = None
    catalog_error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[router_service_pb2.ClassifyRequest] = field(default_factory=list)
    runs: list[workflow_service_pb2.StartRunRequest] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: int = 0

    def __post_init__(self) -> None:
        self.gate.set()


class Router(router_service_pb2_grpc.RouterServiceServicer):
    """Takes everything for a CHECK of the defect rate of line 3."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def Classify(
        self, request: router_service_pb2.ClassifyRequest, _: Any
    ) -> router_service_pb2.ClassifyResponse:
        self._script.asked.append(request)
        if self._script.router_error:
            raise self._script.router_error
        stated = intent_pb2.SLOT_ORIGIN_STATED
        classification = intent_pb2.Classification(
            intent=intent_pb2.INTENT_CHECK,
            confidence=0.9,
            route_target=intent_pb2.ROUTE_TARGET_DATA_LAYER,
            slots=[
                intent_pb2.Slot(name="metric", value="defect_rate", origin=stated),
                intent_pb2.Slot(
                    name="target", value="line:L03", origin=stated, target=target_pb2.Target(name="line:L03")
                ),
            ],
            language="ko",
        )
        return router_service_pb2.ClassifyResponse(classification=classification)


class Data(data_service_pb2_grpc.DataServiceServicer):
    """Knows one plant, `sample`."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def GetCatalog(
        self, request: data_service_pb2.GetCatalogRequest, _: Any
    ) -> data_service_pb2.GetCatalogResponse:
        if self._script.catalog_error:
            raise self._script.catalog_error
        if request.plant != "plants/sample":
            raise NotFound("no such plant", reason=Reason.UNKNOWN_PLANT, metadata={"plant": request.plant})
        if request.known_version == "v1":
            return data_service_pb2.GetCatalogResponse(unchanged=True)
        return data_service_pb2.GetCatalogResponse(catalog=_catalog())


def _catalog() -> plant_pb2.Catalog:
    text = target_pb2.LocalizedText
    coverage = time_window_pb2.TimeWindow()
    coverage.start_time.FromJsonString("2020-01-01T00:00:00Z")
    coverage.end_time.FromJsonString("2100-01-01T00:00:00Z")
    metric = metric_pb2.Metric(
        id="defect_rate",
        display_name=text(ko="불량률", en="Defect rate"),
        unit="1",
        direction=metric_pb2.DIRECTION_LOWER_IS_BETTER,
        aggregation=metric_pb2.AGGREGATION_RATIO,
        dataset="production",
        dimensions=[target_pb2.DIMENSION_LINE],
        target_value=0.025,
        coverage=coverage,
        finest_grain=time_window_pb2.TIME_GRAIN_HOUR,
    )
    line = target_pb2.Target(name="line:L03", display_name=text(ko="3라인", en="Line 3"))
    plant = plant_pb2.Plant(
        name="plants/sample", display_name=text(ko="예시 공장", en="Sample plant"), time_zone="Asia/Seoul"
    )
    targets = [plant_pb2.TargetEntry(target=line)]
    return plant_pb2.Catalog(plant=plant, version="v1", metrics=[metric], targets=targets, coverage=coverage)


class Workflow(workflow_service_pb2_grpc.WorkflowServiceServicer):
    """Finds a defect rate of 3.1 % after 2.7 %."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def StartRun(
        self, request: workflow_service_pb2.StartRunRequest, _: Any
    ) -> workflow_service_pb2.StartRunResponse:
        script = self._script
        script.runs.append(request)
        script.started.set()
        if script.run_error:
            raise script.run_error
        try:
            await script.gate.wait()
        except asyncio.CancelledError:
            script.cancelled += 1
            raise
        run = run_pb2.Run(name=RUN, state=run_pb2.RUN_STATE_SUCCEEDED)
        if script.failed_run:
            run.state = run_pb2.RUN_STATE_FAILED
            run.error.ParseFromString(_status(script.failed_run))
            return workflow_service_pb2.StartRunResponse(run=run, started=True)
        number = value_pb2.COLUMN_TYPE_NUMBER
        columns = [
            value_pb2.Column(id="window", type=number, numbers=[0, 1]),
            value_pb2.Column(id="defect_rate", type=number, numbers=[0.031, 0.027], unit="1"),
        ]
        data = analysis_pb2.QueryResult(table=value_pb2.Table(columns=columns, row_count=2))
        data.freshness.latest_data_time.CopyFrom(request.as_of)
        facts = [
            value_pb2.Fact(name="value", metric="defect_rate", value=0.031, unit="1"),
            value_pb2.Fact(name="previous", metric="defect_rate", value=0.027, unit="1"),
            value_pb2.Fact(name="severity", metric="defect_rate", text="WARNING"),
        ]
        code = node_pb2.CodeOutput(facts=facts, severity=value_pb2.SEVERITY_WARNING)
        done = run_pb2.NODE_STATE_SUCCEEDED
        run.node_results.add(node_id="figures", kind=node_pb2.NODE_KIND_DATA, state=done).output.data.CopyFrom(data)
        run.node_results.add(node_id="facts", kind=node_pb2.NODE_KIND_CODE, state=done).output.code.CopyFrom(code)
        return workflow_service_pb2.StartRunResponse(run=run, started=True)


def _status(error: FactoryError) -> bytes:
    from services.chassis import status  # noqa: PLC0415 - only here

    return status.encode(error, "", "").status


def parts(script: Script, told: ServiceSettings) -> list[Part]:
    """Return the three neighbours as services."""
    return [
        _part("router", "factoryai.router.v1.RouterService", told, router_service_pb2_grpc, Router(script)),
        _part("data", "factoryai.data.v1.DataService", told, data_service_pb2_grpc, Data(script)),  # type: ignore[abstract]
        _part("workflow", "factoryai.workflow.v1.WorkflowService", told, workflow_service_pb2_grpc, Workflow(script)),  # type: ignore[abstract]
    ]


def _part(name: str, full_name: str, told: ServiceSettings, stubs: Any, servicer: object) -> Part:
    short = full_name.rpartition(".")[2]

    async def nothing() -> None:
        return None

    async def always() -> bool:
        return True

    def build(_: ServiceSettings, __: Platform) -> Service:
        add = getattr(stubs, f"add_{short}Servicer_to_server")
        return Service(name, full_name, lambda server: add(servicer, server), nothing, always, nothing)

    return Part(told, build)
