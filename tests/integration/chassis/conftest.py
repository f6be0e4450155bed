"""Two echo services, `router` and `data`, under both wirings."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.host import Part
from tests.support import echo, server


@dataclass
class World:
    """What a test of the chassis works with."""

    running: server.Running
    stub: Any
    router: echo.Echo
    data: echo.Echo
    pb: Any

    @property
    def raw(self) -> str:
        """Address of the router's socket."""
        return self.running.address("router")


@pytest.fixture(params=server.WIRINGS)
def wiring(request: pytest.FixtureRequest) -> server.Wiring:
    found: server.Wiring = request.param
    return found


@pytest_asyncio.fixture
async def world(wiring: server.Wiring, tmp_path: Path) -> AsyncIterator[World]:
    pb, grpc_module = echo.stubs()
    settings = server.settings(echo.EchoSettings, tmp_path, max_concurrent_rpcs=5)
    router, data = echo.EchoPart("router"), echo.EchoPart("data")
    async with server.serve(Part(settings, router.build), Part(settings, data.build), wiring=wiring) as running:
        stub = grpc_module.EchoServiceStub(running.channel("router"))
        yield World(running, stub, router.servicer, data.servicer, pb)
