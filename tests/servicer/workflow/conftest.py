"""The workflow service on a real PostgreSQL, beside the real rule service and neighbours that can be told to fail."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceStub

from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.chassis.settings import ServiceSettings
from services.rule.settings import RuleSettings
from services.rule.wiring import build as build_rule
from services.workflow.settings import WorkflowSettings
from services.workflow.wiring import build
from tests.servicer.workflow.neighbours import World, data_layer, defect_rates, judgment_engine
from tests.support.server import WIRINGS, Wiring, serve, settings, until

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.workflow.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub


@pytest.fixture(scope="module", params=WIRINGS)
async def standing(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    wiring: Wiring = request.param
    folder: Path = tmp_path_factory.mktemp("workflow")
    data, judgment = data_layer(), judgment_engine()
    parts = (
        Part(settings(WorkflowSettings, folder, database_url=postgres_url), build),
        Part(settings(RuleSettings, folder, database_url=postgres_url), build_rule),
        Part(settings(ServiceSettings, folder), data.build),
        Part(settings(ServiceSettings, folder), judgment.build),
    )
    async with serve(*parts, wiring=wiring) as running:
        await until(running.host.health.ready)
        yield World(running, data, judgment)


@pytest.fixture
def world(standing: World) -> World:
    """The services, with neighbours that behave."""
    standing.data.answer = defect_rates(0.045)
    standing.data.failures = []
    standing.data.hangs = None
    standing.data.asked, standing.judgment.asked = [], []
    return standing


@pytest.fixture
def runs(world: World) -> "WorkflowServiceAsyncStub":
    stub: WorkflowServiceAsyncStub = WorkflowServiceStub(world.running.channel("workflow"))
    return stub


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"
