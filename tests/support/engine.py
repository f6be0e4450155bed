"""The whole engine in this process: six services on real PostgreSQL and Valkey, with all three plants loaded."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from factoryai.data.v1 import data_import_pb2, data_service_pb2, data_service_pb2_grpc
from factoryai.orchestrator.v1 import orchestrator_service_pb2_grpc
from pydantic import SecretStr

from services.chassis.host import Part
from services.embedded.host import WIRED
from tests.support.server import Running, calling, serve, settings

SAMPLE_END: Final = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)  # 15:30 in Seoul
DATASETS: Final = ("bottling-line-2024", "steel-gwangyang-2018")
CHUNK: Final = 512 * 1024


@dataclass(frozen=True)
class Engine:
    """`orchestrator` and `data` are stubs; call them from a test, whose fixture speaks as an operator."""

    running: Running
    database_url: str
    orchestrator: Any
    data: Any


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _engine(
    postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    urls = {"database_url": SecretStr(postgres_url), "redis_url": SecretStr(valkey_url)}
    parts = [Part(settings(wired.settings, folder, **urls), wired.build) for wired in WIRED.values()]
    async with serve(*parts) as running:
        channel = running.channel
        engine = Engine(
            running,
            postgres_url,
            orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel("orchestrator")),
            data_service_pb2_grpc.DataServiceStub(channel("data")),
        )
        await _until_ready(running)
        with calling():
            await _load(engine.data)
        yield engine


@pytest.fixture
def engine(_engine: Engine) -> Iterator[Engine]:
    with calling(within_s=60):
        yield _engine


async def _until_ready(running: Running) -> None:
    async with asyncio.timeout(60):
        for server in running.host.servers:
            while not await server.service.ready():  # noqa: ASYNC110 - readiness is asked for, as Kubernetes does
                await asyncio.sleep(0.05)


async def _load(data: Any) -> None:
    sample = data_service_pb2.LoadSamplePlantRequest()
    sample.end_time.FromDatetime(SAMPLE_END)
    await data.LoadSamplePlant(sample)
    for name in DATASETS:
        await import_folder(data, Path(str(files("services.data") / "datasets" / name)))


def _read(folder: Path) -> tuple[str, dict[str, bytes]]:
    mapping = (folder / "mapping.yaml").read_text(encoding="utf-8")
    return mapping, {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


async def import_folder(data: Any, folder: Path) -> data_import_pb2.DataImport:
    """Import the files of a folder by its mapping.yaml; return the report."""
    mapping, sources = _read(folder)
    wanted = data_import_pb2.DataImport(
        mapping=mapping,
        files=[
            data_import_pb2.ImportFile(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
            for name, content in sources.items()
            if name in mapping
        ],
    )
    created = (await data.CreateImport(data_service_pb2.CreateImportRequest(data_import=wanted))).data_import
    for file in created.files:
        content = sources[file.name]
        for offset in range(0, len(content), CHUNK):
            await data.UploadImportChunk(
                data_service_pb2.UploadImportChunkRequest(
                    name=created.name, file=file.name, offset=offset, content=content[offset : offset + CHUNK]
                )
            )
    committed = await data.CommitImport(data_service_pb2.CommitImportRequest(name=created.name))
    report: data_import_pb2.DataImport = committed.data_import
    return report
