"""A real Envoy with the product's own configuration, in front of scripted services."""

import asyncio
import contextlib
import datetime as dt
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from services.embedded import certificates, process
from services.embedded.edge import DESCRIPTOR_SET, OPENAPI, EdgeSettings, Endpoint
from services.embedded.envoy import Envoy
from services.embedded.table import SIX
from tests.support.scripted import Backend

_PATIENCE_S = 20.0
_BUF = Path(sys.executable).with_name("buf")


@dataclass(frozen=True)
class Edge:
    """A running edge and what is behind it."""

    envoy: Envoy
    backend: Backend
    process_id: int

    @property
    def port(self) -> int:
        return self.envoy.settings.listen_port

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.envoy.settings.admin_port}"

    def client(self) -> httpx.AsyncClient:
        """A REST client over HTTP/1.1 that trusts the development CA and nothing else."""
        trust = ssl.create_default_context(cafile=self.envoy.ca)
        return httpx.AsyncClient(base_url=self.envoy.url, verify=trust, timeout=10)

    def channel(self) -> grpc.aio.Channel:
        """A gRPC channel through the edge."""
        trust = grpc.ssl_channel_credentials(self.envoy.ca.read_bytes())
        return grpc.aio.secure_channel(f"localhost:{self.port}", trust)

    async def buf_curl(self, path: str, body: str, *options: str, schema: bool = True) -> tuple[int, str]:
        """Call with `buf curl`; returns its exit code and everything it printed."""
        known = ("--schema", str(DESCRIPTOR_SET)) if schema else ()
        command = (
            str(_BUF),
            "curl",
            "--cacert",
            str(self.envoy.ca),
            *known,
            *options,
            "-d",
            body,
            self.envoy.url + path,
        )
        child = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await asyncio.wait_for(child.communicate(), _PATIENCE_S)
        return child.returncode or 0, output.decode()


@pytest.fixture(scope="session")
async def edge() -> AsyncIterator[Edge]:
    """One edge for the tests that leave it as it was."""
    async with running_edge() as running:
        yield running


@pytest.fixture
async def own_edge() -> AsyncIterator[Edge]:
    """An edge for a test that breaks it."""
    async with running_edge() as running:
        yield running


@contextlib.asynccontextmanager
async def running_edge(**overrides: object) -> AsyncIterator[Edge]:
    """Start backend and Envoy, wait for readiness, and leave nothing behind. `overrides` replace edge settings."""
    backend = Backend()
    await backend.start()
    with tempfile.TemporaryDirectory(prefix="fa-edge-") as name:
        folder = Path(name)
        files = certificates.Certificates.within(folder)
        certificates.ensure(files, dt.datetime.now(dt.UTC))
        settings: Mapping[str, object] = {
            "services": {row.name: Endpoint("127.0.0.1", backend.port, backend.port) for row in SIX},
            "listen_port": free_port(),
            "admin_port": free_port(),
            "certificate": files.server,
            "private_key": files.server_key,
            "openapi": OPENAPI if OPENAPI.exists() else None,
        }
        envoy = Envoy(EdgeSettings(**{**settings, **overrides}), folder / "envoy.json", files.ca)  # type: ignore[arg-type]
        await asyncio.to_thread(envoy.prepare)
        child = process.spawn(envoy.command(folder / "envoy.log"))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not await asyncio.to_thread(envoy.ready):
                    assert child.poll() is None, (folder / "envoy.log").read_text()
                    await asyncio.sleep(0.05)
            yield Edge(envoy, backend, child.pid)
        finally:
            await asyncio.to_thread(process.stop, child, signal.SIGTERM, 5)
            await backend.stop()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
