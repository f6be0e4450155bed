"""The data service behind its real chain, over a socket and in process, on a real PostgreSQL, with all three plants."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from factoryai.data.v1 import data_service_pb2 as pb
from factoryai.data.v1.data_service_pb2_grpc import DataServiceStub

from services.chassis.host import Part
from services.data.settings import DataSettings
from services.data.wiring import build
from tests.support.data_calls import END, TENANT, stamp, take
from tests.support.server import WIRINGS, Running, Wiring, calling, serve, settings, until

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.data.v1.data_service_pb2_grpc import DataServiceAsyncStub


@pytest.fixture(scope="package", params=WIRINGS)
async def running(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    wiring: Wiring = request.param
    told = settings(DataSettings, tmp_path_factory.mktemp("data"), database_url=postgres_url)
    async with serve(Part(told, build), wiring=wiring) as running:
        await until(running.host.health.ready)
        yield running


@pytest.fixture
def data(running: Running) -> "DataServiceAsyncStub":
    stub: DataServiceAsyncStub = DataServiceStub(running.channel("data"))
    return stub


@pytest.fixture(scope="package")
async def loaded(running: Running) -> "DataServiceAsyncStub":
    """The service with all three plants, in the tenant of these tests."""
    stub: DataServiceAsyncStub = DataServiceStub(running.channel("data"))
    with calling(TENANT):
        await stub.LoadSamplePlant(pb.LoadSamplePlantRequest(end_time=stamp(END)))
        for folder in ("bottling-line-2024", "steel-gwangyang-2018"):
            await take(stub, folder)
    return stub
